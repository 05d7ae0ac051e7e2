import { expect, test } from 'vitest';
import { seeded } from '../testing/random.js';
import { BestK } from './best-k.js';
import { compareUtf8 } from './tie-order.js';

test('the k best of a stream equal those of a full sort, with many ties', () => {
  const random = seeded(11);
  const below = (n: number) => Math.floor(random() * n);
  for (let round = 0; round < 300; round++) {
    const rows = 1 + below(60);
    const k = 1 + below(8);
    const levels = 1 + below(round % 2 === 0 ? 3 : 200);
    const ties = round % 3 === 0 ? 'id-ascending' : 'id-descending';
    const ids = Array.from({ length: rows }, (_, i) => `d${(i * 7919) % 997}`);
    const scores = [0, 1].map(() => Float32Array.from({ length: rows }, () => below(levels) - levels / 2));
    const best = new BestK(2, k, (row) => ids[row]!, ties);
    for (let first = 0; first < rows; ) {
      const count = Math.min(rows - first, 1 + below(20));
      for (const query of [0, 1]) {
        const block = Float32Array.of(99, ...scores[query]!.subarray(first, first + count), 99);
        best.add(query, block, 1, count, first);
      }
      first += count;
    }
    for (const query of [0, 1]) {
      const own = scores[query]!;
      const sign = ties === 'id-ascending' ? 1 : -1;
      const sorted = Array.from(own.keys()).sort((a, b) =>
        own[a] === own[b] ? sign * compareUtf8(ids[a]!, ids[b]!) : own[b]! - own[a]!,
      );
      const hits = best.hits(query);
      expect([...hits.rows]).toEqual(sorted.slice(0, k));
      expect([...hits.scores]).toEqual(sorted.slice(0, k).map((row) => own[row]));
    }
  }
});
