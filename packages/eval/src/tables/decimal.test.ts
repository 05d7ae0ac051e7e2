import { expect, test } from 'vitest';
import { decimal, rounded } from './decimal.js';

test.each([
  [0.03125, 4, '0.0312'],
  [0.09375, 4, '0.0938'],
  [0.00005, 4, '0.0001'],
  [-0.03125, 4, '-0.0312'],
  [1 / 3, 4, '0.3333'],
  [2, 4, '2.0000'],
  [-358, 4, '-358.0000'],
  [1 / 64, 5, '0.01562'],
  [3 / 64, 5, '0.04688'],
  [0.000155, 5, '0.00015'],
])('%d with %d decimals is printed as %s', (value, digits, printed) => {
  expect(rounded(value, digits)).toBe(printed);
});

test('a table rounds likewise, has no zero with a sign, and a dash for what is not there', () => {
  expect([0.03125, -0.03125, -1e-17, -0, null, undefined].map((value) => decimal(value, 4))).toEqual([
    '0.0312',
    '-0.0312',
    '0.0000',
    '0.0000',
    '-',
    '-',
  ]);
  expect([-0.04, -0.06, -100].map((value) => decimal(value, 1))).toEqual(['0.0', '-0.1', '-100.0']);
});
