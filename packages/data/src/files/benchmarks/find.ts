/** Finds a benchmark's files below a folder by the names that its publisher gives them. */
import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { DataError } from '../../errors.js';
import { fileError } from '../lines.js';

/** Folders nest no deeper than this in any layout. */
const maxDepth = 4;

/** A file below the folder. */
export interface FoundFile {
  readonly path: string;
  /** What the pattern's named groups caught. */
  readonly groups: Readonly<Record<string, string | undefined>>;
}

/**
 * Paths of all files below `folder`, relative, with `/`, sorted by the numbers and letters in them.
 *
 * @throws DataError `INPUT_FILE`
 */
export async function filesBelow(folder: string): Promise<string[]> {
  const found: string[] = [];
  const walk = async (path: string, depth: number): Promise<void> => {
    const entries = await readdir(path, { withFileTypes: true }).catch((error: unknown) => {
      throw fileError(path, error);
    });
    for (const entry of entries) {
      const child = join(path, entry.name);
      if (entry.isDirectory()) {
        if (depth < maxDepth && !entry.name.startsWith('.')) await walk(child, depth + 1);
      } else {
        found.push(relative(folder, child).split(sep).join('/'));
      }
    }
  };
  await walk(folder, 0);
  return found.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

/** The files that match one of the patterns; a `.gz` at the end is always allowed. */
export function matching(folder: string, files: readonly string[], patterns: readonly RegExp[]): FoundFile[] {
  return files.flatMap((file) => {
    for (const pattern of patterns) {
      const match = pattern.exec(file.replace(/\.gz$/, ''));
      if (match) return [{ path: join(folder, file), groups: { ...match.groups } }];
    }
    return [];
  });
}

/** The one file that matches. @throws DataError `INPUT_FILE` where none or several do */
export function theOne(
  folder: string,
  files: readonly string[],
  patterns: readonly RegExp[],
  expected: string,
): string {
  const found = matching(folder, files, patterns);
  if (found.length === 1) return found[0]!.path;
  const reason =
    found.length === 0
      ? `expected ${expected} in it`
      : `expected one ${expected} but found ${found.map(({ path }) => path).join(', ')}; leave one`;
  throw new DataError('INPUT_FILE', `${folder}: ${reason}`);
}
