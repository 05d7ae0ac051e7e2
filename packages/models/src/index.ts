/** Checkpoints and tokenizers in Hugging Face and sentence-transformers layouts, read and written. */

export { adapterBase } from './adapters/adapter-base.js';
export { mergeAdapter } from './adapters/merge.js';
export { isAdapterFolder, withAdapter } from './adapters/open-adapter.js';
export { type Checkpoint, type OpenCheckpointOptions, openCheckpoint } from './checkpoint.js';
export * from './checkpoint-files.js';
export { checkReplaceable, saveCheckpoint } from './checkpoint-writer.js';
export * from './embedding-model.js';
export { ModelError, type ModelErrorCode } from './errors.js';
export {
  checkWritable,
  checkWritableAtomic,
  makeFolders,
  partialMark,
  writeError,
  writeFileAtomic,
} from './files.js';
export { formatHfConfig, longestSequence, parseHfConfig, type SpecialTokenIds } from './hf-config.js';
export {
  fetchHubModel,
  findCachedModel,
  type HubOptions,
  type HubProgress,
  hubCacheFolder,
  isHubId,
} from './hub.js';
export { type DatasetRequest, type FetchedFiles, fetchDatasets } from './hub-dataset.js';
export type { JsonObject } from './json.js';
export type { ModelFolderOptions } from './model-folder.js';
export { type Matrix, npyHeader, type RowBatches, readNpy, writeNpy } from './npy.js';
export { defaultPrompt, type RetrievalUse, retrievalUse } from './retrieval-use.js';
export type { FileContents, TensorSource } from './safetensors/format.js';
export type { TensorEntry } from './safetensors/header.js';
export { SafetensorsFile, TensorStore } from './safetensors/reader.js';
export { writeSafetensors } from './safetensors/writer.js';
export {
  defaultPooling,
  formatLayout,
  type LayoutSettings,
  readLayout,
  type SentenceTransformersLayout,
} from './sentence-transformers.js';
export type { EncodedText, PairTruncation } from './token-template.js';
export { checkTokenizer, type EncodeOptions, Tokenizer, type TokenizerFiles } from './tokenizer.js';
export { loadTokenizer } from './tokenizer-files.js';
export { type TokenizerModel, type TrainTokenizerOptions, trainTokenizer } from './tokenizer-training.js';
export type { TokenizerProgress } from './training/pace.js';
export { checkDimension, truncateRows } from './truncate.js';
export * from './vocabulary/extend.js';
export { type TrimmedVocabulary, trimVocabulary, withTrimmedVocabulary } from './vocabulary/trim.js';
