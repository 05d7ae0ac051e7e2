/** The two stages of sums over rows, apart and together. */
import type { Executor } from '@synglot/gpu';
import { afterAll, beforeAll, beforeEach, describe, test } from 'vitest';
import { openTestExecutor } from '../support/executor.js';
import { canStore, elements, noHalf, stored } from '../support/half.js';
import {
  expectClose,
  expectRows,
  expectUntouched,
  poisonFrom,
  rounding,
  runKernel,
} from '../support/kernel-harness.js';
import { randomFloats } from '../support/random.js';

let executor: Executor;
beforeAll(async () => {
  executor = await openTestExecutor();
});
afterAll(() => executor?.destroy());

/** One row; live rows that end inside, at and before the last block; more columns than a workgroup. */
const shapes = [
  { rows: 1, live: 1, columns: 4, rowsPerBlock: 64 },
  { rows: 7, live: 5, columns: 12, rowsPerBlock: 3 },
  { rows: 131, live: 128, columns: 132, rowsPerBlock: 64 },
  { rows: 131, live: 61, columns: 20, rowsPerBlock: 64 },
  { rows: 9, live: 0, columns: 8, rowsPerBlock: 3 },
] as const;
/** Kernels of each stage: one invocation four columns, or several, with fewer or more blocks and rows than those. */
const columnSums = [
  { kernel: 'column_sum_partial', constants: {}, columnsEach: 4 * 32 },
  { kernel: 'column_sum_partial_workgroup', constants: { LANES: 8, SUMS: 16 }, columnsEach: 4 * 16 },
] as const;
const partialSums = [
  { kernel: 'partial_sum_accumulate', constants: {}, columnsEach: 4 * 32 },
  { kernel: 'partial_sum_accumulate_workgroup', constants: { LANES: 16, SUMS: 16 }, columnsEach: 4 * 16 },
  { kernel: 'partial_sum_accumulate_workgroup', constants: { LANES: 2, SUMS: 32 }, columnsEach: 4 * 32 },
] as const;
const withShapes = <Variant>(kernels: readonly Variant[]) =>
  kernels.flatMap((variant) => shapes.map((shape) => ({ ...variant, ...shape })));
/** Up to 64 terms below 1 each. */
const tolerance = { absolute: 1e-5, relative: 2e-6 };

describe.each(elements)('x stored as %s', (element) => {
  beforeEach(({ skip }) => skip(!canStore(executor, element), noHalf));
  test.each(withShapes(columnSums))(
    '$kernel: $live of $rows rows of $columns, blocks of $rowsPerBlock',
    async ({ kernel, constants, columnsEach, rows, live, columns, rowsPerBlock }) => {
      const x = stored(randomFloats(rows * columns, 1), element);
      const blocks = Math.ceil(rows / rowsPerBlock);
      const { partial } = await runKernel(executor, kernel, {
        bindings: { x: poisonFrom(x, live * columns), partial: blocks * columns },
        constants: { ...constants, ROWS_PER_BLOCK: rowsPerBlock, Element: element },
        params: { rows, rows_count: 1, columns },
        workgroups: [Math.ceil(columns / columnsEach), blocks],
        step: { counts: { tokens: live } },
      });
      const expected = new Float64Array(Math.ceil(live / rowsPerBlock) * columns);
      for (let i = 0; i < live * columns; i++) {
        const block = Math.floor(i / columns / rowsPerBlock);
        expected[block * columns + (i % columns)]! += x[i] as number;
      }
      expectRows(partial, expected, tolerance, 'partial');
    },
  );
});

test.each(withShapes(partialSums))(
  '$kernel: blocks of $live of $rows rows of $columns into one row of three',
  async ({ kernel, constants, columnsEach, rows, live, columns, rowsPerBlock }) => {
    const blocks = Math.ceil(rows / rowsPerBlock);
    const liveBlocks = Math.ceil(live / rowsPerBlock);
    const partial = randomFloats(blocks * columns, 2);
    const before = randomFloats(3 * columns, 3);
    const { gradient } = await runKernel(executor, kernel, {
      constants,
      bindings: { partial: poisonFrom(partial, liveBlocks * columns), gradient: before },
      params: { rows, rows_count: 1, rows_per_block: rowsPerBlock, columns, gradient_row: 1 },
      workgroups: [Math.ceil(columns / columnsEach)],
      step: { counts: { tokens: live } },
    });
    const expected = Float64Array.from(before.subarray(columns, 2 * columns));
    for (let i = 0; i < liveBlocks * columns; i++) expected[i % columns]! += partial[i] as number;
    expectClose(gradient?.slice(columns), expected, rounding, 'gradient row 1');
    expectUntouched(gradient?.slice(0, columns), 0, 'gradient row 0', before);
    expectUntouched(gradient, 2 * columns, 'gradient row 2', before);
  },
);
