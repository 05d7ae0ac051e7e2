/** gelu, tanh, add and dropout against float64 references. */
import type { Executor } from '@synglot/gpu';
import { dropoutFactor, dropoutKey } from '@synglot/nn';
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
import { erf } from '../support/kernel-references.js';
import { randomFloats as randomValues } from '../support/random.js';

let executor: Executor;
beforeAll(async () => {
  executor = await openTestExecutor();
});
afterAll(() => executor?.destroy());

const density = (x: number) => Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
const distribution = (x: number) => 0.5 * (1 + erf(x / Math.SQRT2));

/** Rows, live rows, columns, workgroups: single vectors, primes, more work than invocations. */
const shapes = [
  { rows: 1, live: 1, columns: 4, workgroups: 1 },
  { rows: 7, live: 5, columns: 12, workgroups: 1 },
  { rows: 13, live: 13, columns: 44, workgroups: 2 },
  { rows: 11, live: 0, columns: 20, workgroups: 3 },
] as const;

type Unary = 'gelu_forward' | 'tanh_forward';
const forwards: readonly [Unary, (x: number) => number][] = [
  ['gelu_forward', (x) => x * distribution(x)],
  ['tanh_forward', Math.tanh],
];

test('the error function of gelu is within 3e-7 over its whole range', async () => {
  const x = Float32Array.from({ length: 4096 }, (_, index) => ((index - 2048) / 2048) * 8);
  const { y } = await runKernel(executor, 'gelu_forward', {
    bindings: { x, y: x.length },
    params: { rows: 1, rows_count: 0, columns: x.length },
    workgroups: [4],
  });
  let worst = 0;
  for (let index = 0; index < x.length; index++) {
    const value = x[index] as number;
    // gelu = x/2 · (1 + erf(x/√2)); solved for erf where the division does not amplify rounding.
    if (Math.abs(value) < 0.25) continue;
    const computed = (2 * (y?.[index] as number)) / value - 1;
    worst = Math.max(worst, Math.abs(computed - erf(value / Math.SQRT2)));
  }
  // 3e-7 of erf itself, and three roundings of numbers up to 2 on the way out.
  expect(worst).toBeLessThan(3e-7 + 3 * 2 ** -23);
});

describe.each(elements)('stored as %s', (element) => {
  beforeEach(({ skip }) => skip(!canStore(executor, element), noHalf));
  const randomFloats = (count: number, seed: number, scale?: number) =>
    stored(randomValues(count, seed, scale), element);
  const rounding = storageTolerance(exact, element);
  describe.each(forwards)('%s', (kernel, reference) => {
    test.each(shapes)('$live of $rows rows of $columns', async ({ rows, live, columns, workgroups }) => {
      const x = randomFloats(rows * columns, 1, 4);
      const { y } = await runKernel(executor, kernel, {
        constants: { Element: element },
        bindings: { x: poisonFrom(x, live * columns), y: rows * columns },
        params: { rows, rows_count: 1, columns },
        workgroups: [workgroups],
        step: { counts: { tokens: live } },
      });
      expectRows(y, Float64Array.from(x.subarray(0, live * columns), reference), rounding, kernel);
    });

    test('far from zero and at zero', async () => {
      const x = stored(
        Float32Array.of(
          0,
          -0,
          1e-20,
          -1e-20,
          3.99,
          -3.99,
          5.7,
          -5.7,
          14.9,
          -15.1,
          80,
          -80,
          1e4,
          -1e4,
          88.8,
          -103,
        ),
        element,
      );
      const { y } = await runKernel(executor, kernel, {
        constants: { Element: element },
        bindings: { x, y: x.length },
        params: { rows: 1, rows_count: 0, columns: x.length },
        workgroups: [1],
      });
      // gelu loses relative precision where 1 + erf cancels: its absolute error grows with |x| · 3e-7.
      const tolerance =
        kernel === 'gelu_forward' ? storageTolerance({ absolute: 2e-6, relative: 1e-6 }, element) : rounding;
      expectClose(y, Float64Array.from(x, reference), tolerance, kernel);
    });
  });

  describe.each(['gelu_backward', 'tanh_backward'] as const)('%s', (kernel) => {
    test.each(shapes)('$live of $rows rows of $columns', async ({ rows, live, columns, workgroups }) => {
      const saved = randomFloats(rows * columns, 2, kernel === 'gelu_backward' ? 4 : 1);
      const dY = randomFloats(rows * columns, 3);
      const inputs = { d_y: poisonFrom(dY, live * columns), d_x: rows * columns };
      const first = poisonFrom(saved, live * columns);
      const common = {
        constants: { Element: element },
        params: { rows, rows_count: 2, columns },
        workgroups: [workgroups] as const,
        step: { counts: { queries: live } },
      };
      const { d_x } =
        kernel === 'gelu_backward'
          ? await runKernel(executor, kernel, { ...common, bindings: { ...inputs, x: first } })
          : await runKernel(executor, kernel, { ...common, bindings: { ...inputs, y: first } });
      const derivative =
        kernel === 'gelu_backward'
          ? (x: number) => distribution(x) + x * density(x)
          : (y: number) => 1 - y * y;
      const reference = Float64Array.from(
        dY.subarray(0, live * columns),
        (value, index) => value * derivative(saved[index] as number),
      );
      expectRows(d_x, reference, rounding, kernel);
    });
  });

  test.each(shapes)('add: $live of $rows rows of $columns', async ({ rows, live, columns, workgroups }) => {
    const x = randomFloats(rows * columns, 4);
    const before = randomFloats(rows * columns, 5);
    const { y } = await runKernel(executor, 'add', {
      constants: { Element: element },
      bindings: { x: poisonFrom(x, live * columns), y: before },
      params: { rows, rows_count: 3, columns },
      workgroups: [workgroups],
      step: { counts: { candidates: live } },
    });
    const sum = Float64Array.from(x.subarray(0, live * columns), (v, index) => v + (before[index] as number));
    expectRows(y, sum, rounding, 'add', before);
  });

  describe('dropout', () => {
    const rate = 0.3;
    const mask = { dropout_threshold: Math.round(rate * 2 ** 32), dropout_keep_scale: 1 / (1 - rate) };

    test.each(shapes)(
      'draws the mask of its TypeScript twin: $live of $rows rows of $columns',
      async ({ rows, live, columns, workgroups }) => {
        const x = randomFloats(rows * columns, 6);
        const seed = 0x9e37_79b9;
        const site = 5;
        const { y } = await runKernel(executor, 'dropout', {
          constants: { Element: element },
          bindings: { x: poisonFrom(x, live * columns), y: rows * columns },
          params: { rows, rows_count: 1, columns, dropout_site: site, ...mask },
          workgroups: [workgroups],
          step: { counts: { tokens: live }, seed },
        });
        const reference = Float64Array.from(x.subarray(0, live * columns), (value, index) => {
          const key = dropoutKey(seed, site, Math.floor(index / columns));
          return value * dropoutFactor(key, index % columns, mask.dropout_threshold, mask.dropout_keep_scale);
        });
        expectRows(y, reference, rounding, 'dropout');
      },
    );

    test('a part draws the rows that it would in the whole batch', async () => {
      const [rows, columns, begin] = [13, 8, 1_000_003];
      const { y } = await runKernel(executor, 'dropout', {
        constants: { Element: element },
        bindings: { x: new Float32Array(rows * columns).fill(1), y: rows * columns },
        params: { rows, rows_count: 1, columns, dropout_site: 2, ...mask },
        workgroups: [1],
        step: { counts: { tokens: rows }, seed: 77, begins: [begin, 5] },
      });
      const reference = Float64Array.from({ length: rows * columns }, (_, index) => {
        const key = dropoutKey(77, 2, begin + Math.floor(index / columns));
        return dropoutFactor(key, index % columns, mask.dropout_threshold, mask.dropout_keep_scale);
      });
      expectClose(y, reference, rounding, 'dropout');
    });

    const masked = async (values: Float32Array, seed: number, site: number, threshold: number) => {
      const { y } = await runKernel(executor, 'dropout', {
        constants: { Element: element },
        bindings: { x: values, y: values.length },
        params: {
          rows: values.length / 64,
          rows_count: 0,
          columns: 64,
          dropout_site: site,
          dropout_threshold: threshold,
          dropout_keep_scale: 1,
        },
        workgroups: [8],
        step: { counts: {}, seed },
      });
      return y as Float32Array;
    };
    const ones = new Float32Array(64 * 256).fill(1);
    const meanOf = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0) / values.length;

    test('keeps the share that it should, in every row and column', async () => {
      const kept = await masked(ones, 77, 3, mask.dropout_threshold);
      // Five standard deviations of a binomial share.
      const bound = (count: number) => 5 * Math.sqrt((rate * (1 - rate)) / count);
      expect(Math.abs(meanOf(kept) - (1 - rate))).toBeLessThan(bound(kept.length));
      for (let column = 0; column < 64; column++) {
        const share = meanOf(kept.filter((_, index) => index % 64 === column));
        expect(Math.abs(share - (1 - rate)), `column ${column}`).toBeLessThan(bound(256));
      }
      for (let row = 0; row < 256; row++) {
        const share = meanOf(kept.subarray(row * 64, row * 64 + 64));
        expect(Math.abs(share - (1 - rate)), `row ${row}`).toBeLessThan(bound(64));
      }
    });

    test('masks of other seeds and sites are unrelated', async () => {
      const base = await masked(ones, 77, 3, mask.dropout_threshold);
      for (const [seed, site] of [
        [78, 3],
        [77, 4],
        [3, 77],
      ] as const) {
        const other = await masked(ones, seed, site, mask.dropout_threshold);
        const both = meanOf(base.map((value, index) => value * (other[index] as number)));
        expect(Math.abs(both - (1 - rate) ** 2)).toBeLessThan(5 * Math.sqrt(0.25 / ones.length));
      }
    });

    test('forward and backward drop the same elements', async () => {
      const forward = await masked(ones, 9, 1, mask.dropout_threshold);
      const backward = await masked(
        randomFloats(ones.length, 8).map((v) => v + 2),
        9,
        1,
        mask.dropout_threshold,
      );
      expect(Array.from(backward, (value) => value !== 0)).toEqual(
        Array.from(forward, (value) => value !== 0),
      );
    });

    test('threshold 0 drops nothing', async () => {
      expect(await masked(ones, 1, 1, 0)).toEqual(ones);
    });
  });
});
