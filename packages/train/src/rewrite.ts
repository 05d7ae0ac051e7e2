/**
 * From a configuration to what is done to the texts of each batch before they are encoded; and which lexicons a
 * run was started with, since a resumed one must have the same.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BatchRewrite, codeSwitching, type Lexicon } from '@synglot/data';
import { readLexicons } from '@synglot/data/files';
import { writeFileAtomic } from '@synglot/models';
import type { TrainConfig } from './config.js';
import { TrainError } from './errors.js';
import { inTurns } from './rewrite-in-turns.js';

/** What a configuration asks to be done to texts. */
export interface OpenedRewrite {
  readonly rewrite: BatchRewrite;
  /** Keeps in the run's folder what the lexicons were, once there is one. */
  readonly keep: () => Promise<void>;
}

/**
 * Reads the lexicons of `code_switching`, where there is such a section.
 *
 * @param languages those of the training data
 * @param output folder of the run, which may not be there yet
 * @throws DataError for a lexicon that cannot be read or has no language of the data; TrainError `INPUT_RESUME`
 *   where the run was started with other lexicons
 */
export async function openRewrite(
  config: TrainConfig,
  languages: readonly string[],
  output: string,
): Promise<OpenedRewrite | undefined> {
  const section = config.code_switching;
  if (section === undefined) return undefined;
  const lexicons: Lexicon[] = [];
  for (const entry of section.lexicons) {
    const { path, from, to } = typeof entry === 'string' ? { path: entry } : entry;
    lexicons.push(...(await readLexicons(path, { ...(from ? { from } : {}), ...(to ? { to } : {}) })));
  }
  const path = join(output, 'lexicons.json');
  const text = `${JSON.stringify(
    lexicons.map(({ source, from, to, size, fingerprint }) => ({ source, from, to, size, fingerprint })),
    null,
    2,
  )}\n`;
  const before = await readFile(path, 'utf8').catch(() => undefined);
  if (before !== undefined && before !== text) {
    throw new TrainError(
      'INPUT_RESUME',
      `${path}: the run was started with other entries in its lexicons; resume with those or start anew in another --output`,
    );
  }
  const rewrite = codeSwitching(
    {
      lexicons,
      rate: section.rate,
      side: section.side,
      language: section.language,
      seed: section.seed ?? config.training.seed,
      ...(section.languages ? { languages: section.languages } : {}),
    },
    languages,
  );
  return { rewrite: inTurns(rewrite), keep: () => writeFileAtomic(path, (file) => file.writeFile(text)) };
}
