/** From a configuration to what is done to the texts of each batch before they are encoded. */
import { type BatchRewrite, codeSwitching, type Lexicon } from '@synglot/data';
import { readLexicons } from '@synglot/data/files';
import type { TrainConfig } from './config.js';

/**
 * Reads the lexicons of `code_switching`, where there is such a section.
 *
 * @param languages those of the training data
 * @throws DataError for a lexicon that cannot be read or has no language of the data
 */
export async function openRewrite(
  config: TrainConfig,
  languages: readonly string[],
): Promise<BatchRewrite | undefined> {
  const section = config.code_switching;
  if (section === undefined) return undefined;
  const lexicons: Lexicon[] = [];
  for (const entry of section.lexicons) {
    const { path, from, to } = typeof entry === 'string' ? { path: entry } : entry;
    lexicons.push(...(await readLexicons(path, { ...(from ? { from } : {}), ...(to ? { to } : {}) })));
  }
  return codeSwitching(
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
}
