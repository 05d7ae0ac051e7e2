/**
 * Saves a model in the sentence-transformers layout, all or nothing: everything goes into a folder with a
 * temporary name, is flushed, and only then gets its real name. It runs no model.
 */

import { readdir, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type CheckpointContents, type CheckpointFile, checkpointFiles } from './checkpoint-files.js';
import { ModelError } from './errors.js';
import {
  checkWritable,
  checkWritableAtomic,
  discard,
  isFolder,
  makeFolders,
  partialMark,
  partialName,
  syncFolder,
  systemCode,
  writeError,
  writePieces,
  writeSynced,
} from './files.js';

async function writeFiles(folder: string, files: readonly CheckpointFile[]): Promise<void> {
  const folders = new Set(files.map(({ path }) => dirname(join(folder, path))));
  for (const path of folders) await makeFolders(path);
  for (const file of files) {
    await writeSynced(join(folder, file.path), (handle) => writePieces(handle, file.pieces()));
  }
  for (const path of folders) await syncFolder(path);
}

/** Names that a model's folder has; a folder with any other name in it is not taken for one. */
const modelNames =
  /^(README\.md|\.gitattributes|modules\.json|(config|sentence_bert_config|config_sentence_transformers|adapter_config|generation_config)\.json|((adapter_)?model.*|pytorch_model.*)\.(safetensors|bin)(\.index\.json)?|tokenizer.*|special_tokens_map\.json|added_tokens\.json|vocab\.txt|sentencepiece.*|onnx|openvino|\d+_\w+)$/;

/**
 * Checks that a folder may be replaced by a model's: it can be written, and is not there, is empty, or holds a model and
 * nothing else.
 *
 * @throws ModelError `INPUT_DISK`
 */
export async function checkReplaceable(folder: string): Promise<void> {
  checkWritable(folder);
  checkWritableAtomic(folder);
  const names = await readdir(folder).catch(() => []);
  const other = names.find((name) => !modelNames.test(name) && !name.includes(partialMark));
  if (other === undefined) return;
  throw new ModelError(
    'INPUT_DISK',
    `${folder}: holds more than a model (${other}), which a model in its place would delete; choose another folder`,
  );
}

/**
 * Gives a written folder its name, replacing an earlier checkpoint of that name if there is one. Of two that are written
 * at once, the one that is done last stays.
 */
async function publish(partial: string, folder: string): Promise<void> {
  for (;;) {
    // A folder that holds something cannot be replaced in one step: it steps aside, and back on failure.
    // A process killed in between leaves both whole; the earlier one can still be opened by this name.
    const earlier = partialName(folder).replace(partialMark, '.replaced-');
    const replaces = (await isFolder(folder)) && (await hasMoved(folder, earlier));
    const failure = await rename(partial, folder).catch((error: unknown) => error);
    // Another checkpoint has just got the name.
    const again = systemCode(failure) === 'ENOTEMPTY' || (failure && (await isFolder(folder)));
    if (failure && !again) {
      if (replaces) await rename(earlier, folder);
      throw failure;
    }
    if (replaces) await discard(earlier);
    if (!failure) return;
  }
}

/** Gives a folder another name; false if it is gone, because another process has moved it. */
async function hasMoved(folder: string, to: string): Promise<boolean> {
  try {
    await rename(folder, to);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/**
 * Saves a model as a folder that `openCheckpoint`, sentence-transformers and transformers load. With an
 * adapter, the folder holds the adapter and what was trained beside it, and names the model under it.
 *
 * A checkpoint already in `folder` is replaced. When anything fails, nothing is left behind.
 *
 * @throws ModelError `INPUT_DISK` on a full disk and the like, and for a folder that holds something else;
 *   `INPUT_TOKENIZER` if the tokenizer does not fit.
 */
export async function saveCheckpoint(folder: string, contents: CheckpointContents): Promise<void> {
  if (folder.endsWith('/') || folder.endsWith('\\')) return saveCheckpoint(folder.slice(0, -1), contents);
  await checkReplaceable(folder);
  const files = await checkpointFiles(basename(folder), contents);
  const partial = partialName(folder);
  try {
    await makeFolders(partial);
    await writeFiles(partial, files);
    await publish(partial, folder);
  } catch (error) {
    await discard(partial);
    if (error instanceof ModelError) {
      throw new ModelError(error.code, error.message.replace(partial, folder), { cause: error });
    }
    // A file in the folder's place is an ENOTDIR or EEXIST of mkdir or rename.
    throw systemCode(error) === 'EEXIST'
      ? new ModelError('INPUT_DISK', `${folder}: a file is in the way; choose another folder`, {
          cause: error,
        })
      : writeError(folder, error);
  }
  await syncFolder(dirname(folder));
}
