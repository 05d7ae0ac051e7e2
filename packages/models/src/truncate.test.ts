import { expect, test } from 'vitest';
import { checkDimension, truncateRows } from './truncate.js';

const vectors = Float32Array.of(3, 4, 12, 0, 0, 5);

test('the first numbers, of length 1 where asked', () => {
  expect([...truncateRows(vectors, 3, 2, false)]).toEqual([3, 4, 0, 0]);
  expect([...truncateRows(vectors, 3, 2, true)]).toEqual([Math.fround(0.6), Math.fround(0.8), 0, 0]);
  expect([...truncateRows(vectors, 3, 3, false)]).toEqual([...vectors]);
});

test('a dimension that the model does not have', () => {
  expect(() => checkDimension(4, 3)).toThrow(/dimension 4: .* have 3 numbers; give 1 to 3/);
  expect(() => checkDimension(0, 3)).toThrow(/dimension 0/);
  checkDimension(3, 3);
});
