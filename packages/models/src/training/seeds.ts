/**
 * The candidates that unigram training starts from: the substrings of frequent words that cover most text. It gives
 * them no probabilities.
 */
import { Pace } from './pace.js';
import { type CountedWord, compareTexts } from './words.js';

/** Longest piece in characters; SentencePiece's default. */
const MAX_PIECE = 16;
/** How many words, the most frequent ones, give candidates: bounds memory on large corpora. */
const SEED_WORDS = 200_000;
/** Substrings that are counted at a time. A map holds 2²⁴ of them, and text without spaces has more. */
const MOST_COUNTED = 15_000_000;

/** The substrings that cover most text (occurrences × length), and all single characters first. */
export async function seedPieces(
  words: readonly CountedWord[],
  alphabet: readonly string[],
  size: number,
  pace = new Pace(),
): Promise<[piece: string, weight: number][]> {
  const counts = await countSubstrings(words, alphabet, pace);
  const singles = new Set(alphabet);
  const wanted = Math.max(0, size - alphabet.length);
  const weights = new Float64Array(counts.size);
  let index = 0;
  for (const [piece, count] of counts) {
    weights[index++] = count >= 2 && !singles.has(piece) ? count * [...piece].length : 0;
  }
  // Sorting millions by text for the best hundred thousand is slow, so only those that can be among them are sorted.
  const least = wanted === 0 ? Number.POSITIVE_INFINITY : (weights.toSorted().at(-wanted) ?? 0);
  const longer: [string, number][] = [];
  index = 0;
  for (const piece of counts.keys()) {
    const weight = weights[index++]!;
    if (weight > 0 && weight >= least) longer.push([piece, weight]);
  }
  longer.sort(([a, n], [b, m]) => m - n || compareTexts(a, b));
  const characters = alphabet.map((character): [string, number] => [
    character,
    Math.max(1, counts.get(character)!),
  ]);
  return [...characters, ...longer.slice(0, wanted)];
}

/**
 * How often each substring occurs. Where there are more than `most`, the rarest of those counted so far are forgotten
 * (lossy counting, Manku & Motwani 2002), the same ones for the same words.
 */
export async function countSubstrings(
  words: readonly CountedWord[],
  alphabet: readonly string[],
  pace = new Pace(),
  most = MOST_COUNTED,
): Promise<Map<string, number>> {
  const counts = new Map<string, number>(alphabet.map((character) => [character, 0]));
  const singles = new Set(alphabet);
  const frequent = [...words].sort((a, b) => b.count - a.count).slice(0, SEED_WORDS);
  for (const { characters, count } of frequent) {
    for (let begin = 0; begin < characters.length; begin++) {
      let piece = '';
      for (let end = begin; end < characters.length && end < begin + MAX_PIECE; end++) {
        piece += characters[end];
        counts.set(piece, (counts.get(piece) ?? 0) + count);
      }
      for (let rare = 1; counts.size > most; rare *= 2) {
        for (const [piece, times] of counts) {
          if (times <= rare && !singles.has(piece)) counts.delete(piece);
        }
      }
    }
    if (pace.isDue) await pace.pause();
  }
  return counts;
}
