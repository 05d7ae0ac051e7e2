/** Which model an adapter's folder was made for, in Node. */
import { join, resolve } from 'node:path';
import { checkpointError } from '../errors.js';
import { isFolder } from '../files.js';
import { readJsonObject } from '../json-files.js';
import { adapterConfigFile } from './adapter-config.js';

/** The model that an adapter's folder names: a folder if there is one of that name, else a hub id. */
export async function adapterBase(folder: string): Promise<string> {
  const configPath = join(folder, adapterConfigFile);
  const { base_model_name_or_path: base } = await readJsonObject(configPath);
  if (typeof base !== 'string' || base === '') {
    throw checkpointError(
      `${configPath}: base_model_name_or_path names no model; give the model and, with --adapter, this folder`,
    );
  }
  for (const path of [resolve(base), resolve(folder, base)]) if (await isFolder(path)) return path;
  return base;
}
