/** The kernel of exact search that picks the scores which may still be among the k best. */
import type { Executor } from '@synglot/gpu';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestExecutor } from '../support/executor.js';
import { bitsOf, poisonBits, poisonFrom, runKernel } from '../support/kernel-harness.js';
import { randomFloats } from '../support/random.js';

let executor: Executor;
beforeAll(async () => {
  executor = await openTestExecutor();
});
afterAll(() => executor?.destroy());

/** Fewer candidates than invocations, primes, live sizes below the capacities, overflow, nothing found. */
const shapes = [
  { queries: 1, live: 1, candidates: 1, liveCandidates: 1, capacity: 1, threshold: -3e38 },
  { queries: 5, live: 3, candidates: 67, liveCandidates: 61, capacity: 80, threshold: 0 },
  { queries: 3, live: 3, candidates: 1031, liveCandidates: 1031, capacity: 7, threshold: 0.5 },
  { queries: 4, live: 4, candidates: 256, liveCandidates: 200, capacity: 200, threshold: 9 },
] as const;

test.each(shapes)(
  'top_k_candidates: $liveCandidates of $candidates candidates, capacity $capacity, from $threshold on',
  async ({ queries, live, candidates, liveCandidates, capacity, threshold }) => {
    const scores = randomFloats(queries * candidates, 5);
    // Equal to the threshold counts.
    if (liveCandidates > 2) scores[2] = threshold;
    const line = 1 + 2 * capacity;
    const { found } = await runKernel(executor, 'top_k_candidates', {
      bindings: {
        scores: poisonFrom(scores, live * candidates),
        thresholds: new Float32Array(queries).fill(threshold),
        found: queries * line,
      },
      params: { queries, queries_count: 2, candidates, candidates_count: 3, capacity },
      workgroups: [queries],
      step: { counts: { queries: live, candidates: liveCandidates } },
    });
    const bits = bitsOf(found!);
    for (let query = 0; query < queries; query++) {
      const own = bits.subarray(query * line, (query + 1) * line);
      if (query >= live) {
        expect(own.every((value) => value === poisonBits)).toBe(true);
        continue;
      }
      const row = scores.subarray(query * candidates, query * candidates + liveCandidates);
      const expected = Array.from(row.keys()).filter((candidate) => row[candidate]! >= threshold);
      expect(own[0]).toBe(expected.length);
      const kept = Math.min(capacity, expected.length);
      const pairs = Array.from({ length: kept }, (_, i) => [own[1 + 2 * i]!, own[2 + 2 * i]!] as const);
      const indices = pairs.map(([candidate]) => candidate).sort((a, b) => a - b);
      expect(new Set(indices).size).toBe(kept);
      if (expected.length <= capacity) expect(indices).toEqual(expected);
      for (const [candidate, score] of pairs) {
        expect(expected).toContain(candidate);
        expect(score).toBe(bitsOf(row.slice(candidate, candidate + 1))[0]);
      }
      expect(own.subarray(1 + 2 * kept).every((value) => value === poisonBits)).toBe(true);
    }
  },
);
