/** @synglot/eval: measures, exact ranks and language bias. Imports nothing of Node; see `./files` for that. */

export {
  type EqualRankMeans,
  equalExpectedRank,
  equalRankDepth,
  type GradedPassage,
  peer,
} from './bias/equal-expected-rank.js';
export { type LanguageGap, languageGap } from './bias/language-gap.js';
export {
  type FirstPassage,
  LanguagePreference,
  type LanguagePreferenceMeans,
} from './bias/language-preference.js';
export { LanguageShare, type Shares } from './bias/language-share.js';
export { maxRank } from './bias/max-rank.js';
export { areParallel, questionsOf } from './bias/questions.js';
export { MeanRankCorrelation, type RankCorrelation, spearman } from './bias/rank-correlation.js';
export { rankDistance } from './bias/rank-distance.js';
export { type MissingRelevant, missingRelevant, type RetrievalCollection } from './collection.js';
export { EvaluationError, type EvaluationErrorCode } from './errors.js';
export { type EvaluateOptions, evaluateRetrieval } from './evaluate.js';
export { type Measure, measureNamed } from './measures/index.js';
export { type GradedRanking, type JudgedRanking, judgeRanking } from './measures/ranking.js';
export { askedTheSame, onlyMeasures } from './per-query.js';
export {
  languageProbe,
  type ProbeOptions,
  type ProbeReport,
  type ProbeRows,
} from './probe/language-probe.js';
export { type Profile, type ProfileName, profileNamed, profiles, type RunRules } from './profiles.js';
export { type PublishedRow, publishedRows } from './published.js';
export type {
  MacroIntervals,
  MeasureMeans,
  PerQueryValues,
  RetrievalReport,
  RetrievalSummary,
  SettingMeans,
} from './report.js';
export { BestK, type Hits } from './search/best-k.js';
export { DeviceScorer } from './search/device-scorer.js';
export {
  type ScoreBlock,
  scoreBlocks,
  searchTopK,
  type TopKOptions,
} from './search/device-search.js';
export { ranksOfRelevant } from './search/ranks.js';
export { referenceScorer, type Scorer } from './search/scorer.js';
export { streamRanks } from './search/stream-ranks.js';
export type { SearchSizes } from './search/sweep.js';
export { compareUtf8, tieOrder } from './search/tie-order.js';
export { topK } from './search/top-k.js';
export { checkFinite, memoryVectors, type VectorSource } from './search/vector-source.js';
export {
  bootstrapInterval,
  type Interval,
  type IntervalOptions,
  type PairedResult,
  pairedBootstrap,
  type ResampleOptions,
} from './significance/bootstrap.js';
export { chiSquareTail } from './significance/chi-square.js';
export {
  type CompareOptions,
  type Comparison,
  compareSystems,
  type System,
  systemOfReport,
  systemsOfRuns,
} from './significance/compare.js';
export { adjusted, type Correction } from './significance/correction.js';
export { randomisationTest } from './significance/randomisation.js';
export {
  macroIntervals,
  meanIntervals,
  rankDistanceSample,
  settingSample,
} from './significance/report-samples.js';
export {
  type Cell,
  type MacroSample,
  macroMean,
  type Observation,
  plainSample,
  sampleOf,
} from './significance/sample.js';
export {
  type AdHocReport,
  evaluateRankings,
  type JudgedCollection,
  judgmentNotes,
  meansOf,
} from './suites/ad-hoc.js';
export { type BitextReport, evaluateBitext } from './suites/bitext.js';
export { adHocTable, bitextTable, mmmTable } from './suites/tables.js';
export { decimal } from './tables/decimal.js';
export { type CsvCell, csvTable, latexTable } from './tables/export-tables.js';
export { type FiguresFormat, figuresTable } from './tables/figures-table.js';
export { intervalsTable } from './tables/intervals-table.js';
export { type MtebTask, mtebMeasures, mtebResult } from './tables/mteb-result.js';
export { pairMatrix } from './tables/pair-matrix.js';
export { comparisonTable, type LabelledRun, runTable } from './tables/run-table.js';
export { type SettingsRow, settingsTable } from './tables/settings-table.js';
export { textTable } from './tables/text-table.js';
export { type Column, isTrecName, trecColumns } from './trec/columns.js';
export { type EvaluateRunOptions, evaluateRun, type RunEvaluation } from './trec/evaluate-run.js';
export type { Qrels, TrecRun } from './trec/files.js';
export { type JudgedRun, type JudgedTopic, type JudgeOptions, judgeTopics } from './trec/judge.js';
export { type TrecLineOptions, topicValues, trecLines } from './trec/print.js';
export { type WorstQueriesOptions, type WorstQuery, worstQueries } from './worst-queries.js';
