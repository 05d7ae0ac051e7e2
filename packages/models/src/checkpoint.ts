/**
 * Opens a model in Node: a folder, a hub id, or an adapter with the model under it. What is in a model's folder is
 * read by `model-folder.ts`.
 */

import { readdir, stat } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { adapterBase } from './adapters/adapter-base.js';
import { isAdapterFolder, openAdapterFolder, withAdapter } from './adapters/open-adapter.js';
import { checkpointError, ModelError } from './errors.js';
import { isFile, partialMark, systemCode } from './files.js';
import { fetchHubModel, type HubOptions, isHubId } from './hub.js';
import { type Checkpoint, type ModelFolderOptions, openModelFolder } from './model-folder.js';
import { encoderPath, readModules } from './sentence-transformers.js';

export type { Checkpoint } from './model-folder.js';

/** What {@link openCheckpoint} overrides, and where it looks for models of the hub. */
export interface OpenCheckpointOptions extends HubOptions, ModelFolderOptions {
  /** Folder of an adapter to put over the model: `adapter_config.json` and `adapter_model.safetensors`. */
  readonly adapter?: string | URL;
}

/** As a page takes an address, a folder may be `new URL('my-model', import.meta.url)`. */
function folderAt(place: string | URL): string {
  if (!(place instanceof URL)) return place;
  return place.protocol === 'file:' ? fileURLToPath(place) : place.href;
}

/** The folder, unless it is that of a run or a checkpoint, which holds a model and is none. */
async function modelIn(folder: string): Promise<string> {
  const isModel = (path: string) => isFile(join(path, 'modules.json'));
  if ((await isModel(folder)) || (await isAdapterFolder(folder))) return folder;
  const steps = (await readdir(join(folder, 'checkpoints')).catch(() => []))
    .filter((name) => /^step-\d+$/.test(name))
    .sort((a, b) => Number(b.slice(5)) - Number(a.slice(5)))
    .map((name) => join(folder, 'checkpoints', name, 'model'));
  for (const inside of [join(folder, 'model'), ...steps]) {
    if (!(await isModel(inside))) continue;
    throw new ModelError('INPUT_MODEL', `${folder}: holds a model and is none itself; give ${inside}`);
  }
  return folder;
}

async function findFolder(pathOrHubId: string, options: HubOptions): Promise<string> {
  let missing = false;
  const found = await stat(pathOrHubId).catch((error: unknown) => {
    missing = systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR';
    return undefined;
  });
  if (found?.isDirectory()) return modelIn(pathOrHubId);
  if (found !== undefined) {
    throw new ModelError(
      'INPUT_MODEL',
      `${pathOrHubId}: a file, expected a model folder; give the folder that it is in`,
    );
  }
  if (missing && isHubId(pathOrHubId)) return fetchHubModel(pathOrHubId, options);
  throw new ModelError(
    'INPUT_MODEL',
    `${pathOrHubId}: ${missing ? 'no such model folder' : 'cannot be opened'}; give a folder with config.json, model.safetensors and tokenizer.json, or a hub id such as sentence-transformers/LaBSE`,
  );
}

/**
 * Opens a model folder, by its path or `file:` URL, or a hub id after downloading it. The folder of an adapter is
 * opened together with the model that it names.
 *
 * @throws ModelError with an `INPUT_` code if a file is missing, damaged, unsupported or does not fit the others.
 * @example
 * const checkpoint = await openCheckpoint('sentence-transformers/LaBSE', { onProgress: console.error });
 * const bias = await checkpoint.readTensor('encoder.layer.0.output.dense.bias');
 */
export async function openCheckpoint(
  pathOrHubId: string | URL,
  options: OpenCheckpointOptions = {},
): Promise<Checkpoint> {
  const { adapter, ...rest } = options;
  const checkpoint = await openFolder(folderAt(pathOrHubId), rest);
  return adapter === undefined ? checkpoint : withAdapter(checkpoint, folderAt(adapter));
}

async function openFolder(pathOrHubId: string, options: OpenCheckpointOptions): Promise<Checkpoint> {
  const folder = await findFolder(pathOrHubId, options);
  if (
    resolve(folder)
      .split(sep)
      .some((part) => part.includes(partialMark))
  ) {
    throw checkpointError(
      `${folder}: a checkpoint whose writing was cut short; delete it and use an earlier one`,
    );
  }
  const modules = await readModules(folder);
  const encoderFolder = join(folder, encoderPath(modules));
  if (await isAdapterFolder(encoderFolder)) {
    const base = await adapterBase(encoderFolder);
    return openAdapterFolder(await openFolder(base, options), base, folder, encoderFolder, options);
  }
  return openModelFolder(folder, modules, options);
}
