/** Files read with clear errors and written all or nothing. It knows nothing of models. */

import { randomBytes } from 'node:crypto';
import { accessSync, constants, existsSync, lstatSync, statSync } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { checkpointError, ModelError } from './errors.js';

/** Marks files and folders still being written; nothing with it in its name is ever read as a model. */
export const partialMark = '.partial-';

/** A sibling name of `path` for writing before the rename; on the same file system, so the rename is atomic. */
export function partialName(path: string): string {
  return join(
    dirname(path),
    `${basename(path)}${partialMark}${process.pid}-${randomBytes(4).toString('hex')}`,
  );
}

/** The `code` of a system error such as `ENOENT`, or an empty string. */
export function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

const DISK_REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: free some space or choose another folder',
  EDQUOT: 'the disk quota is used up: free some space or choose another folder',
  EFBIG: 'the file is larger than the file system or a limit (ulimit -f) allows: choose another folder',
  ENOENT: 'the folder that it belongs in does not exist: create it first',
  EROFS: 'the file system is read-only: choose another folder',
  EACCES: 'permission denied: choose a folder that you may write to',
  EPERM: 'permission denied: choose a folder that you may write to',
  ENAMETOOLONG: 'a name in the path is too long: choose a shorter one',
  EISDIR: 'a folder has this name: remove it or choose another name',
  ENOTDIR: 'a part of the path is a file, not a folder: choose another path',
};

/** An error met while writing `path`, as `INPUT_DISK` where the disk or its rights are the cause. */
export function writeError(path: string, error: unknown): unknown {
  if (error instanceof ModelError) return error;
  // On a read-only disk, making folders fails as if a folder were missing.
  const code = (systemCode(error) === 'ENOENT' && whyNotIn(path)) || systemCode(error);
  const remedy = DISK_REMEDIES[code];
  return remedy === undefined
    ? error
    : new ModelError('INPUT_DISK', `${path}: not written, ${remedy} (${code})`, { cause: error });
}

/** Why nothing can be written below the nearest existing folder above `path`: a system's code, or empty. */
function whyNotIn(path: string): string {
  let above = resolve(path);
  do above = dirname(above);
  while (!existsSync(above) && above !== dirname(above));
  try {
    if (!statSync(above).isDirectory()) return 'ENOTDIR';
    accessSync(above, constants.W_OK);
    // Only the system knows how long a name may be there.
    for (const name of relative(above, resolve(path)).split(sep)) {
      lstatSync(join(above, name), { throwIfNoEntry: false });
    }
    return '';
  } catch (error) {
    return systemCode(error);
  }
}

/**
 * Checks before the work, and not after it, that a folder can be made or written in.
 *
 * @throws ModelError `INPUT_DISK`
 */
export function checkWritable(folder: string): void {
  check(folder, join(folder, 'any'));
}

/** As {@link checkWritable}, of a file or folder that is written beside its place and then renamed. */
export function checkWritableAtomic(path: string): void {
  check(path, partialName(path));
}

function check(path: string, written: string): void {
  const code = whyNotIn(written);
  if (code !== '') throw writeError(path, Object.assign(new Error(code), { code }));
}

/** Makes a folder and those above it. @throws ModelError `INPUT_DISK` */
export async function makeFolders(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw systemCode(error) === 'EEXIST'
      ? new ModelError('INPUT_DISK', `${folder}: a file is in the way; choose another folder`, {
          cause: error,
        })
      : writeError(folder, error);
  });
}

/** Removes a file or folder being written, if it is there; failing to must not hide the error that led here. */
export async function discard(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true }).catch(() => undefined);
}

/** Flushes a folder's entries, so that a rename survives a power cut; not every platform can. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {
    // Windows cannot open folders; there the rename alone must do.
  }
}

/** Creates `path`, lets `write` fill it, flushes it to disk. Removes it again when anything fails. */
export async function writeSynced(path: string, write: (handle: FileHandle) => Promise<void>): Promise<void> {
  try {
    const handle = await open(path, 'wx');
    try {
      await write(handle);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') await discard(path);
    throw writeError(path, error);
  }
}

/**
 * Writes a file all or nothing: temporary sibling, flush, rename. The temporary file is removed on failure.
 *
 * @throws ModelError `INPUT_DISK` on a full disk, missing rights and the like.
 */
export async function writeFileAtomic(
  path: string,
  write: (handle: FileHandle) => Promise<void>,
): Promise<void> {
  const partial = partialName(path);
  try {
    await writeSynced(partial, write);
    await rename(partial, path);
  } catch (error) {
    await discard(partial);
    throw error instanceof ModelError
      ? new ModelError(error.code, error.message.replace(partial, path), { cause: error })
      : writeError(path, error);
  }
  await syncFolder(dirname(path));
}

/** Writes every byte: `FileHandle.write` may stop early, as it does just before the disk is full. */
export async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  // Node refuses writes of 2 GiB and more.
  const most = 1 << 28;
  for (let done = 0; done < bytes.byteLength; ) {
    const { bytesWritten } = await handle.write(bytes, done, Math.min(most, bytes.byteLength - done));
    done += bytesWritten;
  }
}

/** Writes one piece after the other, as each comes. */
export async function writePieces(handle: FileHandle, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const piece of pieces) await writeAll(handle, piece);
}

/** Reads exactly `target.byteLength` bytes from `position`; fewer means that the file was cut meanwhile. */
export async function readExactly(
  handle: FileHandle,
  target: Uint8Array,
  position: number,
  path: string,
): Promise<void> {
  const most = 1 << 28;
  for (let done = 0; done < target.byteLength; ) {
    const wanted = Math.min(most, target.byteLength - done);
    const { bytesRead } = await handle.read(target, done, wanted, position + done);
    if (bytesRead === 0) {
      throw checkpointError(
        `${path}: ends at byte ${position + done}, expected ${position + target.byteLength}: the file is cut; get it again`,
      );
    }
    done += bytesRead;
  }
}

/** @throws ModelError `INPUT_CHECKPOINT` where it is not allowed to look: what may be there is not missing */
export async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    (error: unknown) => {
      if (systemCode(error) !== 'EACCES') return false;
      throw checkpointError(`${path}: no permission to read it; change its rights (chmod) or copy it`, error);
    },
  );
}

export async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
