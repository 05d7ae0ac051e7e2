import { expect, test } from 'vitest';
import { meanInterval, studentQuantile } from './interval.js';

test('the interval of three values, worked out by hand', () => {
  // Mean 2, standard deviation 1, t(2) = 4.3027: half = 4.3027 / √3.
  const { mean, low, high } = meanInterval([1, 2, 3])!;
  expect(mean).toBe(2);
  expect(high! - mean).toBeCloseTo(2.48416, 4);
  expect(mean - low!).toBeCloseTo(2.48416, 4);
});

test('one value has no interval, none has no mean', () => {
  expect(meanInterval([0.5])).toEqual({ mean: 0.5, low: null, high: null, values: [0.5] });
  expect(meanInterval([])).toBeNull();
});

test("Student's quantiles of tables", () => {
  for (const [degrees, quantile] of [
    [1, 12.7062],
    [30, 2.0423],
    [31, 2.0395],
    [40, 2.0211],
    [60, 2.0003],
    [120, 1.9799],
    [1e6, 1.96],
  ] as const) {
    expect(Math.abs(studentQuantile(degrees) - quantile)).toBeLessThan(1e-4);
  }
  // Where the table ends and the expansion begins (scipy.stats.t.ppf).
  expect(studentQuantile(31)).toBeCloseTo(2.0395134, 5);
});
