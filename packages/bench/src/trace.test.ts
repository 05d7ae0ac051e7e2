import { expect, test } from 'vitest';
import { idleShare, traceOf } from './trace.js';

const timing = (beginNs: number, timeNs: number) => ({
  kernel: 'gelu_forward',
  label: 'layer 0 gelu',
  beginNs,
  timeNs,
});

test('idle is what no dispatch covers; overlaps count once', () => {
  expect(idleShare([])).toBe(0);
  expect(idleShare([timing(0, 100)])).toBe(0);
  expect(idleShare([timing(0, 50), timing(75, 25)])).toBe(0.25);
  expect(idleShare([timing(20, 60), timing(0, 50), timing(90, 10)])).toBeCloseTo(0.1, 12);
});

test('a trace has a slice for each dispatch, in microseconds', () => {
  const slices = traceOf('device', [timing(1500, 250)]).traceEvents.slice(2);
  expect(slices).toEqual([
    {
      pid: 1,
      tid: 1,
      ph: 'X',
      name: 'layer 0 gelu',
      cat: 'gelu_forward',
      ts: 1.5,
      dur: 0.25,
      args: { kernel: 'gelu_forward' },
    },
  ]);
});
