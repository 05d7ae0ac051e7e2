/** `tokenizer.json` in Node: Hugging Face's Rust library, on threads of its own. */
import { Tokenizer } from 'tokenizers';
import type { TokenizerLibrary } from './library.js';

/** Texts handed to the library at a time; it spreads them over the cores. */
const BATCH = 1024;

/**
 * Reads the text of a `tokenizer.json`; padding and truncation that it may carry are turned off.
 *
 * @throws what the library throws where it cannot read the file
 */
export function readTokenizerJson(json: string): TokenizerLibrary {
  const native = Tokenizer.fromString(json);
  native.disableTruncation();
  native.disablePadding();
  const normalizer = native.getNormalizer();
  const preTokenizer = native.getPreTokenizer();
  return {
    vocabularySize: countRows(native),
    tokenToId: (token) => native.tokenToId(token) ?? undefined,
    idToToken: (id) => native.idToToken(id) ?? undefined,
    async encode(texts) {
      const results: number[][] = [];
      for (let begin = 0; begin < texts.length; begin += BATCH) {
        const encodings = await native.encodeBatch(texts.slice(begin, begin + BATCH), {
          addSpecialTokens: false,
        });
        for (const encoding of encodings) results.push(encoding.getIds());
      }
      return results;
    },
    async encodeWithSpecials(text, context) {
      const encoding = await native.encode(text, context ?? null);
      const sequences = encoding.getSequenceIds().map((sequence) => sequence ?? null);
      return { ids: encoding.getIds(), typeIds: encoding.getTypeIds(), sequences };
    },
    decode: (ids) => native.decode([...ids], true),
    split(text) {
      const normalized = normalizer ? normalizer.normalizeString(text) : text;
      return preTokenizer ? preTokenizer.preTokenizeString(normalized).map(([word]) => word) : [normalized];
    },
  };
}

function countRows(native: Tokenizer): number {
  const count = native.getVocabSize(true);
  let id = 0;
  while (id < count && native.idToToken(id) !== null) id++;
  // Ids usually leave no gaps; the whole vocabulary is copied only where they do.
  return id === count
    ? count
    : Object.values(native.getVocab(true)).reduce((most, n) => Math.max(most, n), -1) + 1;
}
