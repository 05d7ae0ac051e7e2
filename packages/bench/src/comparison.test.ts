import { describe, expect, test } from 'vitest';
import { checkAgreement, type Entry, withRatios } from './comparison.js';

const entry = (library: string, median: number, loss: number): Entry => ({
  library,
  version: '1',
  driver: 'd',
  seconds: { median, p10: median, p90: median, runs: 1 },
  cold_start_seconds: 1,
  weights_seconds: 0,
  cpu_seconds: median / 2,
  loss: { first: loss, last: loss - 1 },
  load_before: 0,
});

test('ratios are to the slower of the two runs of synglot', () => {
  const rows = withRatios(
    [
      entry('synglot (native)', 1, 3),
      entry('peer', 6, 3),
      { failed: 'no device', load_before: 0 },
      entry('synglot (native)', 2, 3),
    ],
    12e9,
  );
  expect(rows[1]).toMatchObject({ times_synglot: 3, times_synglot_cpu: 3, gflops_per_second: 2 });
  expect(rows[2]).toEqual({ failed: 'no device', load_before: 0 });
});

describe('agreement', () => {
  test('passes within the tolerance', () => {
    checkAgreement([entry('synglot (native)', 1, 3), entry('peer', 1, 3.0005)]);
  });

  test('fails beyond it, and for what is no number', () => {
    const ours = entry('synglot (native)', 1, 3);
    expect(() => checkAgreement([ours, entry('peer', 1, 3.01)])).toThrow(/peer computes something else/);
    expect(() => checkAgreement([ours, entry('peer', 1, Number.NaN)])).toThrow(/NaN/);
    expect(() => checkAgreement([entry('peer', 1, 3)])).toThrow(/synglot itself/);
  });
});
