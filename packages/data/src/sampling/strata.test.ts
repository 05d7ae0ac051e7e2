import { expect, test } from 'vitest';
import { TrainingSet } from '../training-set.js';
import { collectStrata, mostDeferred, StratumCursor } from './strata.js';
import { parallel } from './test-support.js';

function cursorOver(items: number): StratumCursor {
  const [stratum] = collectStrata(TrainingSet.from(parallel({ items, langs: ['en'] })));
  return new StratumCursor(stratum!, 1);
}

test('an item that fits no batch waits once, however often its epochs pass', () => {
  const cursor = cursorOver(5);
  for (let i = 0; i < 10; i++) cursor.take((item) => (item === 3 ? undefined : item));
  expect(cursor.state()).toMatchObject({ epoch: 2, deferred: [3], passedOver: 0 });
  expect(cursor.take((item) => item)).toBe(3);
});

test('beyond the most that may wait, items are given up and counted; the count travels in the state', () => {
  const cursor = cursorOver(mostDeferred + 10);
  const seen: number[] = [];
  cursor.take((item) => {
    seen.push(item);
    return seen.length > mostDeferred + 5 ? item : undefined;
  });
  const state = cursor.state();
  expect(state.deferred).toEqual(seen.slice(0, mostDeferred));
  expect(state.passedOver).toBe(5);
  const other = cursorOver(mostDeferred + 10);
  other.restore(state);
  expect(other.state()).toEqual(state);
});
