/**
 * `tokenizer.json` in a page or a worker: Hugging Face's tokenizers in JavaScript. Nothing here needs Node, so tests
 * run it there, against the ids of the Rust library.
 */
import { Tokenizer } from '@huggingface/tokenizers';
import { Pace } from '../training/pace.js';
import type { AddedToken } from '../word-piece.js';
import { cutAtAddedTokens } from './added-tokens.js';
import type { TokenizerLibrary } from './library.js';
import { mendNormalizer, mendPreTokenizer, mendSplitter, type PreTokenizer } from './mends.js';
import { bytePieces, unigramModel } from './unigram.js';

/**
 * Reads the text of a `tokenizer.json`.
 *
 * @throws what the library throws where it cannot read the file
 */
export function readTokenizerJson(json: string): TokenizerLibrary {
  const parsed = JSON.parse(json) as {
    readonly post_processor?: { readonly type?: unknown } | null;
    readonly pre_tokenizer?: PreTokenizer | null;
    readonly model: Model;
    readonly added_tokens?: readonly AddedToken[];
  };
  mendPreTokenizer(parsed.pre_tokenizer);
  const tokenizer = makeTokenizer(parsed);
  mendNormalizer(tokenizer.normalizer);
  mendSplitter(tokenizer.pre_tokenizer);
  // The Rust library's RobertaProcessing has one type; this library's would have two, for which XLM-R has no row.
  const oneType = parsed.post_processor?.type === 'RobertaProcessing';
  const model = tokenizer.model!;
  const cut = cutAtAddedTokens(
    parsed.added_tokens ?? [],
    (text) => tokenizer.normalizer?.normalize(text) ?? text,
  );
  const bare = (text: string) =>
    cut(text).flatMap((part, section_index): number | number[] => {
      if (typeof part !== 'string') return part.id;
      const words = tokenizer.pre_tokenizer?.pre_tokenize(part, { section_index }) ?? [part];
      return model._call(words).map((token: string) => model.tokens_to_ids.get(token) ?? model.unk_token_id!);
    });
  const added = tokenizer.get_added_tokens_decoder();
  const addedIds = new Map([...added].map(([id, token]) => [token.content, id]));
  return {
    vocabularySize: model.vocab.length,
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
      const own = (context === undefined ? [text] : [text, context]).map(bare);
      // A post-processor that adds nothing gives no types; it may leave out the context.
      if (!types) {
        const sequences = own.flatMap((list, sequence) => list.map(() => sequence));
        return { ids: own.flat(), typeIds: sequences, sequences };
      }
      const sequences: (number | null)[] = ids.map(() => null);
      let at = 0;
      for (const [sequence, list] of own.entries()) {
        const begin = list.length === 0 ? -1 : indexOf(ids, list, at);
        if (begin < 0) continue;
        sequences.fill(sequence, begin, begin + list.length);
        at = begin + list.length;
      }
      return { ids, typeIds: oneType ? ids.map(() => 0) : types, sequences };
    },
    decode: async (list) => (list.length === 0 ? '' : tokenizer.decode([...list], decodeOptions)),
    split(text) {
      const normalized = tokenizer.normalizer?.normalize(text) ?? text;
      if (!tokenizer.pre_tokenizer) return [normalized];
      return normalized === '' ? [] : tokenizer.pre_tokenizer.pre_tokenize(normalized, { section_index: 0 });
    },
  };
}

interface Model {
  readonly vocab?: unknown;
  readonly unk_id?: number | null;
  /** Whether unknown characters are tokens of their bytes, where the vocabulary has those. */
  readonly byte_fallback?: boolean;
}

/** The library's tokenizer; of a unigram model with a vocabulary of one piece, then with all and a model of our own. */
function makeTokenizer(json: { readonly model: Model }): Tokenizer {
  const { vocab, unk_id: unknown, byte_fallback } = json.model;
  if (!Array.isArray(vocab) || typeof unknown !== 'number') {
    const tokenizer = new Tokenizer(json, {});
    // The library's models take added tokens for their own.
    for (const { content } of tokenizer.get_added_tokens_decoder().values()) {
      if (!Object.hasOwn(vocab ?? {}, content)) tokenizer.model!.tokens_to_ids.delete(content);
    }
    return tokenizer;
  }
  const tokenizer = new Tokenizer(
    { ...json, model: { ...json.model, vocab: [vocab[unknown]], unk_id: 0 } },
    {},
  );
  const model = tokenizer.model!;
  const pieces = (vocab as [string, number][]).map(([piece]) => piece);
  const cut = unigramModel(vocab, unknown);
  const added = tokenizer.get_added_tokens_decoder();
  model.vocab = pieces;
  model.tokens_to_ids = new Map(pieces.map((piece, id) => [piece, id]));
  for (const [id, { content }] of added) model.vocab[id] = content;
  Object.assign(model, { unk_token_id: unknown, unk_token: pieces[unknown], fuse_unk: false });
  const isKnown = (piece: string) => model.tokens_to_ids.has(piece);
  model.encode = (words: string[]) =>
    words.flatMap(cut).flatMap((piece) => {
      const bytes = byte_fallback && !isKnown(piece) ? bytePieces(piece) : [];
      return bytes.length > 0 && bytes.every(isKnown) ? bytes : piece;
    });
  return tokenizer;
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
