/**
 * Code-switching: words of the training texts are replaced by translations from bilingual lexicons, anew in
 * every batch. Multilingual with a language for each word (CoSDA-ML, Qin et al. 2020, arXiv 2006.06402) or
 * bilingual with one for each text (Litschko et al. 2023, arXiv 2305.05295, for retrieval).
 *
 * A pure transform: what a batch becomes depends on the seed, the batch's index and its rows, and on nothing
 * that came before.
 */
import type { BatchToRewrite, RewrittenTexts, TextKind } from '../collate.js';
import { DataError } from '../errors.js';
import { hashText } from '../hash.js';
import { normaliseLanguage, unknownLanguage } from '../languages.js';
import { Random } from '../random.js';
import { candidatesOf, type Row } from '../rows.js';
import type { Lexicon } from './lexicon.js';
import { inCaseOf, needSpace, pieces } from './words.js';

/** Options of {@link codeSwitching}. */
export interface CodeSwitchingOptions {
  readonly lexicons: readonly Lexicon[];
  /** Chance of each word to be replaced, where a lexicon has it: 0 … 1. */
  readonly rate: number;
  /** Which texts; hard negatives are passages. Default `both`. */
  readonly side?: TextKind | 'both';
  /** Only into these languages. Default all that the lexicons translate into. */
  readonly languages?: readonly string[];
  /** Whether each word draws its language, or each text once. Default `per-word`. */
  readonly language?: 'per-word' | 'per-text';
  /** Any safe integer. */
  readonly seed: number;
}

/**
 * Makes the rewrite that {@link collate} applies. Its metrics: `words` on the chosen side and, of them,
 * `switched_words`.
 *
 * A lexicon of `en` also serves `en-us`, unless there is one of `en-us`.
 *
 * @param dataLanguages the languages of the training set
 * @throws DataError `INPUT_LANGUAGE` for a lexicon of a language that the data have not, or a wanted language
 *   that no lexicon translates into; `INPUT_OPTION` for a bad rate or no lexicon
 *
 * @example
 * const rewrite = codeSwitching({ lexicons, rate: 0.5, seed: 1 }, set.languages);
 * const packed = await collate(batch, encode, { rewrite });
 */
export function codeSwitching(
  options: CodeSwitchingOptions,
  dataLanguages: readonly string[],
): (batch: BatchToRewrite) => RewrittenTexts {
  const { rate, side = 'both', seed } = options;
  if (!(rate >= 0 && rate <= 1)) {
    throw new DataError('INPUT_OPTION', `\`rate\`: expected a number from 0 to 1 but received ${rate}`);
  }
  const lexiconsOf = lexiconsByLanguage(options, dataLanguages);
  const perText = options.language === 'per-text';
  return ({ index, pairs }) => {
    const metrics = { words: 0, switched_words: 0 };
    const rewrite = (row: Row, kind: TextKind): string => {
      if (side !== 'both' && side !== kind) return row.text;
      const place = JSON.stringify([kind, row.dataset, row.parallelId, row.lang, row.id]);
      const random = new Random(seed, index, hashText(place));
      return switchText(row, lexiconsOf(row.lang), { rate, perText, random, metrics });
    };
    return {
      queries: pairs.map(({ query }) => rewrite(query, 'query')),
      passages: candidatesOf(pairs).map((row) => rewrite(row, 'passage')),
      metrics,
    };
  };
}

interface Switching {
  readonly rate: number;
  readonly perText: boolean;
  readonly random: Random;
  readonly metrics: { words: number; switched_words: number };
}

function switchText(row: Row, lexicons: readonly Lexicon[], options: Switching): string {
  const { rate, perText, random, metrics } = options;
  const all = pieces(row.text, row.lang);
  const usable = perText && lexicons.length > 1 ? [lexicons[random.below(lexicons.length)]!] : lexicons;
  let result = '';
  let previous: { isWord: boolean; switched: boolean } = { isWord: false, switched: false };
  let isFirst = true;
  for (const { text, isWord } of all) {
    let now = text;
    let switched = false;
    if (isWord) {
      metrics.words++;
      if (random.float() < rate) {
        const having = usable.filter((lexicon) => lexicon.translations(text) !== undefined);
        if (having.length > 0) {
          const lexicon = having[random.below(having.length)]!;
          const translations = lexicon.translations(text)!;
          const translation = translations[random.below(translations.length)]!;
          now = inCaseOf(text, translation, { from: row.lang, to: lexicon.to }, isFirst);
          switched = true;
          metrics.switched_words++;
        }
      }
      isFirst = false;
    }
    const touches = previous.isWord && isWord && (previous.switched || switched);
    result += touches && needSpace(result, now) ? ` ${now}` : now;
    previous = { isWord, switched };
  }
  return result;
}

/** The lexicons that serve a language, in the order of the languages that they lead to. */
function lexiconsByLanguage(
  { lexicons, languages }: CodeSwitchingOptions,
  dataLanguages: readonly string[],
): (lang: string) => readonly Lexicon[] {
  if (lexicons.length === 0) {
    throw new DataError('INPUT_OPTION', '`lexicons`: code-switching needs at least one lexicon');
  }
  for (const { from, source } of lexicons) {
    if (dataLanguages.some((lang) => serves(from, lang))) continue;
    throw unknownLanguage(from, dataLanguages, `${source}: the words are in a language of no text`);
  }
  const targets = [...new Set(lexicons.map(({ to }) => to))];
  const wanted = languages?.map(normaliseLanguage) ?? targets;
  for (const lang of wanted) {
    if (targets.includes(lang)) continue;
    throw new DataError(
      'INPUT_LANGUAGE',
      `\`languages\`: no lexicon translates into '${lang}'; there are ${targets.sort().join(', ')}`,
    );
  }
  const byLanguage = new Map<string, readonly Lexicon[]>();
  for (const lang of dataLanguages) {
    const exact = lexicons.filter(({ from }) => from === lang);
    const serving = exact.length > 0 ? exact : lexicons.filter(({ from }) => serves(from, lang));
    const chosen = serving.filter(({ to }) => wanted.includes(to));
    byLanguage.set(
      lang,
      chosen.sort((a, b) => (a.to < b.to ? -1 : a.to > b.to ? 1 : 0)),
    );
  }
  return (lang) => byLanguage.get(lang) ?? [];
}

function serves(from: string, lang: string): boolean {
  return from === lang || from === lang.split('-')[0];
}
