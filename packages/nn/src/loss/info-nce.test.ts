import { expect, test } from 'vitest';
import { directionWeights, meanLoss } from './info-nce.js';

const rows = Float32Array.of(1, 2, 3, Number.NaN);
const columns = Float32Array.of(10, 20, 30, Number.NaN);

test('the mean over live queries, of the direction that is asked for', () => {
  expect(meanLoss(rows, columns, 3, 'query-to-passage')).toBe(2);
  expect(meanLoss(rows, columns, 3, 'passage-to-query')).toBe(20);
  expect(meanLoss(rows, columns, 3, 'both')).toBe(11);
});

test('the weights of the directions add up to one', () => {
  for (const direction of ['query-to-passage', 'passage-to-query', 'both'] as const) {
    const { row, column } = directionWeights(direction);
    expect(row + column).toBe(1);
  }
});
