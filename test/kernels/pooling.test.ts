/** Pooling and row normalisation, forward and backward. */
import type { Executor } from '@synglot/gpu';
import { afterAll, beforeAll, beforeEach, describe, test } from 'vitest';
import { openTestExecutor } from '../support/executor.js';
import { canStore, elements, noHalf, storageTolerance, stored } from '../support/half.js';
import {
  rounding as exact,
  expectClose,
  expectRows,
  expectUntouched,
  poisonFrom,
  runKernel,
} from '../support/kernel-harness.js';
import { boundsOf } from '../support/kernel-references.js';
import { randomFloats as randomValues } from '../support/random.js';

let executor: Executor;
beforeAll(async () => {
  executor = await openTestExecutor();
});
afterAll(() => executor?.destroy());

/** Sequences by slot: slots below `slotBegin` belong to somebody else. */
const problems = [
  { lengths: [1], slotBegin: 0, liveRows: 1, rows: 1, capacity: 1, columns: 4 },
  { lengths: [3, 1, 7, 2, 5], slotBegin: 2, liveRows: 3, rows: 3, capacity: 18, columns: 12 },
  { lengths: [3, 1, 7, 2, 5], slotBegin: 0, liveRows: 2, rows: 2, capacity: 23, columns: 20 },
  { lengths: [13, 17], slotBegin: 1, liveRows: 1, rows: 5, capacity: 31, columns: 36 },
] as const;

describe.each(elements)('stored as %s', (element) => {
  beforeEach(({ skip }) => skip(!canStore(executor, element), noHalf));
  const randomFloats = (count: number, seed: number, scale?: number) =>
    stored(randomValues(count, seed, scale), element);
  const rounding = storageTolerance(exact, element);
  describe.each(['mean', 'cls'] as const)('pool_%s', (mode) => {
    test.each(problems)('forward: slots of $lengths from $slotBegin, $liveRows of $rows', async (problem) => {
      const { lengths, slotBegin, liveRows, rows, capacity, columns } = problem;
      const live = lengths.reduce((sum: number, length) => sum + length, 0);
      const hidden = randomFloats(capacity * columns, 1);
      let begin = 0;
      const ranges = lengths.map((length): [number, number] => {
        begin += length;
        return [begin - length, begin];
      });
      const slots = new Uint32Array((slotBegin + rows) * 2).fill(0xffff_ffff);
      slots.set(ranges.slice(0, slotBegin + liveRows).flat());
      const { y } = await runKernel(executor, mode === 'mean' ? 'pool_mean_forward' : 'pool_cls_forward', {
        constants: { Element: element },
        bindings: { hidden: poisonFrom(hidden, live * columns), slots, y: rows * columns },
        params: { rows, rows_count: 3, columns, slot_begin: slotBegin },
        workgroups: [1],
        step: { counts: { candidates: liveRows } },
      });
      const expected = ranges.slice(slotBegin, slotBegin + liveRows).flatMap(([from, end]) =>
        Array.from({ length: columns }, (_, column) => {
          if (mode === 'cls') return hidden[from * columns + column] as number;
          let total = 0;
          for (let token = from; token < end; token++) total += hidden[token * columns + column] as number;
          return total / (end - from);
        }),
      );
      expectRows(y, expected, rounding, 'y');
    });

    test.each(problems)(
      'backward: slots of $lengths from $slotBegin, $liveRows of $rows',
      async (problem) => {
        const { lengths, slotBegin, liveRows, rows, capacity, columns } = problem;
        const live = lengths.reduce((sum: number, length) => sum + length, 0);
        const dY = randomFloats(rows * columns, 2);
        const bounds = boundsOf(lengths);
        const slotOf = lengths.flatMap((length, slot) => Array.from({ length }, () => slot));
        const tokens = new Uint32Array(capacity * 4).fill(0xffff_ffff);
        slotOf.forEach((slot, token) => {
          tokens.set([0, 0, 0, slot], token * 4);
        });
        const boundsFeed = new Uint32Array(capacity * 2).fill(0xffff_ffff);
        boundsFeed.set(bounds.flat());
        const kernel = mode === 'mean' ? 'pool_mean_backward' : 'pool_cls_backward';
        const { d_hidden } = await runKernel(executor, kernel, {
          constants: { Element: element },
          bindings: {
            d_y: poisonFrom(dY, liveRows * columns),
            tokens,
            bounds: boundsFeed,
            d_hidden: capacity * columns,
          },
          params: { tokens: capacity, tokens_count: 1, columns, slot_begin: slotBegin, rows },
          workgroups: [1],
          step: { counts: { tokens: live } },
        });
        slotOf.forEach((slot, token) => {
          const own = d_hidden?.slice(token * columns, (token + 1) * columns);
          const what = `token ${token} of slot ${slot}`;
          if (slot < slotBegin || slot >= slotBegin + rows) {
            expectUntouched(own, 0, what);
            return;
          }
          const [from, end] = bounds[token] as [number, number];
          const share = mode === 'mean' ? 1 / (end - from) : Number(token === from);
          const gradient = dY.subarray((slot - slotBegin) * columns, (slot - slotBegin + 1) * columns);
          expectClose(
            own,
            Float64Array.from(gradient, (value) => value * share),
            rounding,
            what,
          );
        });
        expectUntouched(d_hidden, live * columns, 'd_hidden beyond the live tokens');
      },
    );
  });
});
const matrices = [
  { rows: 1, live: 1, columns: 4 },
  { rows: 7, live: 5, columns: 12 },
  { rows: 67, live: 65, columns: 36 },
  { rows: 3, live: 2, columns: 268 },
] as const;
/** One invocation per row, or a workgroup that strides over rows, with more or fewer lanes than vectors. */
const forwards = [
  { kernel: 'normalize_forward', constants: {} },
  { kernel: 'normalize_forward_workgroup', constants: { LANES: 64 } },
  { kernel: 'normalize_forward_workgroup', constants: { LANES: 4 } },
] as const;
const backwards = [
  { kernel: 'normalize_backward', constants: {} },
  { kernel: 'normalize_backward_workgroup', constants: { LANES: 64 } },
  { kernel: 'normalize_backward_workgroup', constants: { LANES: 4 } },
] as const;
const withMatrices = <Variant>(kernels: readonly Variant[]) =>
  kernels.flatMap((variant) => matrices.map((matrix) => ({ ...variant, ...matrix })));

const lengthOf = (row: ArrayLike<number>) =>
  Math.sqrt(Array.from(row).reduce((sum, value) => sum + value ** 2, 0));

test.each(withMatrices(forwards))('$kernel: $live of $rows rows of $columns', async (problem) => {
  const { kernel, constants, rows, live, columns } = problem;
  const x = randomValues(rows * columns, 3, 5);
  const { y, inverse_norms } = await runKernel(executor, kernel, {
    constants,
    bindings: { x: poisonFrom(x, live * columns), y: rows * columns, inverse_norms: rows },
    params: { rows, rows_count: 2, columns },
    workgroups: [Math.ceil(rows / 64)],
    step: { counts: { queries: live } },
  });
  const inverse = Float64Array.from(
    { length: live },
    (_, row) => 1 / lengthOf(x.subarray(row * columns, (row + 1) * columns)),
  );
  const expected = Float64Array.from(
    x.subarray(0, live * columns),
    (value, index) => value * (inverse[Math.floor(index / columns)] as number),
  );
  expectRows(y, expected, exact, 'y');
  expectRows(inverse_norms, inverse, exact, 'inverse_norms');
});

test.each(forwards)('$kernel leaves a row of zeros at zero', async ({ kernel, constants }) => {
  const { y, inverse_norms } = await runKernel(executor, kernel, {
    constants,
    bindings: { x: new Float32Array(8), y: 8, inverse_norms: 1 },
    params: { rows: 1, rows_count: 0, columns: 8 },
    workgroups: [1],
  });
  expectClose(y, new Float64Array(8), { absolute: 0, relative: 0 }, 'y');
  expectClose(inverse_norms, [1e12], exact, 'inverse_norms');
});

test.each(withMatrices(backwards))(
  '$kernel: $live of $rows rows of $columns',
  async ({ kernel, constants, rows, live, columns }) => {
    const x = randomValues(rows * columns, 4, 3);
    const dY = randomValues(rows * columns, 5);
    const inverse = Float32Array.from(
      { length: rows },
      (_, row) => 1 / lengthOf(x.subarray(row * columns, (row + 1) * columns)),
    );
    const y = x.map((value, index) => value * (inverse[Math.floor(index / columns)] as number));
    const { d_x } = await runKernel(executor, kernel, {
      constants,
      bindings: {
        y: poisonFrom(y, live * columns),
        d_y: poisonFrom(dY, live * columns),
        inverse_norms: poisonFrom(inverse, live),
        d_x: rows * columns,
      },
      params: { rows, rows_count: 2, columns },
      workgroups: [Math.ceil(rows / 64)],
      step: { counts: { queries: live } },
    });
    const expected = Float64Array.from({ length: live * columns }, (_, index) => {
      const begin = Math.floor(index / columns) * columns;
      let projection = 0;
      for (let i = begin; i < begin + columns; i++) projection += (y[i] as number) * (dY[i] as number);
      return (
        ((dY[index] as number) - (y[index] as number) * projection) * (inverse[begin / columns] as number)
      );
    });
    expectRows(d_x, expected, exact, 'd_x');
  },
);
