/**
 * A unigram vocabulary: many candidate substrings, their probabilities by expectation maximisation, and the
 * least useful ones dropped until few enough are left.
 * Source: Kudo 2018, arXiv:1804.10959, with SentencePiece's choices. Same input, same result.
 */

import { Trie } from '../trie.js';
import { Lattices } from './lattice.js';
import { Pace } from './pace.js';
import { seedPieces } from './seeds.js';
import type { CountedWord } from './words.js';

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

/** Scores from weights: logarithms of their shares. */
function logShares(weights: Iterable<number>): Float64Array {
  const values = Float64Array.from(weights);
  const total = Math.log(values.reduce((sum, value) => sum + value, 0));
  return values.map((value) => Math.log(value) - total);
}

/** One round of expectation maximisation; a piece hardly ever used gets −∞, a single character never. */
async function maximize(
  lattices: Lattices,
  words: readonly CountedWord[],
  scores: Float64Array,
  singles: number,
  pace: Pace,
): Promise<void> {
  const expected = new Float64Array(scores.length);
  for (let i = 0; i < lattices.size; i++) {
    lattices.addExpected(i, scores, words[i]!.count, expected);
    if (pace.isDue) await pace.pause();
  }
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
async function removalLosses(
  lattices: Lattices,
  ofPieces: Lattices,
  words: readonly CountedWord[],
  scores: Float64Array,
  singles: number,
  pace: Pace,
): Promise<Float64Array> {
  const uses = new Float64Array(scores.length);
  let total = 0;
  for (let i = 0; i < lattices.size; i++) {
    const { count } = words[i]!;
    for (const piece of lattices.bestPath(i, scores)) {
      uses[piece] = uses[piece]! + count;
      total += count;
    }
    if (pace.isDue) await pace.pause();
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
    if (pace.isDue) await pace.pause();
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
export async function trainUnigram(
  allWords: readonly CountedWord[],
  alphabet: readonly string[],
  size: number,
  pace = new Pace(),
): Promise<UnigramPiece[]> {
  const words = keepAlphabet(allWords, alphabet);
  // A tenth more than wanted until the end, where the likeliest are taken.
  const enough = Math.ceil(size * 1.1);
  pace.begin('pieces', 0);
  const seeds = await seedPieces(words, alphabet, size * SEEDS_PER_PIECE, pace);
  pace.begin('pieces', Math.max(0, seeds.length - enough));
  const pieces = seeds.map(([piece]) => piece);
  const singles = alphabet.length;
  const scores = logShares(seeds.map(([, weight]) => weight));
  // Built once: pieces only ever leave, by a score of −∞.
  const trie = new Trie(pieces);
  const lattices = new Lattices(trie);
  for (const { characters } of words) {
    lattices.add(characters);
    if (pace.isDue) await pace.pause();
  }
  const ofPieces = new Lattices(trie);
  for (const piece of pieces) {
    ofPieces.add([...piece]);
    if (pace.isDue) await pace.pause();
  }

  const living = () =>
    scores.reduce((count, score) => count + (score === Number.NEGATIVE_INFINITY ? 0 : 1), 0);
  for (;;) {
    await maximize(lattices, words, scores, singles, pace);
    await maximize(lattices, words, scores, singles, pace);
    const count = living();
    pace.done = seeds.length - count;
    if (count <= enough) break;
    const losses = await removalLosses(lattices, ofPieces, words, scores, singles, pace);
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
