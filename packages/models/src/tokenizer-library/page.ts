/**
 * `tokenizer.json` in a page or a worker: Hugging Face's tokenizers in JavaScript. Nothing here needs Node, so tests
 * run it there, against the ids of the Rust library.
 */
import { Tokenizer } from '@huggingface/tokenizers';
import { Pace } from '../training/pace.js';
import type { TokenizerLibrary } from './library.js';
import { readCharsmap } from './precompiled.js';

/**
 * Reads the text of a `tokenizer.json`.
 *
 * @throws what the library throws where it cannot read the file
 */
export function readTokenizerJson(json: string): TokenizerLibrary {
  const parsed = JSON.parse(json) as {
    readonly post_processor?: { readonly type?: unknown } | null;
    readonly pre_tokenizer?: PreTokenizer | null;
  };
  mendPreTokenizer(parsed.pre_tokenizer);
  const tokenizer = new Tokenizer(parsed, {});
  mendNormalizer(tokenizer.normalizer);
  // The Rust library's RobertaProcessing has one type; this library's would have two, for which XLM-R has no row.
  const oneType = parsed.post_processor?.type === 'RobertaProcessing';
  const bare = (text: string) => tokenizer.encode(text, { add_special_tokens: false }).ids;
  const added = tokenizer.get_added_tokens_decoder();
  const addedIds = new Map([...added].map(([id, token]) => [token.content, id]));
  const ids = [...tokenizer.get_vocab().values(), ...added.keys()];
  return {
    vocabularySize: ids.reduce((most, id) => Math.max(most, id), -1) + 1,
    tokenToId: (token) => addedIds.get(token) ?? tokenizer.token_to_id(token),
    idToToken: (id) => added.get(id)?.content ?? tokenizer.id_to_token(id) ?? undefined,
    async encode(texts) {
      const results: number[][] = [];
      const pace = new Pace();
      for (const text of texts) {
        results.push(bare(text));
        if (pace.isDue) await pace.pause();
      }
      return results;
    },
    async encodeWithSpecials(text, context) {
      const { ids, token_type_ids: types } = tokenizer.encode(text, {
        ...(context === undefined ? {} : { text_pair: context }),
        return_token_type_ids: true,
      });
      const sequences: (number | null)[] = ids.map(() => null);
      let at = 0;
      for (const [sequence, part] of (context === undefined ? [text] : [text, context]).entries()) {
        const own = bare(part);
        const begin = own.length === 0 ? -1 : indexOf(ids, own, at);
        if (begin < 0) continue;
        sequences.fill(sequence, begin, begin + own.length);
        at = begin + own.length;
      }
      // Without a post-processor the library gives no types, and there is only one.
      return { ids, typeIds: (oneType ? undefined : types) ?? ids.map(() => 0), sequences };
    },
    decode: async (list) => (list.length === 0 ? '' : tokenizer.decode([...list], decodeOptions)),
    split(text) {
      const normalized = tokenizer.normalizer?.normalize(text) ?? text;
      return tokenizer.pre_tokenizer?.pre_tokenize(normalized) ?? [normalized];
    },
  };
}

/** Spaces are left to the file's decoder, as in the Rust library; by default some are taken out after it. */
const decodeOptions = { skip_special_tokens: true, clean_up_tokenization_spaces: false };

/** Where `part` begins in `list`, from `from` on; -1 where it does not occur. */
function indexOf(list: readonly number[], part: readonly number[], from: number): number {
  for (let begin = from; begin + part.length <= list.length; begin++) {
    if (part.every((id, offset) => list[begin + offset] === id)) return begin;
  }
  return -1;
}

/** What the library makes of `normalizer`: of a sequence, or of SentencePiece's with its table. */
interface Normalizer {
  readonly config: { readonly type?: string; readonly lowercase?: boolean };
  readonly normalizers?: readonly (Normalizer | null)[];
  readonly charsmap?: string | null;
  normalize(text: string): string;
}

/** Chinese characters by the Rust library, which leaves out U+2B820 to U+2B91F; this one sees none beyond U+FFFF. */
const chinese =
  /[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{2a6df}\u{2a700}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu;

/** Has normalisers do as the Rust library's. */
function mendNormalizer(normalizer: Normalizer | null): void {
  if (normalizer === null) return;
  const { config, normalizers, charsmap, normalize } = normalizer;
  normalizers?.forEach(mendNormalizer);
  if (charsmap) normalizer.normalize = readCharsmap(charsmap);
  if (config.type === 'BertNormalizer') {
    Object.assign(normalizer, { tokenize_chinese_chars: (text: string) => text.replace(chinese, ' $& ') });
  }
  if (config.type === 'Lowercase' || config.lowercase) {
    // JavaScript alone has another sigma at the end of a word.
    normalizer.normalize = (text) => normalize.call(normalizer, text.replaceAll('Σ', 'σ'));
  }
}

/** What a `tokenizer.json` says about how texts are split. */
interface PreTokenizer {
  readonly type?: string;
  readonly pretokenizers?: readonly PreTokenizer[];
  /** Of `Metaspace`: whether words are split where the mark for spaces is. Default true. */
  readonly split?: boolean;
  readonly replacement?: string;
}

const splitAt = (regex: string) => ({
  type: 'Split',
  pattern: { Regex: regex },
  behavior: 'Removed',
  invert: false,
});

/**
 * Has texts split at Unicode's white space, for JavaScript's has a byte order mark in it and lacks U+0085; and before the
 * mark for spaces, which this library leaves inside words.
 */
function mendPreTokenizer(preTokenizer: PreTokenizer | null | undefined): void {
  if (!preTokenizer) return;
  const { type, pretokenizers, split = true, replacement = '▁' } = preTokenizer;
  pretokenizers?.forEach(mendPreTokenizer);
  if (type === 'WhitespaceSplit') Object.assign(preTokenizer, splitAt('\\s+'));
  if (type === 'Metaspace' && split) {
    const parts = [{ ...preTokenizer }, splitAt(`(?=${replacement})`)];
    Object.assign(preTokenizer, { type: 'Sequence', pretokenizers: parts });
  }
}
