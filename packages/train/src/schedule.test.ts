import { expect, test } from 'vitest';
import { learningRateAt, type ScheduleOptions } from './schedule.js';

/** Rates of the updates as transformers 5.23 `get_scheduler` gives them to an optimiser with a rate of 1. */
const transformers: readonly [ScheduleOptions['decay'], number, readonly number[]][] = [
  ['constant', 4, [0, 0.25, 0.5, 0.75, 1, 1, 1, 1, 1, 1]],
  ['constant', 0, [1, 1, 1, 1, 1]],
  ['linear', 4, [0, 0.25, 0.5, 0.75, 1, 0.833333, 0.666667, 0.5, 0.333333, 0.166667]],
  ['linear', 0, [1, 0.8, 0.6, 0.4, 0.2]],
  ['cosine', 4, [0, 0.25, 0.5, 0.75, 1, 0.933013, 0.75, 0.5, 0.25, 0.066987]],
  ['cosine', 0, [1, 0.904508, 0.654508, 0.345492, 0.095492]],
];

test.each(transformers)("%s after a warmup of %i has transformers' rates", (decay, warmupSteps, rates) => {
  const options = { learningRate: 0.5, steps: rates.length, warmupSteps, decay };
  for (const [done, rate] of rates.entries()) {
    expect(learningRateAt(done + 1, options)).toBeCloseTo(rate / 2, 6);
  }
});
