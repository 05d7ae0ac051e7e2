import { expect, test } from 'vitest';
import { initialLossScale, LossScaler, nextLossScale } from './loss-scale.js';

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
  // One that begins beyond stays there until it overflows.
  const beyond = initialLossScale({ initial: 2 ** 30 });
  expect(nextLossScale(beyond, false, { growthInterval: 1 }).scale).toBe(2 ** 30);
});

test('a scaler in full precision scales nothing, skips nothing and has no state', () => {
  const scaler = new LossScaler('f32', { initial: 64 });
  scaler.restore({ scale: 8, good: 1, skipped: 3 });
  scaler.advance(scaler.skips(true));
  expect(scaler).toMatchObject({ scale: 1, state: undefined });
  expect(scaler.skips(true)).toBe(false);
  expect(scaler.counted(7)).toBe(7);
});

test('a scaler in mixed precision goes on from a checkpoint, and counts what was not skipped', () => {
  const scaler = new LossScaler('mixed', { initial: 64 });
  expect(scaler.scale).toBe(64);
  scaler.restore({ scale: 8, good: 1, skipped: 3 });
  expect(scaler.counted(7)).toBe(4);
  scaler.advance(scaler.skips(true));
  expect(scaler.state).toEqual({ scale: 4, good: 0, skipped: 4 });
  scaler.restore(undefined);
  expect(scaler.state).toEqual({ scale: 64, good: 0, skipped: 0 });
});

test('an overflow at the smallest scale is not skipped for it', () => {
  const scaler = new LossScaler('mixed', { initial: 2 ** -10 });
  expect(scaler.skips(true)).toBe(false);
});
