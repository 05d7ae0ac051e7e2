import { expect, test } from 'vitest';
import { seeded } from '../testing/random.js';
import { ranksOfRelevant } from './ranks.js';
import { referenceScorer } from './scorer.js';
import { compareUtf8, tieOrder } from './tie-order.js';
import { topK } from './top-k.js';

test('ids are compared as UTF-8 bytes, not as UTF-16 units', () => {
  const ids = ['b', 'a', 'ab', '', 'é', '\uffee', '😀', 'a\u0000', '10', '9'];
  const byBytes = [...ids].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  expect([...ids].sort(compareUtf8)).toEqual(byBytes);
  expect(byBytes.indexOf('😀')).toBeGreaterThan(byBytes.indexOf('\uffee'));
  const ascending = tieOrder(ids, 'id-ascending');
  expect(ids.map((_, i) => ids[ascending.indexOf(i)])).toEqual(byBytes);
  const descending = tieOrder(ids, 'id-descending');
  expect(ids.map((_, i) => ids[descending.indexOf(i)])).toEqual(byBytes.reverse());
});

test('ties rank by the tie order: hand-computed', () => {
  const ids = ['d1', 'd2', 'd3', 'd4', 'd5'];
  const scores = Float32Array.of(9, 0.5, 0.7, 0.5, 0.5, 0.9); // this query's begin at 1
  const pool = Uint32Array.of(0, 1, 2, 3, 4);
  const relevant = Uint32Array.of(0, 3);
  // Ascending: d5 d2 d1 d3 d4; descending: d5 d2 d4 d3 d1.
  const ascending = tieOrder(ids, 'id-ascending');
  expect([...ranksOfRelevant(scores, 1, pool, relevant, ascending)]).toEqual([3, 5]);
  expect([...topK(scores, 1, pool, 4, ascending)]).toEqual([4, 1, 0, 2]);
  const descending = tieOrder(ids, 'id-descending');
  expect([...ranksOfRelevant(scores, 1, pool, relevant, descending)]).toEqual([3, 5]);
  expect([...ranksOfRelevant(scores, 1, pool, Uint32Array.of(2), descending)]).toEqual([4]);
  expect([...topK(scores, 1, pool, 4, descending)]).toEqual([4, 1, 3, 2]);
});

test('nothing relevant has no ranks, an empty pool no top', () => {
  const scores = Float32Array.of(1, 2);
  const ties = Uint32Array.of(0, 1);
  expect(ranksOfRelevant(scores, 0, Uint32Array.of(0, 1), new Uint32Array(), ties)).toHaveLength(0);
  expect(topK(scores, 0, new Uint32Array(), 10, ties)).toHaveLength(0);
});

test('ranks and top k equal those of a full sort, on random scores with many ties', () => {
  const random = seeded(7);
  const below = (n: number) => Math.floor(random() * n);
  for (let round = 0; round < 2000; round++) {
    const total = 1 + below(40);
    const offset = below(3);
    const levels = 1 + below(round % 2 === 0 ? 4 : 1000);
    const scores = Float32Array.from({ length: offset + total }, () => below(levels) - levels / 2);
    if (round % 50 === 0) scores[offset] = Number.NEGATIVE_INFINITY;
    if (round % 70 === 0) scores[offset + total - 1] = Number.POSITIVE_INFINITY;
    const ids = Array.from({ length: total }, (_, i) => `d${(i * 7919) % 997}`);
    const ties = tieOrder(ids, round % 3 === 0 ? 'id-ascending' : 'id-descending');
    const pool = Uint32Array.from({ length: total }, (_, i) => i).filter(() => random() < 0.8);
    const relevant = pool.filter(() => random() < 0.3);

    const sorted = Array.from(pool).sort((a, b) => {
      const x = scores[offset + a]!;
      const y = scores[offset + b]!;
      return x === y ? ties[a]! - ties[b]! : x < y ? 1 : -1;
    });
    const expected = sorted.flatMap((passage, i) => (relevant.includes(passage) ? [i + 1] : []));
    expect([...ranksOfRelevant(scores, offset, pool, relevant, ties)]).toEqual(expected);
    const k = 1 + below(12);
    expect([...topK(scores, offset, pool, k, ties)]).toEqual(sorted.slice(0, k));
  }
});

test('the reference scorer computes dot products, rounded once', async () => {
  const scores = await referenceScorer.score(
    Float32Array.of(1, 2, 3, 4),
    Float32Array.of(5, 6, 1e8, 1, -1e8, 0),
    2,
  );
  expect([...scores]).toEqual([17, Math.fround(1e8 + 2), -1e8, 39, Math.fround(3e8 + 4), -3e8]);
});
