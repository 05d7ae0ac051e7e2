/**
 * Byte-pair merges: joins the most frequent pair of neighbours again and again.
 * Serves BPE and WordPiece vocabularies. Ties go to the pair with the lower ids, so one input has one result.
 * Source: Sennrich et al. 2016, arXiv:1508.07909.
 */

import { Pace } from './pace.js';
import type { CountedWord } from './words.js';

export interface MergeResult {
  /** Symbols in the order of their ids: the alphabet first, then one per merge. */
  readonly symbols: readonly string[];
  readonly merges: readonly (readonly [string, string])[];
}

/** Pairs are keyed as left × 2²¹ + right; ids stay far below. */
const STRIDE = 1 << 21;

interface Candidate {
  readonly key: number;
  readonly count: number;
}

/** More frequent first, then lower ids. */
function before(a: Candidate, b: Candidate): boolean {
  return a.count > b.count || (a.count === b.count && a.key < b.key);
}

class Heap {
  readonly #items: Candidate[] = [];

  push(item: Candidate): void {
    const items = this.#items;
    let at = items.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(item, items[parent]!)) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = item;
  }

  pop(): Candidate | undefined {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (last === undefined || items.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && before(items[child + 1]!, items[child]!)) child++;
      if (!before(items[child]!, last)) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = last;
    return top;
  }
}

/** How often symbols are neighbours, and in which words they have been. */
class Pairs {
  readonly counts = new Map<number, number>();
  readonly places = new Map<number, Set<number>>();

  /** Counts all neighbours in a word's symbols `by` times more, or less where it is below 0. */
  count(sequence: readonly number[], by: number, word: number): void {
    for (let i = 1; i < sequence.length; i++) {
      const [left, right] = [sequence[i - 1]!, sequence[i]!];
      if (left < 0 || right < 0) continue;
      const key = left * STRIDE + right;
      this.counts.set(key, (this.counts.get(key) ?? 0) + by);
      if (by < 0) continue;
      const words = this.places.get(key);
      if (words === undefined) this.places.set(key, new Set([word]));
      else words.add(word);
    }
  }
}

/** The sequence with `merged` wherever `left` stands before `right`. */
function joined(sequence: readonly number[], left: number, right: number, merged: number): number[] {
  const next: number[] = [];
  for (let i = 0; i < sequence.length; i++) {
    const meets = sequence[i] === left && sequence[i + 1] === right;
    next.push(meets ? merged : sequence[i]!);
    if (meets) i++;
  }
  return next;
}

/**
 * Trains merges until there are `size` symbols, or no pair occurs twice.
 *
 * @param alphabet - characters to keep; others part the words they stand in
 * @param continuation - mark of symbols inside a word: `##` for WordPiece, empty for BPE
 */
export async function trainMerges(
  words: readonly CountedWord[],
  alphabet: readonly string[],
  size: number,
  continuation: string,
  pace = new Pace(),
): Promise<MergeResult> {
  const symbols: string[] = [...alphabet];
  const ids = new Map(symbols.map((symbol, id) => [symbol, id]));
  const known = new Set(alphabet);
  const idOf = (symbol: string): number => {
    let id = ids.get(symbol);
    if (id === undefined) {
      id = symbols.push(symbol) - 1;
      ids.set(symbol, id);
    }
    return id;
  };
  // -1 is a character outside the alphabet: nothing merges across it.
  const sequences = words.map(({ characters }) =>
    characters.map((character, i) =>
      known.has(character) ? idOf(i === 0 ? character : continuation + character) : -1,
    ),
  );

  const pairs = new Pairs();
  const { counts, places } = pairs;
  pace.begin('pieces', size);
  for (const [word, sequence] of sequences.entries()) {
    pairs.count(sequence, words[word]!.count, word);
    if (pace.isDue) await pace.pause();
  }
  const heap = new Heap();
  for (const [key, count] of counts) heap.push({ key, count });

  const merges: [string, string][] = [];
  while (symbols.length < size) {
    pace.done = symbols.length;
    if (pace.isDue) await pace.pause();
    const top = heap.pop();
    if (top === undefined || top.count < 2) break;
    const count = counts.get(top.key) ?? 0;
    if (count !== top.count) {
      // Counts change while a pair waits; it goes back with its present one.
      if (count > 0) heap.push({ key: top.key, count });
      continue;
    }
    const left = Math.floor(top.key / STRIDE);
    const right = top.key % STRIDE;
    const rightText = symbols[right]!;
    const merged = idOf(symbols[left]! + rightText.slice(continuation.length));
    merges.push([symbols[left]!, rightText]);
    const changed = new Set<number>();
    for (const word of places.get(top.key)!) {
      const sequence = sequences[word]!;
      const next = joined(sequence, left, right, merged);
      if (next.length === sequence.length) continue;
      const weight = words[word]!.count;
      pairs.count(sequence, -weight, word);
      pairs.count(next, weight, word);
      for (let i = 1; i < next.length; i++) {
        if (next[i - 1] === merged || next[i] === merged) changed.add(next[i - 1]! * STRIDE + next[i]!);
      }
      sequences[word] = next;
    }
    counts.delete(top.key);
    places.delete(top.key);
    for (const key of changed) {
      const present = counts.get(key);
      if (present !== undefined && present > 0) heap.push({ key, count: present });
    }
  }
  return { symbols, merges };
}
