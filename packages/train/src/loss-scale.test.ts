import { expect, test } from 'vitest';
import { initialLossScale, nextLossScale } from './loss-scale.js';

test('overflows halve the scale, a run of good updates doubles it', () => {
  const options = { initial: 1024, growthInterval: 3 };
  const overflows = [false, false, true, true, false, false, false, false, false, false, false];
  const scales: number[] = [];
  let state = initialLossScale(options);
  for (const overflow of overflows) {
    state = nextLossScale(state, overflow, options);
    scales.push(state.scale);
  }
  expect(scales).toEqual([1024, 1024, 512, 256, 256, 256, 512, 512, 512, 1024, 1024]);
  expect(state).toEqual({ scale: 1024, good: 1, skipped: 2 });
});

test('an overflow ends the run of good updates', () => {
  const options = { initial: 8, growthInterval: 2 };
  let state = initialLossScale(options);
  for (const overflow of [false, true, false]) state = nextLossScale(state, overflow, options);
  expect(state).toEqual({ scale: 4, good: 1, skipped: 1 });
});

test('the scale does not grow for ever', () => {
  let state = initialLossScale();
  for (let step = 0; step < 40; step++) state = nextLossScale(state, false, { growthInterval: 1 });
  expect(state.scale).toBe(2 ** 24);
});
