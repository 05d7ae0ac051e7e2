/** relu, swish and scale against float64 references: what adapters are made of. */
import type { Executor } from '@synglot/gpu';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openTestExecutor } from '../support/executor.js';
import { canStore, elements, noHalf, storageTolerance, stored } from '../support/half.js';
import {
  rounding as exact,
  expectClose,
  expectRows,
  poisonFrom,
  runKernel,
} from '../support/kernel-harness.js';
import { randomFloats as randomValues } from '../support/random.js';

let executor: Executor;
beforeAll(async () => {
  executor = await openTestExecutor();
});
afterAll(() => executor?.destroy());

/** Rows, live rows, columns, workgroups: single vectors, primes, more work than invocations. */
const shapes = [
  { rows: 1, live: 1, columns: 4, workgroups: 1 },
  { rows: 7, live: 5, columns: 12, workgroups: 1 },
  { rows: 13, live: 13, columns: 44, workgroups: 2 },
  { rows: 11, live: 0, columns: 20, workgroups: 3 },
] as const;

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const forwards = [
  ['relu_forward', (x: number) => Math.max(x, 0)],
  ['swish_forward', (x: number) => x * sigmoid(x)],
] as const;
const backwards = [
  ['relu_backward', (x: number) => (x > 0 ? 1 : 0)],
  ['swish_backward', (x: number) => sigmoid(x) * (1 + x * sigmoid(-x))],
] as const;
/** Zeros of both signs and numbers whose exponential leaves f32 on either side. */
const farValues = Float32Array.of(0, -0, 1e-20, -1e-20, 5.7, -5.7, 88.8, -88.8, 104, -104, 1e4, -1e4);

describe.each(elements)('stored as %s', (element) => {
  beforeEach(({ skip }) => skip(!canStore(executor, element), noHalf));
  const randomFloats = (count: number, seed: number, scale?: number) =>
    stored(randomValues(count, seed, scale), element);
  const rounding = storageTolerance(exact, element);
  const constants = { Element: element };
  const far = stored(farValues, element);
  describe.each(forwards)('%s', (kernel, reference) => {
    test.each(shapes)('$live of $rows rows of $columns', async ({ rows, live, columns, workgroups }) => {
      const x = randomFloats(rows * columns, 1, 4);
      const { y } = await runKernel(executor, kernel, {
        constants,
        bindings: { x: poisonFrom(x, live * columns), y: rows * columns },
        params: { rows, rows_count: 1, columns },
        workgroups: [workgroups],
        step: { counts: { tokens: live } },
      });
      expectRows(y, Float64Array.from(x.subarray(0, live * columns), reference), rounding, kernel);
    });

    test('far from zero and at zero', async () => {
      const { y } = await runKernel(executor, kernel, {
        constants,
        bindings: { x: far, y: far.length },
        params: { rows: 1, rows_count: 0, columns: far.length },
        workgroups: [1],
      });
      expectClose(y, Float64Array.from(far, reference), rounding, kernel);
    });
  });

  describe.each(backwards)('%s', (kernel, derivative) => {
    test.each(shapes)('$live of $rows rows of $columns', async ({ rows, live, columns, workgroups }) => {
      const x = randomFloats(rows * columns, 2, 4);
      const dY = randomFloats(rows * columns, 3);
      const { d_x } = await runKernel(executor, kernel, {
        constants,
        bindings: {
          x: poisonFrom(x, live * columns),
          d_y: poisonFrom(dY, live * columns),
          d_x: rows * columns,
        },
        params: { rows, rows_count: 2, columns },
        workgroups: [workgroups],
        step: { counts: { queries: live } },
      });
      const reference = Float64Array.from(
        dY.subarray(0, live * columns),
        (value, index) => value * derivative(x[index] as number),
      );
      expectRows(d_x, reference, rounding, kernel);
    });

    test('far from zero and at zero', async () => {
      const { d_x } = await runKernel(executor, kernel, {
        constants,
        bindings: { x: far, d_y: new Float32Array(far.length).fill(1), d_x: far.length },
        params: { rows: 1, rows_count: 0, columns: far.length },
        workgroups: [1],
      });
      expectClose(d_x, Float64Array.from(far, derivative), rounding, kernel);
    });
  });

  test.each(shapes)('scale, $live of $rows rows of $columns', async ({ rows, live, columns, workgroups }) => {
    const x = randomFloats(rows * columns, 4);
    const { y } = await runKernel(executor, 'scale', {
      constants,
      bindings: { x: poisonFrom(x, live * columns), y: rows * columns },
      params: { rows, rows_count: 1, columns, factor: 0.75 },
      workgroups: [workgroups],
      step: { counts: { tokens: live } },
    });
    // A product with three quarters is exact or rounded once.
    expectRows(
      y,
      Float64Array.from(x.subarray(0, live * columns), (value) => value * 0.75),
      rounding,
      'scale',
    );
    expect(y?.length).toBe(rows * columns);
  });
});
