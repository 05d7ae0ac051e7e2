/**
 * Trains a tokenizer on texts and writes it as a `tokenizer.json`.
 *
 * Hugging Face's library normalises and splits the texts here, but does not train: its `train` takes no vocabulary
 * size, and its unigram and WordPiece results differ from run to run.
 */

import { readTokenizerJson } from '#tokenizer-library';
import { ModelError } from './errors.js';
import { Tokenizer } from './tokenizer.js';
import { trainMerges } from './training/byte-pair.js';
import { Pace, type TokenizerProgress } from './training/pace.js';
import { trainUnigram } from './training/unigram.js';
import { chooseAlphabet, countWords } from './training/words.js';
import { BERT_SPECIAL_TOKENS, specialToken, wordPieceJson } from './word-piece.js';

/** How a vocabulary is built. */
export type TokenizerModel = 'bpe' | 'unigram' | 'wordpiece';

/** Options of {@link trainTokenizer}. */
export interface TrainTokenizerOptions {
  /** Most tokens, special ones included. */
  readonly vocabularySize: number;
  /** Default `unigram`. */
  readonly model?: TokenizerModel;
  /** Lower-cases (WordPiece also strips accents, as BERT does); default false. */
  readonly lowercase?: boolean;
  /** Told now and then how far the training is; other tasks have their turn then too. */
  readonly onProgress?: (progress: TokenizerProgress) => void;
}

/** Special tokens of unigram and BPE vocabularies, in XLM-R's order of ids. */
const SENTENCE_PIECE_TOKENS = ['<s>', '<pad>', '</s>', '<unk>', '<mask>'] as const;

function sentencePieceJson(model: object, lowercase: boolean): string {
  const special = (id: string) => ({ SpecialToken: { id, type_id: 0 } });
  const text = (id: string) => ({ Sequence: { id, type_id: 0 } });
  const single = [special('<s>'), text('A'), special('</s>')];
  const metaspace = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true };
  const normalizers = [{ type: 'NFKC' }, ...(lowercase ? [{ type: 'Lowercase' }] : [])];
  return `${JSON.stringify({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: SENTENCE_PIECE_TOKENS.map((token, id) => specialToken(id, token)),
    normalizer: { type: 'Sequence', normalizers },
    pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, metaspace] },
    post_processor: {
      type: 'TemplateProcessing',
      single,
      pair: [...single, special('</s>'), text('B'), special('</s>')],
      special_tokens: {
        '<s>': { id: '<s>', ids: [0], tokens: ['<s>'] },
        '</s>': { id: '</s>', ids: [2], tokens: ['</s>'] },
      },
    },
    decoder: metaspace,
    model,
  })}\n`;
}

/** The three kinds as JSON, from nothing but the specials (for splitting) or from trained results. */
function tokenizerJson(model: TokenizerModel, lowercase: boolean, trained: TrainedModel): string {
  if (model === 'wordpiece') {
    const tokens = [...BERT_SPECIAL_TOKENS, ...trained.tokens];
    return wordPieceJson(new Map(tokens.map((token, id) => [token, id])), { lowercase });
  }
  const tokens = [...SENTENCE_PIECE_TOKENS, ...trained.tokens];
  if (model === 'unigram') {
    const specials = SENTENCE_PIECE_TOKENS.length;
    const vocab = tokens.map((token, id) => [token, id < specials ? 0 : trained.scores![id - specials]]);
    return sentencePieceJson({ type: 'Unigram', unk_id: 3, vocab }, lowercase);
  }
  return sentencePieceJson(
    {
      type: 'BPE',
      dropout: null,
      unk_token: '<unk>',
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: trained.merges ?? [],
    },
    lowercase,
  );
}

interface TrainedModel {
  readonly tokens: readonly string[];
  readonly scores?: readonly number[];
  readonly merges?: readonly (readonly [string, string])[];
}

/**
 * Trains a tokenizer; the same texts, in whatever order, give the same bytes.
 *
 * The alphabet covers 99.95 % of the characters and takes at most half of the vocabulary.
 *
 * @throws ModelError `INPUT_TOKENIZER` if there is no text, or the vocabulary is too small to hold an alphabet.
 * @example
 * const tokenizer = await trainTokenizer(['red apple', 'roter Apfel'], { vocabularySize: 60 });
 */
export async function trainTokenizer(
  texts: Iterable<string> | AsyncIterable<string>,
  options: TrainTokenizerOptions,
): Promise<Tokenizer> {
  const { vocabularySize, model = 'unigram', lowercase = false } = options;
  const specials: readonly string[] = model === 'wordpiece' ? BERT_SPECIAL_TOKENS : SENTENCE_PIECE_TOKENS;
  const room = vocabularySize - specials.length;
  if (!Number.isSafeInteger(vocabularySize) || room < 2) {
    throw new ModelError(
      'INPUT_TOKENIZER',
      `vocabulary size ${vocabularySize}: expected a whole number of at least ${specials.length + 2} (${specials.length} special tokens and text); choose some thousands`,
    );
  }
  const splitter = readTokenizerJson(tokenizerJson(model, lowercase, { tokens: [], scores: [] }));
  const pace = new Pace(options.onProgress);
  const words = await countWords(texts, (chunk) => splitter.split(chunk), pace);
  if (words.length === 0) {
    throw new ModelError(
      'INPUT_TOKENIZER',
      'no text to train a tokenizer on; give at least one that is not blank',
    );
  }
  const alphabet = chooseAlphabet(words, Math.ceil(room / 2));
  let trained: TrainedModel;
  if (model === 'unigram') {
    const pieces = await trainUnigram(words, alphabet, room, pace);
    trained = { tokens: pieces.map(({ piece }) => piece), scores: pieces.map(({ score }) => score) };
  } else {
    const continuation = model === 'wordpiece' ? '##' : '';
    const { symbols, merges } = await trainMerges(words, alphabet, room, continuation, pace);
    trained = { tokens: symbols, merges };
  }
  // A word of the texts that reads like a special token is that token already.
  const taken = new Set(specials);
  const kept = trained.tokens.map((token) => !taken.has(token));
  if (kept.includes(false)) {
    trained = {
      tokens: trained.tokens.filter((_, i) => kept[i]),
      ...(trained.scores !== undefined && { scores: trained.scores.filter((_, i) => kept[i]) }),
      ...(trained.merges !== undefined && { merges: trained.merges }),
    };
  }
  return Tokenizer.fromJson(tokenizerJson(model, lowercase, trained), `trained ${model} tokenizer`);
}
