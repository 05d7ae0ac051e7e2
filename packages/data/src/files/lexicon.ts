/**
 * Reads bilingual lexicons: MUSE's text (a word, a space or tab, a translation; `en-de.txt`), and tables as
 * PanLex's exports are cut to: tab-separated, with the two languages in the name of the file or in columns of
 * their own.
 */
import { type Lexicon, LexiconBuilder } from '../code-switching/lexicon.js';
import { DataError } from '../errors.js';
import { normaliseLanguage } from '../languages.js';
import { readLines } from './lines.js';
import { located } from './options.js';
import { expandPaths, type Paths } from './shards.js';

/** Options of {@link readLexicons}. */
export interface LexiconOptions {
  /** Language of the words; default: from the file's name (`en-de.txt`, `eng-deu.tsv.gz`). */
  readonly from?: string;
  /** Language of the translations; default as for `from`. */
  readonly to?: string;
}

/**
 * Reads the lexicons in files, for each file one for each pair of languages in it.
 *
 * A line is `word translation` (space or tab; with a tab both may be phrases) or, by tabs, `language word
 * language translation`. Blank lines are skipped. Phrases on the side of the words never match and are read
 * past.
 *
 * @throws DataError with file and line: `INPUT_COLUMN` for another number of fields, `INPUT_LANGUAGE` where the
 *   languages are unknown, `INPUT_EMPTY` where there is no entry
 */
export async function readLexicons(paths: Paths, options: LexiconOptions = {}): Promise<Lexicon[]> {
  const lexicons: Lexicon[] = [];
  for (const file of await expandPaths(paths)) lexicons.push(...(await lexiconsIn(file, options)));
  return lexicons;
}

async function lexiconsIn(file: string, options: LexiconOptions): Promise<Lexicon[]> {
  const builders = new Map<string, LexiconBuilder>();
  const builder = (from: string, to: string) => {
    const key = `${from}>${to}`;
    const known = builders.get(key) ?? new LexiconBuilder(from, to, file);
    builders.set(key, known);
    return known;
  };
  let pair: { from: string; to: string } | undefined;
  for await (const { text, where } of readLines(file)) {
    if (text.trim() === '') continue;
    const fields = text.includes('\t') ? text.split('\t') : text.trim().split(/\s+/);
    const [first = '', second = '', third = '', fourth = ''] = fields.map((field) => field.trim());
    if (fields.length === 4 && text.includes('\t')) {
      builder(shortCode(located(first, where)), shortCode(located(third, where))).add(second, fourth);
    } else if (fields.length === 2) {
      pair ??= languagesOfFile(file, options);
      builder(pair.from, pair.to).add(first, second);
    } else {
      throw new DataError(
        'INPUT_COLUMN',
        `${where}: expected a word and a translation, or by tabs a language, a word, a language and a translation, but received ${fields.length} field${fields.length === 1 ? '' : 's'}; put a tab between where one has spaces`,
      );
    }
  }
  const lexicons = [...builders.values()].map((one) => one.build()).filter(({ size }) => size > 0);
  if (lexicons.length === 0) {
    throw new DataError('INPUT_EMPTY', `${file}: there is no entry in it whose translation differs`);
  }
  return lexicons;
}

/** The languages of a file without columns for them: as given, or in its name. */
function languagesOfFile(file: string, { from, to }: LexiconOptions): { from: string; to: string } {
  const name = file.split(/[/\\]/).at(-1)!;
  const [, first, second] = /^([a-z]{2,3})[-_]([a-z]{2,3})\b/i.exec(name) ?? [];
  const languages = { from: from ?? first, to: to ?? second };
  if (languages.from === undefined || languages.to === undefined) {
    throw new DataError(
      'INPUT_LANGUAGE',
      `${file}: the languages are unknown; call the file as in en-de.txt, or give \`from\` and \`to\``,
    );
  }
  try {
    return {
      from: shortCode(normaliseLanguage(languages.from)),
      to: shortCode(normaliseLanguage(languages.to)),
    };
  } catch (error) {
    throw new DataError('INPUT_LANGUAGE', `${file}: ${(error as Error).message}`, { cause: error });
  }
}

/** PanLex and others write `eng` where data sets write `en`. */
function shortCode(lang: string): string {
  return /^[a-z]{3}$/.test(lang) ? (Intl.getCanonicalLocales(lang)[0]?.toLowerCase() ?? lang) : lang;
}
