import { expect, test } from 'vitest';
import { reversalStrength } from './objective-languages.js';

test('the reversal grows as its schedule says', () => {
  const at = (schedule: 'ganin' | 'linear' | 'constant') =>
    [0, 0.1, 0.5, 1].map((progress) => reversalStrength({ lambda: 2, schedule, gamma: 10 }, progress));
  expect(at('constant')).toEqual([2, 2, 2, 2]);
  expect(at('linear')).toEqual([0, 0.2, 1, 2]);
  // tanh(γ p / 2) by another name.
  const ganin = [0, 0.1, 0.5, 1].map((progress) => 2 * Math.tanh(5 * progress));
  at('ganin').forEach((value, index) => {
    expect(value).toBeCloseTo(ganin[index] as number, 12);
  });
});
