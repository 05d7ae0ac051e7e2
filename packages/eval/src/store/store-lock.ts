/** One writer at a time: a file in the store's folder names the process that writes it. */
import { readFile, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../errors.js';
import { storeError } from './store-errors.js';

/**
 * Locks a folder for this process; the lock of a process that is gone is taken over.
 *
 * @throws EvaluationError `INPUT_STORE` where another process holds it
 */
export async function lockStore(folder: string): Promise<void> {
  const path = lockPath(folder);
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      return await writeFile(path, `${process.pid}\n`, { flag: 'wx' });
    } catch (cause) {
      if (codeOf(cause) !== 'EEXIST')
        throw storeError(`${path}: cannot be written (${codeOf(cause)})`, cause);
    }
    const owner = Number(await readFile(path, 'utf8').catch(() => ''));
    if (owner !== process.pid && isAlive(owner)) {
      throw storeError(`${folder}: process ${owner} is writing it; wait for it or choose another folder`);
    }
    await unlink(path).catch(() => undefined);
  }
  throw storeError(`${folder}: another process is writing it; wait for it or choose another folder`);
}

/** Gives the lock back. */
export async function unlockStore(folder: string): Promise<void> {
  await unlink(lockPath(folder)).catch(() => undefined);
}

const lockPath = (folder: string) => join(folder, 'lock');

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}
