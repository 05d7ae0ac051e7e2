/** Words of a corpus with their counts, and the characters worth keeping. It trains nothing itself. */
import { Pace } from './pace.js';

/** A word cut into characters (code points), and how often it occurs. */
export interface CountedWord {
  readonly characters: readonly string[];
  readonly count: number;
}

/** By UTF-16 code units: the same on every machine, unlike a locale's order. */
export function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Counts the words of texts after normalising and splitting; sorted, so that nothing depends on their order.
 *
 * @param split - normalises and splits a piece of text that holds no white space
 */
export async function countWords(
  texts: Iterable<string> | AsyncIterable<string>,
  split: (chunk: string) => string[],
  pace = new Pace(),
): Promise<CountedWord[]> {
  const chunks = new Map<string, number>();
  pace.begin('texts', Array.isArray(texts) ? texts.length : 0);
  for await (const text of texts) {
    for (const chunk of text.split(/\s+/u)) {
      if (chunk !== '') chunks.set(chunk, (chunks.get(chunk) ?? 0) + 1);
    }
    pace.done++;
    if (pace.isDue) await pace.pause();
  }
  const words = new Map<string, number>();
  pace.begin('words', chunks.size);
  for (const [chunk, count] of chunks) {
    for (const word of split(chunk)) words.set(word, (words.get(word) ?? 0) + count);
    pace.done++;
    if (pace.isDue) await pace.pause();
  }
  // Without a function, texts are sorted by code units.
  return [...words.keys()]
    .sort()
    .map((word) => ({ characters: [...word], count: words.get(word) as number }));
}

/** Share of all characters of a corpus that the alphabet covers; SentencePiece's default. */
const COVERAGE = 0.9995;

/** The most frequent characters, up to the coverage and at most `limit`, in code unit order. */
export function chooseAlphabet(words: readonly CountedWord[], limit: number): string[] {
  const counts = new Map<string, number>();
  let total = 0;
  for (const { characters, count } of words) {
    for (const character of characters) counts.set(character, (counts.get(character) ?? 0) + count);
    total += count * characters.length;
  }
  const byCount = [...counts].sort(([a, n], [b, m]) => m - n || compareTexts(a, b));
  const kept: string[] = [];
  let covered = 0;
  for (const [character, count] of byCount) {
    if (kept.length >= limit || covered >= COVERAGE * total) break;
    kept.push(character);
    covered += count;
  }
  return kept.sort(compareTexts);
}
