/** Opens a model in a page: addresses in place of folders. The hub's cache is Node's. */
import { modelSource } from '#model-source';
import { isAdapterFolder, withAdapter } from './adapters/open-adapter.js';
import { checkpointError } from './errors.js';
import { type Checkpoint, type ModelFolderOptions, openModelFolder } from './model-folder.js';
import { encoderPath, readModules } from './sentence-transformers.js';

/** What {@link openCheckpoint} overrides. */
export interface OpenPageOptions extends ModelFolderOptions {
  /** Address of an adapter to put over the model: `adapter_config.json` and `adapter_model.safetensors`. */
  readonly adapter?: string | URL;
}

/**
 * Opens a model that a server has, file by file: `models/my-model`, or a hub's
 * `https://huggingface.co/OWNER/NAME/resolve/main`. Weights are `model.safetensors` or shards of it, and are fetched
 * once, when the first tensor is read or checked.
 *
 * @throws ModelError with an `INPUT_` code if a file is missing, damaged, unsupported or does not fit the others.
 * @example
 * const model = await EmbeddingModel.load(executor, await openCheckpoint('models/my-model'));
 */
export async function openCheckpoint(
  address: string | URL,
  options: OpenPageOptions = {},
): Promise<Checkpoint> {
  const { adapter, ...rest } = options;
  const folder = folderAt(address);
  const modules = await readModules(folder);
  const checkpoint = await openModelFolder(folder, modules, rest).catch(async (error: unknown) => {
    // Asked only now: each question of this kind is a request.
    const encoderFolder = modelSource.join(folder, encoderPath(modules));
    if (!(await isAdapterFolder(encoderFolder).catch(() => false))) throw error;
    throw checkpointError(
      `${folder}: an adapter; open the model under it and give this as \`adapter\``,
      error,
    );
  });
  return adapter === undefined ? checkpoint : withAdapter(checkpoint, folderAt(adapter));
}

function folderAt(address: string | URL): string {
  return String(address).replace(/\/+$/, '');
}
