/** @synglot/eval: measures, exact ranks and language bias. Imports nothing of Node; see `./files` for that. */
export { LanguageShare, type Shares } from './bias/language-share.js';
export { rankDistance } from './bias/rank-distance.js';
export { type MissingRelevant, missingRelevant, type RetrievalCollection } from './collection.js';
export { EvaluationError, type EvaluationErrorCode } from './errors.js';
export { type EvaluateOptions, evaluateRetrieval } from './evaluate.js';
export { type Measure, measureNamed } from './measures/index.js';
export { type GradedRanking, type JudgedRanking, judgeRanking } from './measures/ranking.js';
export { type Profile, type ProfileName, profileNamed, profiles } from './profiles.js';
export { type PublishedRow, publishedRows } from './published.js';
export type { MeasureMeans, RetrievalReport, RetrievalSummary, SettingMeans } from './report.js';
export { DeviceScorer } from './search/device-scorer.js';
export { ranksOfRelevant } from './search/ranks.js';
export { referenceScorer, type Scorer } from './search/scorer.js';
export { compareUtf8, tieOrder } from './search/tie-order.js';
export { topK } from './search/top-k.js';
export { pairMatrix } from './tables/pair-matrix.js';
export { type SettingsRow, settingsTable } from './tables/settings-table.js';
export { textTable } from './tables/text-table.js';
