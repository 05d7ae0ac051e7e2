/** Entry of `@synglot/data/files`: readers of training and evaluation data for Node. */
export * from './benchmarks/index.js';
export { type DebianFaqOptions, readDebianFaq } from './debian-faq.js';
export type { Fields } from './json.js';
export { type LexiconOptions, readLexicons } from './lexicon.js';
export { readLibreofficeHelp } from './libreoffice-help.js';
export { type Line, readLines } from './lines.js';
export { type MonoQaOptions, readMonoQa } from './mono-qa.js';
export type { ReadOptions, SingleLanguageOptions } from './options.js';
export {
  type FlagEmbeddingOptions,
  readFlagEmbedding,
  readTevatron,
  type TevatronOptions,
} from './other-tools.js';
export { type PairField, type PairOptions, readPairs } from './pairs.js';
export { readParallelFaq } from './parallel-faq.js';
export { type RawTextOptions, readRawText } from './raw-text.js';
export { isRecordFile, readColumn, readParquetRows, type TsvOptions } from './records.js';
export * from './registry.js';
export { type BeirOptions, type RetrievalOptions, readBeir, readMiracl } from './retrieval.js';
export type { ScoredOptions } from './scores.js';
export { readSentenceTransformers, type SentenceTransformersOptions } from './sentence-transformers.js';
export { expandPaths, isGlob, type Paths } from './shards.js';
export { readSquad, type SquadOptions } from './squad.js';
export { readSquad2FiEn, type Squad2FiEnOptions } from './squad2-fi-en.js';
export { readXquadR, type XquadROptions } from './xquad-r.js';
