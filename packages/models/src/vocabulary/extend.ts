/**
 * New rows for languages that a vocabulary covers badly: pieces are trained on their text, the ones that
 * save most tokens are added, and their rows start from what the model knows.
 *
 * Source: vocabulary augmentation, Chau & Smith 2021 (arXiv 2106.09063), who train pieces on the language's
 * text and add those that occur most. The choice by tokens saved, and the rows' start, are ours.
 */
import { freshParameters } from '@synglot/nn';
import { readTokenizerJson } from '#tokenizer-library';
import type { Checkpoint } from '../checkpoint.js';
import { ModelError } from '../errors.js';
import { Tokenizer } from '../tokenizer.js';
import { trainMerges } from '../training/byte-pair.js';
import { Pace, type TokenizerProgress } from '../training/pace.js';
import { trainUnigram } from '../training/unigram.js';
import { type CountedWord, chooseAlphabet, countWords } from '../training/words.js';
import { withRows } from './rows.js';
import { Segmenter } from './segment.js';
import { type Vocabulary, vocabularyOf, withTokens } from './tokenizer-json.js';

/** A token that was added, and the old tokens that its row is the mean of; none: its row is random. */
export interface AddedToken {
  readonly token: string;
  /** `overlap`: the same letters, in another place of the word or another case. */
  readonly from: 'overlap' | 'pieces' | 'random';
  readonly ids: readonly number[];
}

/** A tokenizer with more tokens, and which are new. */
export interface ExtendedVocabulary {
  readonly tokenizer: Tokenizer;
  /** In the order of their ids, which follow the old ones. */
  readonly added: readonly AddedToken[];
  /** Ids before. */
  readonly oldSize: number;
}

/** Options of {@link extendVocabulary}. */
export interface ExtendOptions {
  /** Most tokens to add. */
  readonly tokens: number;
  /** Told now and then how far the search for new tokens is. */
  readonly onProgress?: (progress: TokenizerProgress) => void;
}

/** Pieces trained per token added: many of them are in the vocabulary already. */
const trainedPerToken = 4;
/** How much likelier a new piece is than the pieces that it replaces (logarithm). */
const advantage = 0.01;

/**
 * Adds tokens for the language of some texts. Texts in which no new token occurs keep their tokens, but a
 * new token may occur in other languages too.
 *
 * @throws ModelError `INPUT_TOKENIZER` for BPE, and where the texts need no new token
 */
export async function extendVocabulary(
  tokenizer: Tokenizer,
  texts: Iterable<string> | AsyncIterable<string>,
  options: ExtendOptions,
): Promise<ExtendedVocabulary> {
  const vocabulary = vocabularyOf(tokenizer);
  const old = new Segmenter(vocabulary);
  const pace = new Pace(options.onProgress);
  const words = await wordsOf(tokenizer, texts, pace);
  const pieces = await trainPieces(words, vocabulary, options.tokens, pace);
  const candidates = pieces.filter((piece) => old.idOf(piece) === undefined);
  // Letters first, so that other words of the language can be written too.
  const letters = unknownLetters(words, vocabulary, old).slice(0, Math.ceil(options.tokens / 2));
  const saving = await mostSaving(words, vocabulary, candidates, old, pace);
  const chosen = [...new Set([...letters, ...saving])].slice(0, options.tokens);
  if (chosen.length === 0) {
    throw new ModelError(
      'INPUT_TOKENIZER',
      `${tokenizer.source}: splits these texts as well as new tokens would; nothing to add`,
    );
  }
  const oldSize = tokenizer.vocabularySize;
  // A gap in the ids cannot be kept, and without it the rows after it would move.
  if (vocabulary.tokens.length !== oldSize || vocabulary.tokens.includes(undefined)) {
    throw new ModelError(
      'INPUT_TOKENIZER',
      `${tokenizer.source}: its ids have gaps; close them first with 'synglot vocabulary trim'`,
    );
  }
  const list = [
    ...vocabulary.tokens.keys(),
    ...chosen.map((token) => ({
      token,
      score: Math.max(old.leastScore, old.split(token).score + advantage),
    })),
  ];
  const files = withTokens(tokenizer, vocabulary, list);
  const added = chosen.map((token) => originOf(token, vocabulary, old));
  return {
    tokenizer: await Tokenizer.fromJson(files.tokenizer, tokenizer.source, files.config),
    added,
    oldSize,
  };
}

/** The checkpoint with the new rows; `seed` is for those that no old row says anything about. */
export function withExtendedVocabulary(
  checkpoint: Checkpoint,
  { tokenizer, added, oldSize }: ExtendedVocabulary,
  seed = 0,
): Checkpoint {
  const size = oldSize + added.length;
  const table = 'embeddings.word_embeddings.weight';
  const { hiddenSize } = checkpoint.config;
  const fresh = freshParameters(checkpoint.config, [{ name: table, shape: [size, hiddenSize] }], seed);
  return withRows(checkpoint, tokenizer, size, async (id, oldRow) => {
    if (id < oldSize) return oldRow(id);
    const { ids } = added[id - oldSize] as AddedToken;
    if (ids.length === 0) return fresh(table, id, id + 1);
    const mean = new Float32Array(hiddenSize);
    for (const other of ids) {
      const row = await oldRow(other);
      for (let column = 0; column < hiddenSize; column++)
        mean[column]! += (row[column] as number) / ids.length;
    }
    return mean;
  });
}

/** Words as the tokenizer itself normalises and splits them. */
async function wordsOf(
  tokenizer: Tokenizer,
  texts: Iterable<string> | AsyncIterable<string>,
  pace: Pace,
): Promise<CountedWord[]> {
  const library = readTokenizerJson(tokenizer.files.tokenizer);
  const words = await countWords(texts, (chunk) => library.split(chunk), pace);
  if (words.length > 0) return words;
  throw new ModelError(
    'INPUT_TOKENIZER',
    'no text to find new tokens in; give at least one that is not blank',
  );
}

/** Characters of the texts for which there is no token; for WordPiece each in both its forms. */
function unknownLetters(words: readonly CountedWord[], { continuing }: Vocabulary, old: Segmenter): string[] {
  return chooseAlphabet(words, Number.POSITIVE_INFINITY)
    .map((letter) => (continuing === '' ? [letter] : [letter, continuing + letter]))
    .filter((forms) => forms.every((form) => old.idOf(form) === undefined))
    .flat();
}

async function trainPieces(
  words: CountedWord[],
  vocabulary: Vocabulary,
  tokens: number,
  pace: Pace,
): Promise<readonly string[]> {
  const alphabet = chooseAlphabet(words, Number.POSITIVE_INFINITY);
  const room = alphabet.length * 2 + tokens * trainedPerToken;
  if (vocabulary.kind === 'unigram') {
    return (await trainUnigram(words, alphabet, room, pace)).map(({ piece }) => piece);
  }
  return (await trainMerges(words, alphabet, room, vocabulary.continuing, pace)).symbols;
}

/** Candidates that save tokens, most first; uses are counted with all candidates in the vocabulary. */
async function mostSaving(
  words: readonly CountedWord[],
  vocabulary: Vocabulary,
  candidates: readonly string[],
  old: Segmenter,
  pace: Pace,
): Promise<string[]> {
  const scores = vocabulary.scores
    ? [
        ...vocabulary.scores,
        ...candidates.map((piece) => Math.max(old.leastScore, old.split(piece).score + advantage)),
      ]
    : undefined;
  const all = new Segmenter({
    ...vocabulary,
    tokens: [...vocabulary.tokens.slice(0, scores ? vocabulary.scores?.length : undefined), ...candidates],
    ...(scores ? { scores } : {}),
  });
  const first = scores ? (vocabulary.scores?.length ?? 0) : vocabulary.tokens.length;
  const counts = new Float64Array(candidates.length);
  pace.begin('words', words.length);
  for (const { characters, count } of words) {
    for (const id of all.split(characters.join('')).ids)
      if (id !== undefined && id >= first) counts[id - first]! += count;
    pace.done++;
    if (pace.isDue) await pace.pause();
  }
  const saving = candidates.map((piece, index) => {
    const { ids } = old.split(piece);
    // An unknown token carries no meaning: a token in its place is worth more than a shorter text.
    const worth = ids.includes(undefined) ? ids.length + 1 : ids.length - 1;
    return { piece, saved: (counts[index] as number) * worth };
  });
  return saving
    .filter(({ saved }) => saved > 0)
    .sort((a, b) => b.saved - a.saved || (a.piece < b.piece ? -1 : 1))
    .map(({ piece }) => piece);
}

function originOf(token: string, { kind, continuing }: Vocabulary, old: Segmenter): AddedToken {
  const mark = kind === 'unigram' ? '▁' : continuing;
  const bare = mark !== '' && token.startsWith(mark) ? token.slice(mark.length) : token;
  const forms = [bare, bare.toLowerCase()].flatMap((form) => [form, mark + form]);
  for (const form of forms) {
    const id = form === '' ? undefined : old.idOf(form);
    if (id !== undefined) return { token, from: 'overlap', ids: [id] };
  }
  const ids = old.knownPieces(token);
  return { token, from: ids.length > 0 ? 'pieces' : 'random', ids };
}
