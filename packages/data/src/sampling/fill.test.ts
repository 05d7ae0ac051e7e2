import { expect, test } from 'vitest';
import { Random } from '../random.js';
import type { Row } from '../rows.js';
import { TrainingSet } from '../training-set.js';
import { fillBatch } from './fill.js';
import { collectStrata, StratumCursor } from './strata.js';

const row = (id: string): Row => ({ id, parallelId: id, text: id, lang: 'en', dataset: 'd', domain: 'm' });

/** Question c has both passages: with either of its pairs in the batch, no second pair fits. */
const set = TrainingSet.from(
  [
    ['a', 'pa'],
    ['b', 'pb'],
    ['c', 'pa'],
    ['c', 'pb'],
  ].map(([query, passage]) => ({ query: row(query!), passage: row(passage!), negatives: [] })),
);
const [stratum] = collectStrata(set) as [ReturnType<typeof collectStrata>[number]];

function fill(size: number, seed: number) {
  const cursor = new StratumCursor(stratum, seed);
  const node = { label: '', size: stratum.size, children: [], stratum };
  const before = cursor.state();
  const filled = fillBatch(set, node, size, new Random(seed), () => cursor);
  return { filled, before, after: cursor.state() };
}

test('what was met and is not in the batch waits, also what was given back', () => {
  let checked = 0;
  for (let seed = 0; seed < 40; seed++) {
    const { filled, after } = fill(2, seed);
    const drawn = 'drawn' in filled ? filled.drawn.map(({ item }) => item) : [];
    expect(drawn.toSorted()).toEqual([0, 1]);
    // In a second epoch what waits is passed by, so that positions count no items.
    if (after.epoch > 0) continue;
    expect(new Set([...drawn, ...after.deferred]).size).toBe(after.position);
    checked++;
  }
  expect(checked).toBeGreaterThan(10);
});

test('a batch that cannot be filled leaves the walks where they stood, and says how far it came', () => {
  const { filled, before, after } = fill(3, 1);
  expect(filled).toEqual({ found: 2 });
  expect(after).toEqual(before);
});
