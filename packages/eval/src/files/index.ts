/** `@synglot/eval/files`: embeddings, runs and reports on disk, for Node. */
export {
  EmbeddingStore,
  type OpenStoreOptions,
  type StoredPassage,
  textChecksum,
} from '../store/embedding-store.js';
export { type EncodeCorpusOptions, type EncodeCorpusResult, encodeCorpus } from '../store/encode-corpus.js';
export { type MatrixFile, openMatrix, readMatrix, withIds } from '../store/matrix-files.js';
export type { StoreKey, StoreMeta } from '../store/store-index.js';
export { readSystems } from './read-systems.js';
export { readQrels, readRun, type TrecReadOptions } from './trec-read.js';
export { checkTrecIds, type RunRanking, writeQrels, writeRun } from './trec-write.js';
export { writeJson } from './write-json.js';
