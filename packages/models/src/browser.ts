/**
 * `@synglot/models` for pages and workers, taken by bundlers under the condition `browser`: everything that needs no
 * file system. Tokenizers are Hugging Face's in JavaScript.
 */
export { mergeAdapter } from './adapters/merge.js';
export { isAdapterFolder, withAdapter } from './adapters/open-adapter.js';
export * from './checkpoint-files.js';
export { type OpenPageOptions, openCheckpoint } from './checkpoint-page.js';
export {
  EmbeddingModel,
  type EmbedOptions,
  type TextInput,
} from './embedding-model.js';
export { ModelError, type ModelErrorCode } from './errors.js';
export { formatHfConfig, longestSequence, parseHfConfig, type SpecialTokenIds } from './hf-config.js';
export type { JsonObject } from './json.js';
export type { Checkpoint, ModelFolderOptions } from './model-folder.js';
export { defaultPrompt, type RetrievalUse, retrievalUse } from './retrieval-use.js';
export type { FileContents, TensorSource } from './safetensors/format.js';
export type { TensorEntry } from './safetensors/header.js';
export { SafetensorsFile, TensorStore } from './safetensors/reader.js';
export type { EncodedText, PairTruncation } from './token-template.js';
export { checkTokenizer, type EncodeOptions, Tokenizer, type TokenizerFiles } from './tokenizer.js';
export { loadTokenizer } from './tokenizer-files.js';
export { type TokenizerModel, type TrainTokenizerOptions, trainTokenizer } from './tokenizer-training.js';
export type { TokenizerProgress } from './training/pace.js';
export { checkDimension, truncateRows } from './truncate.js';
