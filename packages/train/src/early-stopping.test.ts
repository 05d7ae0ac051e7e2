import { expect, test } from 'vitest';
import { EarlyStopping } from './early-stopping.js';

const counted = (stopping: EarlyStopping, values: readonly number[]) =>
  values.map((value, index) => [stopping.add((index + 1) * 10, value), stopping.stopped]);

test('stops after as many validations in a row as patience says, and knows the best', () => {
  const stopping = new EarlyStopping({ better: 'lower', minDelta: 0, patience: 2 });
  expect(counted(stopping, [3, 2, 2.5, 1.9, 1.9, 2])).toEqual([
    [true, false],
    [true, false],
    [false, false],
    [true, false],
    // Equal is not better.
    [false, false],
    [false, true],
  ]);
  expect(stopping.state()).toEqual({ best_step: 40, best_value: 1.9, since_best: 2 });
});

test('higher may be better, and only by more than min_delta', () => {
  const stopping = new EarlyStopping({ better: 'higher', minDelta: 0.25, patience: 2 });
  expect(counted(stopping, [0.5, 0.75, 0.8, 0.5])).toEqual([
    [true, false],
    [false, false],
    [true, false],
    [false, false],
  ]);
});

test('what is no number is no best that nothing else could beat', () => {
  const stopping = new EarlyStopping({ better: 'lower', minDelta: 0, patience: 2 });
  expect(counted(stopping, [Number.NaN, Number.NaN, 3, Number.NaN, 2, Number.NaN])).toEqual([
    [false, false],
    [false, false],
    [true, false],
    [false, false],
    [true, false],
    [false, false],
  ]);
  expect(stopping.state()).toEqual({ best_step: 50, best_value: 2, since_best: 1 });
});

test('without patience it never stops, and restored it goes on counting', () => {
  const endless = new EarlyStopping({ better: 'lower', minDelta: 0 });
  counted(endless, [1, 2, 3, 4, 5]);
  expect(endless.stopped).toBe(false);
  const stopping = new EarlyStopping({ better: 'lower', minDelta: 0, patience: 6 });
  stopping.restore(endless.state());
  expect([stopping.stopped, stopping.add(60, 9), stopping.add(70, 9), stopping.stopped]).toEqual([
    false,
    false,
    false,
    true,
  ]);
});
