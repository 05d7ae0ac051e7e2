/**
 * Words of a text in any script, their case, and how replaced ones are put together again. No tokens of a
 * model: those come later, from its tokenizer.
 */

/** A piece of a text; the pieces of a text, joined, are the text. */
export interface Piece {
  readonly text: string;
  /** False for spaces, punctuation and symbols. */
  readonly isWord: boolean;
}

const segmenters = new Map<string, Intl.Segmenter>();

/** Cuts a text into words and what lies between, by Unicode's rules and, without spaces, by dictionary. */
export function pieces(text: string, lang: string): Piece[] {
  let segmenter = segmenters.get(lang);
  if (segmenter === undefined) {
    segmenter = new Intl.Segmenter(lang, { granularity: 'word' });
    segmenters.set(lang, segmenter);
  }
  return Array.from(segmenter.segment(text), ({ segment, isWordLike }) => ({
    text: segment,
    isWord: isWordLike === true,
  }));
}

/** Languages that write every noun with a capital, which therefore says nothing about its translation. */
const capitalisedNouns = new Set(['de', 'lb']);

/**
 * The translation in the case of the word it replaces: all capitals, a first capital, or as the lexicon has it.
 *
 * @param first whether the word opens its text
 */
export function inCaseOf(
  word: string,
  translation: string,
  langs: { readonly from: string; readonly to: string },
  first: boolean,
): string {
  const upper = word.toLocaleUpperCase(langs.from);
  const lower = word.toLocaleLowerCase(langs.from);
  if (upper === lower) return translation;
  if (word === upper && [...word].length > 1) return translation.toLocaleUpperCase(langs.to);
  const [head = ''] = word;
  const isCapital =
    head === head.toLocaleUpperCase(langs.from) && head !== head.toLocaleLowerCase(langs.from);
  if (!isCapital || (!first && capitalisedNouns.has(langs.from.split('-')[0]!))) return translation;
  const [start = ''] = translation;
  return start.toLocaleUpperCase(langs.to) + translation.slice(start.length);
}

const unspaced =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}\p{sc=Tibetan}]/u;

/** Whether two words that now touch need a space: not where both scripts are written without. */
export function needSpace(before: string, after: string): boolean {
  const last = [...before].at(-1) ?? '';
  const [next = ''] = after;
  return !(unspaced.test(last) && unspaced.test(next));
}
