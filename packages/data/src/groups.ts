/**
 * Groups the candidates of a batch that may not be each other's negatives. Not the sampler's rule (see
 * `sampling/guard.ts`): this one holds for batches from anywhere, and for hard negatives.
 */
import { hashNormalisedText } from './hash.js';
import { candidatesOf, type Pair, type Row } from './rows.js';

/**
 * The group of each candidate, in the order of {@link candidatesOf}.
 *
 * Two candidates are in one group if they are the same passage (data set and parallel id: translations),
 * the same text but for case, white space and Unicode form, or answers to one question (data set and
 * parallel id, or the same question text), directly or through others. The group of query `i` is `groups[i]`;
 * a loss leaves out candidate `j ≠ i` for it where `groups[j] === groups[i]`.
 *
 * @returns one number per candidate, from 0, in the order of first occurrence
 */
export function candidateGroups(pairs: readonly Pair[]): Uint32Array {
  const candidates = candidatesOf(pairs);
  const parent = Uint32Array.from(candidates, (_, i) => i);
  const rootOf = (start: number) => {
    let node = start;
    while (parent[node] !== node) {
      parent[node] = parent[parent[node]!]!;
      node = parent[node]!;
    }
    return node;
  };
  /** Joins candidates whose rows, one per candidate, have a key in common. */
  const joinEqual = <Key>(rows: readonly Row[], keyOf: (row: Row) => Key) => {
    const firstWith = new Map<Key, number>();
    rows.forEach((row, candidate) => {
      const key = keyOf(row);
      const first = firstWith.get(key);
      if (first === undefined) firstWith.set(key, candidate);
      else {
        const [a, b] = [rootOf(first), rootOf(candidate)];
        parent[Math.max(a, b)] = Math.min(a, b);
      }
    });
  };
  for (const rows of [candidates, pairs.map(({ query }) => query)]) {
    // The length tells where the data set's name ends.
    joinEqual(rows, ({ dataset, parallelId }) => `${dataset.length} ${dataset}${parallelId}`);
    joinEqual(rows, ({ text }) => hashNormalisedText(text));
  }
  const numbers = new Map<number, number>();
  return Uint32Array.from(candidates, (_, i) => {
    const root = rootOf(i);
    const number = numbers.get(root) ?? numbers.size;
    numbers.set(root, number);
    return number;
  });
}
