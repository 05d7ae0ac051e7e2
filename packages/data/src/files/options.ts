/**
 * What all readers have in common: their options, the choice of languages and the limit.
 */
import { DataError } from '../errors.js';
import { hashTextHex, normaliseText } from '../hash.js';
import { normaliseLanguage, selectLanguages } from '../languages.js';
import type { Pair } from '../rows.js';

/** Options that every reader takes. */
export interface ReadOptions {
  /** Only pairs whose question and passage are in these languages. Default all. */
  readonly langs?: readonly string[];
  /** Most pairs of each (question language, passage language). Default all. */
  readonly limit?: number;
  /** Name of the data set, instead of the reader's own or the file's. */
  readonly dataset?: string;
  /** Name of the domain, instead of the file's; default the name of the data set. */
  readonly domain?: string;
}

/** Options of readers of files that may not name a language in each row. */
export interface SingleLanguageOptions extends ReadOptions {
  /** Language of questions and passages, where the rows name none. */
  readonly lang?: string;
  /** Language of questions, where it differs from `lang`. */
  readonly queryLang?: string;
  /** Language of passages and negatives, where it differs from `lang`. */
  readonly passageLang?: string;
}

/** File name without folder, `.gz` and extension: the default name of a data set. */
export function nameOf(path: string): string {
  const base = path
    .replace(/[/\\]+$/, '')
    .split(/[/\\]/)
    .at(-1)!;
  return base.replace(/\.gz$/, '').replace(/\.[^.]+$/, '') || base;
}

/** Parallel id of a passage that has no other: the same text is the same passage. */
export function textId(text: string): string {
  return `text:${hashTextHex(normaliseText(text))}`;
}

/**
 * Applies `langs` and `limit` to pairs of any languages.
 *
 * @param source what to call the data in messages
 * @param known the languages of the data, if known before reading and if all pairs are monolingual: reading
 *   then stops when every language has its `limit`
 * @throws DataError `INPUT_LANGUAGE` for a wanted language that the data do not have, `INPUT_EMPTY` for no
 *   pairs, `INPUT_OPTION` for a bad limit
 */
export async function* select(
  pairs: AsyncIterable<Pair> | Iterable<Pair>,
  options: ReadOptions,
  source: string,
  known?: readonly string[],
): AsyncGenerator<Pair> {
  checkLimit(options);
  const { limit = Number.POSITIVE_INFINITY } = options;
  const expected = known === undefined ? undefined : selectLanguages(options.langs, known, source);
  const wanted = options.langs === undefined ? null : new Set(options.langs.map(normaliseLanguage));
  const counts = new Map<string, number>();
  const seen = new Set<string>();
  for await (const pair of pairs) {
    const { lang: x } = pair.query;
    const { lang: y } = pair.passage;
    seen.add(x).add(y);
    if (wanted !== null && !(wanted.has(x) && wanted.has(y))) continue;
    const key = `${x}>${y}`;
    const count = counts.get(key) ?? 0;
    if (count >= limit) continue;
    counts.set(key, count + 1);
    yield pair;
    if (count + 1 < limit) continue;
    if (expected?.every((lang) => (counts.get(`${lang}>${lang}`) ?? 0) >= limit)) return;
  }
  if (seen.size === 0) throw new DataError('INPUT_EMPTY', `${source}: there is no pair in it`);
  selectLanguages(options.langs, seen, source);
  if (counts.size === 0) {
    throw new DataError(
      'INPUT_EMPTY',
      `${source}: no pair has both sides in ${[...(wanted ?? [])].join(', ')}`,
    );
  }
}

/** The first `limit` values; all where it is undefined. Does not ask for more than it yields. */
export async function* take<T>(values: AsyncIterable<T>, limit: number | undefined): AsyncGenerator<T> {
  let count = 0;
  for await (const value of values) {
    yield value;
    count++;
    if (count === limit) return;
  }
}

/** @throws DataError `INPUT_OPTION` where `limit` is not a whole number from 1 */
function checkLimit(options: ReadOptions): void {
  const { limit } = options;
  if (limit === undefined || (Number.isSafeInteger(limit) && limit >= 1)) return;
  throw new DataError('INPUT_OPTION', `\`limit\`: expected a whole number from 1 but received ${limit}`);
}

/**
 * The languages of a row without its own: `lang`, `queryLang`, `passageLang` of the options.
 *
 * @param hint what else the user can do if there is none, for the message
 * @throws DataError `INPUT_LANGUAGE` where neither the row nor the options name one
 */
export function languagesOf(
  options: SingleLanguageOptions,
  own: { lang?: string | undefined; query?: string | undefined; passage?: string | undefined },
  where: string,
  hint = '',
): { query: string; passage: string } {
  const query = own.query ?? own.lang ?? options.queryLang ?? options.lang;
  const passage = own.passage ?? own.lang ?? options.passageLang ?? options.lang;
  if (query === undefined || passage === undefined) {
    const side = query === undefined ? 'question' : 'passage';
    throw new DataError(
      'INPUT_LANGUAGE',
      `${where}: the language of the ${side} is unknown; add a 'lang' to the rows or set \`lang\` for the file${hint}`,
    );
  }
  return { query: located(query, where), passage: located(passage, where) };
}

/** {@link normaliseLanguage} with the place in its message. */
export function located(language: string, where: string): string {
  try {
    return normaliseLanguage(language);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new DataError(error.code, `${where}: ${error.message}`, { cause: error });
  }
}
