/** Opens a model in a page: an address in place of a folder. Adapters and the hub's cache are Node's. */
import { modelSource } from '#model-source';
import { type Checkpoint, type ModelFolderOptions, openModelFolder } from './model-folder.js';
import { findEncoderPath } from './sentence-transformers.js';

/**
 * Opens a model that a server has, file by file: `models/my-model`, or a hub's
 * `https://huggingface.co/OWNER/NAME/resolve/main`. Weights are `model.safetensors` or shards of it, and are fetched
 * once, when the first tensor is read or checked.
 *
 * @throws ModelError with an `INPUT_` code if a file is missing, damaged, unsupported or does not fit the others.
 * @example
 * const model = await EmbeddingModel.load(executor, await openCheckpoint('models/my-model'));
 */
export async function openCheckpoint(address: string, options: ModelFolderOptions = {}): Promise<Checkpoint> {
  const folder = address.replace(/\/+$/, '');
  return openModelFolder(folder, modelSource.join(folder, await findEncoderPath(folder)), options);
}
