/**
 * Where the library of pages does otherwise than the Rust library, and how it is made to do the same. White space is
 * Unicode's: JavaScript's has a byte order mark in it, and lacks U+0085.
 */
import { readCharsmap } from './precompiled.js';

/** What the library makes of `normalizer`: of a sequence, or of SentencePiece's with its table. */
interface Normalizer {
  readonly config: {
    readonly type?: string;
    readonly lowercase?: boolean;
    readonly strip_left?: boolean;
    readonly strip_right?: boolean;
  };
  readonly normalizers?: readonly (Normalizer | null)[];
  readonly charsmap?: string | null;
  normalize(text: string): string;
}

/** Chinese characters by the Rust library, which leaves out U+2B820 to U+2B91F; this one sees none beyond U+FFFF. */
const chinese =
  /[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{2a6df}\u{2a700}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu;

/** Has normalisers do as the Rust library's. */
export function mendNormalizer(normalizer: Normalizer | null): void {
  if (normalizer === null) return;
  const { config, normalizers, charsmap, normalize } = normalizer;
  normalizers?.forEach(mendNormalizer);
  if (charsmap) normalizer.normalize = readCharsmap(charsmap);
  if (config.type === 'Strip') {
    const ends = [config.strip_left && '^\\p{White_Space}+', config.strip_right && '\\p{White_Space}+$'];
    const stripped = new RegExp(ends.filter(Boolean).join('|'), 'gu');
    normalizer.normalize = (text) => text.replace(stripped, '');
  }
  if (config.type === 'BertNormalizer') {
    Object.assign(normalizer, { tokenize_chinese_chars: (text: string) => text.replace(chinese, ' $& ') });
  }
  if (config.type === 'Lowercase' || config.lowercase) {
    // JavaScript alone has another sigma at the end of a word.
    normalizer.normalize = (text) => normalize.call(normalizer, text.replaceAll('Σ', 'σ'));
  }
}

/** What a `tokenizer.json` says about how texts are split. */
export interface PreTokenizer {
  readonly type?: string;
  readonly pretokenizers?: readonly PreTokenizer[];
  /** Of `Metaspace`: whether words are split where the mark for spaces is. Default true. */
  readonly split?: boolean;
  readonly replacement?: string;
  /** Of `Punctuation`, by default `Isolated`, and of `Split`. */
  readonly behavior?: string;
  /** Of `Split`: whether what the pattern does not match is what it splits at. */
  readonly invert?: boolean;
  /** Of `Digits`. */
  readonly individual_digits?: boolean;
  /** Of `FixedLength`. */
  readonly length?: number;
}

/** What the Rust library's `\w` is, inside a class. */
export const word = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}';
const punctuation = '\\p{P}\\x21-\\x2f\\x3a-\\x40\\x5b-\\x60\\x7b-\\x7e';

/** Has texts split as the Rust library does. */
export function mendPreTokenizer(preTokenizer: PreTokenizer | null | undefined): void {
  if (!preTokenizer) return;
  preTokenizer.pretokenizers?.forEach(mendPreTokenizer);
  const { type, split = true, replacement = '▁', behavior = 'Isolated' } = preTokenizer;
  const parts = partsOf(preTokenizer);
  if (parts !== undefined) Object.assign(preTokenizer, splitInto(parts));
  if (type === 'Punctuation' && behavior !== 'Isolated') {
    Object.assign(preTokenizer, { type: 'Split', pattern: { Regex: `[${punctuation}]` } });
  }
  // The library replaces spaces by the mark, and leaves it inside words.
  if (type === 'Metaspace' && split) {
    const marked = splitInto(`${replacement}[^${replacement}]*|[^${replacement}]+`);
    Object.assign(preTokenizer, { type: 'Sequence', pretokenizers: [{ ...preTokenizer }, marked] });
  }
}

/** An expression for the parts into which a text is split. */
function partsOf(preTokenizer: PreTokenizer): string | undefined {
  const { type, behavior = 'Isolated', individual_digits, length = 5 } = preTokenizer;
  switch (type) {
    case 'WhitespaceSplit':
      return '\\S+';
    case 'Whitespace':
      return `[${word}]+|[^${word}\\s]+`;
    case 'BertPreTokenizer':
      return `[${punctuation}]|[^${punctuation}\\s]+`;
    case 'Punctuation':
      return behavior === 'Isolated' ? `[${punctuation}]|[^${punctuation}]+` : undefined;
    case 'Digits':
      return individual_digits ? '\\p{N}|\\P{N}+' : '\\p{N}+|\\P{N}+';
    case 'FixedLength':
      return `[\\s\\S]{1,${length}}`;
    default:
      return undefined;
  }
}

function splitInto(parts: string) {
  return { type: 'Split', pattern: { Regex: parts }, invert: true };
}

/** What the library makes of a {@link PreTokenizer}: of a sequence, or of `Split`. */
interface Splitter {
  readonly tokenizers?: readonly (Splitter | null)[];
  readonly config?: PreTokenizer;
  readonly pattern?: RegExp | null;
  pre_tokenize_text(text: string, options?: { readonly section_index?: number }): string[];
}

/**
 * Has `Split` do what its `behavior` says: the library knows two of the five, and only one way round. Has a sequence tell
 * only the word at a text's beginning that it is one: a mark for spaces may belong before that alone.
 */
export function mendSplitter(splitter: Splitter | null): void {
  const { tokenizers, config, pattern } = splitter ?? {};
  tokenizers?.forEach(mendSplitter);
  if (splitter && tokenizers) {
    splitter.pre_tokenize_text = (text, options) =>
      tokenizers.reduce(
        (words, next) =>
          words.flatMap((word, at) => {
            const first = at === 0 && text.startsWith(word);
            return next?.pre_tokenize_text(word, first ? options : {}) ?? word;
          }),
        [text],
      );
  }
  const { type, behavior, invert = false } = config ?? {};
  if (!splitter || !pattern || type !== 'Split' || behavior === undefined) return;
  splitter.pre_tokenize_text = (text) => join(partsBy(pattern, text, invert), behavior);
}

interface Part {
  readonly text: string;
  readonly matches: boolean;
}

function partsBy(pattern: RegExp, text: string, invert: boolean): Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const { 0: match, index } of text.matchAll(pattern)) {
    if (index > end) parts.push({ text: text.slice(end, index), matches: invert });
    parts.push({ text: match, matches: !invert });
    end = index + match.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end), matches: invert });
  return parts;
}

/** Words of parts, as the Rust library joins them. */
function join(parts: readonly Part[], behavior: string): string[] {
  const words: string[] = [];
  let before: Part | undefined;
  for (const part of parts) {
    const joined =
      (behavior === 'Contiguous' && part.matches === before?.matches) ||
      (behavior === 'MergedWithPrevious' && part.matches && before?.matches === false) ||
      (behavior === 'MergedWithNext' && !part.matches && before?.matches);
    if (joined) words.push(words.pop() + part.text);
    else if (behavior !== 'Removed' || !part.matches) words.push(part.text);
    before = part;
  }
  return words.filter((word) => word !== '');
}
