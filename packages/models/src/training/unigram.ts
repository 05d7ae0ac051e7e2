/**
 * A unigram vocabulary: many candidate substrings, their probabilities by expectation maximisation, and the
 * least useful ones dropped until few enough are left.
 * Source: Kudo 2018, arXiv:1804.10959, with SentencePiece's choices. Same input, same result.
 */

import { Lattices, Trie } from './lattice.js';
import { type CountedWord, compareTexts } from './words.js';

/** Longest piece in characters; SentencePiece's default. */
const MAX_PIECE = 16;
/** Words whose substrings are candidates, the most frequent first: bounds memory on large corpora. */
const SEED_WORDS = 200_000;
/** Candidates per wanted piece. */
const SEEDS_PER_PIECE = 10;
/** Share of the pieces that survives one round. */
const SHRINK = 0.75;
/** Pieces expected less often than this are dropped at once. */
const MIN_EXPECTED = 0.5;

export interface UnigramPiece {
  readonly piece: string;
  /** Natural logarithm of its probability. */
  readonly score: number;
}

/** ψ(x) for x > 0: by recurrence up to 7, then the asymptotic series. */
function digamma(x: number): number {
  let result = 0;
  let at = x;
  for (; at < 7; at++) result -= 1 / at;
  at -= 0.5;
  const square = 1 / (at * at);
  return (
    result +
    Math.log(at) +
    square / 24 -
    (7 / 960) * square ** 2 +
    (31 / 8064) * square ** 3 -
    (127 / 30720) * square ** 4
  );
}

/** Words parted at characters outside the alphabet. */
function keepAlphabet(words: readonly CountedWord[], alphabet: readonly string[]): CountedWord[] {
  const known = new Set(alphabet);
  const kept: CountedWord[] = [];
  for (const { characters, count } of words) {
    let run: string[] = [];
    for (const character of [...characters, undefined]) {
      if (character !== undefined && known.has(character)) run.push(character);
      else if (run.length > 0) {
        kept.push({ characters: run, count });
        run = [];
      }
    }
  }
  return kept;
}

/** The substrings that cover most text (occurrences × length), and all single characters. */
function seedPieces(
  words: readonly CountedWord[],
  alphabet: readonly string[],
  size: number,
): [string, number][] {
  const counts = new Map<string, number>(alphabet.map((character) => [character, 0]));
  const frequent = [...words].sort((a, b) => b.count - a.count).slice(0, SEED_WORDS);
  for (const { characters, count } of frequent) {
    for (let begin = 0; begin < characters.length; begin++) {
      let piece = '';
      for (let end = begin; end < characters.length && end < begin + MAX_PIECE; end++) {
        piece += characters[end];
        counts.set(piece, (counts.get(piece) ?? 0) + count);
      }
    }
  }
  const singles = new Set(alphabet);
  const longer: [string, number][] = [];
  for (const [piece, count] of counts) {
    if (count >= 2 && !singles.has(piece)) longer.push([piece, count * [...piece].length]);
  }
  longer.sort(([a, n], [b, m]) => m - n || compareTexts(a, b));
  const characters = alphabet.map((character): [string, number] => [
    character,
    Math.max(1, counts.get(character)!),
  ]);
  return [...characters, ...longer.slice(0, Math.max(0, size - alphabet.length))];
}

/** Scores from weights: logarithms of their shares. */
function logShares(weights: Iterable<number>): Float64Array {
  const values = Float64Array.from(weights);
  const total = Math.log(values.reduce((sum, value) => sum + value, 0));
  return values.map((value) => Math.log(value) - total);
}

/** One round of expectation maximisation; a piece hardly ever used gets −∞, a single character never. */
function maximize(
  lattices: Lattices,
  words: readonly CountedWord[],
  scores: Float64Array,
  singles: number,
): void {
  const expected = new Float64Array(scores.length);
  for (let i = 0; i < lattices.size; i++) lattices.addExpected(i, scores, words[i]!.count, expected);
  let sum = 0;
  for (let piece = 0; piece < scores.length; piece++) {
    if (piece < singles) expected[piece] = Math.max(expected[piece]!, MIN_EXPECTED);
    if (expected[piece]! < MIN_EXPECTED) expected[piece] = 0;
    sum += expected[piece]!;
  }
  const total = digamma(sum);
  for (let piece = 0; piece < scores.length; piece++) {
    scores[piece] = expected[piece] === 0 ? Number.NEGATIVE_INFINITY : digamma(expected[piece]!) - total;
  }
}

/** Loss of likelihood per piece if it were cut into others instead; +∞ where it cannot be. */
function removalLosses(
  lattices: Lattices,
  ofPieces: Lattices,
  words: readonly CountedWord[],
  scores: Float64Array,
  singles: number,
): Float64Array {
  const uses = new Float64Array(scores.length);
  let total = 0;
  for (let i = 0; i < lattices.size; i++) {
    const { count } = words[i]!;
    for (const piece of lattices.bestPath(i, scores)) {
      uses[piece] = uses[piece]! + count;
      total += count;
    }
  }
  const losses = new Float64Array(scores.length).fill(Number.NEGATIVE_INFINITY);
  for (let piece = 0; piece < scores.length; piece++) {
    if (piece < singles) losses[piece] = Number.POSITIVE_INFINITY;
    const use = uses[piece]!;
    if (piece < singles || use === 0 || scores[piece] === Number.NEGATIVE_INFINITY) continue;
    const others = ofPieces.bestPath(piece, scores, piece);
    // Without the piece its uses pass to the others, and the total grows by one less than their number.
    const totalWithout = Math.log(total + use * (others.length - 1));
    let without = 0;
    for (const other of others) without += Math.log(uses[other]! + use) - totalWithout;
    losses[piece] = use * (Math.log(use) - Math.log(total) - without);
  }
  return losses;
}

/**
 * Trains a unigram vocabulary.
 *
 * @param alphabet - characters to keep, each of which becomes a piece
 * @param size - most pieces, the alphabet included
 * @returns pieces, likeliest first
 */
export function trainUnigram(
  allWords: readonly CountedWord[],
  alphabet: readonly string[],
  size: number,
): UnigramPiece[] {
  const words = keepAlphabet(allWords, alphabet);
  const seeds = seedPieces(words, alphabet, size * SEEDS_PER_PIECE);
  const pieces = seeds.map(([piece]) => piece);
  const singles = alphabet.length;
  const scores = logShares(seeds.map(([, weight]) => weight));
  // Built once: pieces only ever leave, by a score of −∞.
  const trie = new Trie(pieces);
  const lattices = new Lattices(
    words.map(({ characters }) => characters),
    trie,
  );
  const ofPieces = new Lattices(
    pieces.map((piece) => [...piece]),
    trie,
  );

  const living = () =>
    scores.reduce((count, score) => count + (score === Number.NEGATIVE_INFINITY ? 0 : 1), 0);
  // A tenth more than wanted until the end, where the likeliest are taken.
  const enough = Math.ceil(size * 1.1);
  for (;;) {
    maximize(lattices, words, scores, singles);
    maximize(lattices, words, scores, singles);
    const count = living();
    if (count <= enough) break;
    const losses = removalLosses(lattices, ofPieces, words, scores, singles);
    const order = Array.from(pieces, (_, piece) => piece)
      .filter((piece) => scores[piece] !== Number.NEGATIVE_INFINITY)
      .sort((a, b) => (losses[a] === losses[b] ? a - b : losses[b]! - losses[a]!));
    const keep = Math.max(enough, Math.floor(count * SHRINK));
    for (const piece of order.slice(keep)) scores[piece] = Number.NEGATIVE_INFINITY;
  }
  const byScore = (a: number, b: number) => scores[b]! - scores[a]! || a - b;
  const longer = Array.from(pieces, (_, piece) => piece)
    .slice(singles)
    .filter((piece) => scores[piece] !== Number.NEGATIVE_INFINITY)
    .sort(byScore)
    .slice(0, Math.max(0, size - singles));
  return [...Array.from({ length: singles }, (_, piece) => piece), ...longer]
    .sort(byScore)
    .map((piece) => ({ piece: pieces[piece]!, score: scores[piece]! }));
}
