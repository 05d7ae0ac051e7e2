/**
 * Finds the files of each language in a folder whose file names begin with the language.
 */
import { join } from 'node:path';
import { DataError } from '../errors.js';
import { listFolder } from './lines.js';
import { located } from './options.js';

/** A file of one language. */
export interface LanguageFile {
  readonly lang: string;
  readonly file: string;
  /** The parts of the name that the pattern caught, the language first, as written. */
  readonly parts: readonly string[];
}

/**
 * The files of `folder` whose names match, by name.
 *
 * @param pattern its first group is the language
 * @param expected what the files are called, for the message
 * @param aliases codes of the folder's own for languages that have another one everywhere else
 * @throws DataError `INPUT_FILE` where the folder is missing or no file matches
 */
export async function languageFiles(
  folder: string,
  pattern: RegExp,
  expected: string,
  aliases: Readonly<Record<string, string>> = {},
): Promise<LanguageFile[]> {
  const files = (await listFolder(folder)).flatMap((name) => {
    const match = pattern.exec(name);
    if (match === null) return [];
    const parts = match.slice(1);
    const written = parts[0]!;
    return [
      { lang: aliases[written] ?? located(written, join(folder, name)), file: join(folder, name), parts },
    ];
  });
  if (files.length === 0)
    throw new DataError('INPUT_FILE', `${folder}: no file called like ${expected} in it`);
  return files;
}
