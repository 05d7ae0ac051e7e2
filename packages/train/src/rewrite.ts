/**
 * From a configuration to what is done to the texts of each batch before they are encoded. Also remembers which
 * lexicons a run was started with, since a resumed one must have the same.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BatchRewrite, codeSwitching, type Lexicon } from '@synglot/data';
import { readLexicons } from '@synglot/data/files';
import { writeFileAtomic } from '@synglot/models';
import { findFiles } from './config/paths.js';
import { inTermsOfConfig, placedPaths, placeIn } from './config/places.js';
import type { TrainConfig } from './config.js';
import { TrainError } from './errors.js';
import { inTurns } from './rewrite-in-turns.js';

/** What a configuration wants done to texts. */
export interface OpenedRewrite {
  readonly rewrite: BatchRewrite;
  /** Writes down which lexicons there were, once the run's folder exists. */
  readonly keep: () => Promise<void>;
}

/** The lexicons of the section `code_switching`, if there is one. @throws DataError with the line of one that is missing */
export async function readConfiguredLexicons({ code_switching: section }: TrainConfig): Promise<Lexicon[]> {
  const lexicons: Lexicon[] = [];
  for (const [index, entry] of (section?.lexicons ?? []).entries()) {
    const isPath = typeof entry === 'string';
    const { from = undefined, to = undefined } = isPath ? {} : entry;
    const placed = isPath
      ? [{ path: entry, place: placeIn(section?.lexicons ?? [], index) }]
      : placedPaths(entry);
    const files = await findFiles('code_switching.lexicons', placed);
    const languages = { ...(from ? { from } : {}), ...(to ? { to } : {}) };
    lexicons.push(...(await inTermsOfConfig('code_switching: ', () => readLexicons(files, languages))));
  }
  return lexicons;
}

/**
 * What the section `code_switching` wants done to texts, if there is one.
 *
 * @param lexicons of {@link readConfiguredLexicons}
 * @param languages those of the training data
 * @param output folder of the run, which may not exist yet
 * @throws DataError for a lexicon whose language is not in the data; TrainError `INPUT_RESUME` if the run was
 *   started with other lexicons
 */
export async function openRewrite(
  config: TrainConfig,
  lexicons: readonly Lexicon[],
  languages: readonly string[],
  output: string,
): Promise<OpenedRewrite | undefined> {
  const section = config.code_switching;
  if (section === undefined) return undefined;
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
