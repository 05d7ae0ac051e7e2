/** Finds the files that a configuration names before anything is read; errors name the line of what is missing. */
import { stat } from 'node:fs/promises';
import { expandPaths, isGlob } from '@synglot/data/files';
import { TrainError } from '../errors.js';
import { inTermsOfConfig, type PlacedPath } from './places.js';

/**
 * The files that the paths of a section stand for.
 *
 * @param name of the section, for messages
 * @throws TrainError, DataError with the place in the configuration of the path that is not available
 */
export async function findFiles(name: string, placed: readonly PlacedPath[]): Promise<string[]> {
  for (const { path, place } of placed) {
    const where = `${place}${name} path `;
    if (!isGlob(path)) await checkPath(path, where);
    await inTermsOfConfig(where, () => expandPaths(path));
  }
  const where = `${placed[0]?.place ?? ''}${name} path `;
  return inTermsOfConfig(where, () => expandPaths(placed.map(({ path }) => path)));
}

/** @throws TrainError `INPUT_CONFIG` if there is no such path; the message begins with `where` */
export async function checkPath(path: string, where: string): Promise<void> {
  await stat(path).catch((error: NodeJS.ErrnoException) => {
    const reason =
      error.code === 'ENOENT'
        ? 'no such file or folder (relative paths start at the current folder)'
        : `cannot be read (${error.message})`;
    throw new TrainError('INPUT_CONFIG', `${where}${path}: ${reason}`);
  });
}
