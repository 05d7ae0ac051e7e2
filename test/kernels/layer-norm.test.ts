/** residual_layer_norm_forward and layer norm's backward kernels against float64 references. */
import type { Executor } from '@synglot/gpu';
import type { KernelName } from '@synglot/kernels';
import { afterAll, beforeAll, beforeEach, describe, test } from 'vitest';
import { openTestExecutor } from '../support/executor.js';
import { canStore, elements, noHalf, storageTolerance, stored } from '../support/half.js';
import {
  rounding as exact,
  expectClose,
  expectRows,
  poisonFrom,
  runKernel,
} from '../support/kernel-harness.js';
import { dropoutMatrix } from '../support/kernel-references.js';
import { randomFloats as randomValues } from '../support/random.js';

let executor: Executor;
beforeAll(async () => {
  executor = await openTestExecutor();
});
afterAll(() => executor?.destroy());

const shapes = [
  { rows: 1, live: 1, columns: 4 },
  { rows: 7, live: 5, columns: 12 },
  { rows: 67, live: 65, columns: 36 },
  { rows: 6, live: 3, columns: 140 },
  { rows: 3, live: 0, columns: 8 },
] as const;
const epsilon = 1e-5;

/** Lanes that hold all of every shape's columns: one or two rows a workgroup, or few workgroups for many rows. */
const lanes = [
  { LANES: 64, SUMS: 1, VECTORS: 1, workgroups: 67 },
  { LANES: 32, SUMS: 2, VECTORS: 2, workgroups: 34 },
  { LANES: 8, SUMS: 4, VECTORS: 5, workgroups: 3 },
] as const;
/** Every kernel that does the same, with what decides how; `workgroups` for the one with an invocation per row. */
function variants<Plain extends KernelName, Shared extends KernelName>(plain: Plain, shared: Shared) {
  return [
    { kernel: plain, constants: {}, workgroups: 2, name: plain },
    ...lanes.map(({ workgroups, ...constants }) => ({
      kernel: shared,
      constants,
      workgroups,
      name: `${shared} ${constants.SUMS} × ${constants.LANES} × ${constants.VECTORS}`,
    })),
  ] as const;
}
const forwards = variants('residual_layer_norm_forward', 'residual_layer_norm_forward_workgroup');
const backwards = variants('layer_norm_backward_input', 'layer_norm_backward_input_workgroup');

/** Mean and inverse standard deviation of one row, and the row normalised. */
function normalizeRow(row: ArrayLike<number>) {
  const values = Array.from(row);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  const inverse = 1 / Math.sqrt(variance + epsilon);
  return { mean, inverse, normalized: values.map((value) => (value - mean) * inverse) };
}

const rowsOf = (values: ArrayLike<number>, columns: number): number[][] =>
  Array.from({ length: values.length / columns }, (_, row) =>
    Array.from({ length: columns }, (_, column) => values[row * columns + column] as number),
  );

test.each(forwards)('$name keeps small deviations around a large mean', async ({ kernel, constants }) => {
  // One pass (mean of squares minus squared mean) would lose every digit here.
  const columns = 32;
  const x = randomValues(columns, 5).map((value) => value + 4096);
  const { statistics } = await runKernel(executor, kernel, {
    constants,
    bindings: {
      x,
      residual: new Float32Array(columns),
      gamma: new Float32Array(columns).fill(1),
      beta: new Float32Array(columns),
      sum: columns,
      statistics: 2,
      y: columns,
    },
    params: {
      rows: 1,
      rows_count: 0,
      columns,
      epsilon,
      dropout_site: 0,
      dropout_threshold: 0,
      dropout_keep_scale: 1,
    },
    workgroups: [1],
  });
  const { mean, inverse } = normalizeRow(x);
  // The mean itself is rounded to 2^-11 or so, which the deviation feels squared.
  expectClose(statistics, [mean, inverse], { absolute: 0, relative: 2e-5 }, 'statistics');
});

test.each(forwards)('$name: epsilon bounds the deviation of a row without variance', async (variant) => {
  const { kernel, constants } = variant;
  const columns = 8;
  const beta = randomValues(columns, 6);
  const { statistics, y } = await runKernel(executor, kernel, {
    constants,
    bindings: {
      x: new Float32Array(columns).fill(0.5),
      residual: new Float32Array(columns).fill(0.25),
      gamma: new Float32Array(columns).fill(1),
      beta,
      sum: columns,
      statistics: 2,
      y: columns,
    },
    params: {
      rows: 1,
      rows_count: 0,
      columns,
      epsilon: 1e-4,
      dropout_site: 0,
      dropout_threshold: 0,
      dropout_keep_scale: 1,
    },
    workgroups: [1],
  });
  expectClose(statistics, [0.75, 100], exact, 'statistics');
  expectClose(y, beta, exact, 'y');
});

describe.each(elements)('stored as %s', (element) => {
  beforeEach(({ skip }) => skip(!canStore(executor, element), noHalf));
  const randomFloats = (count: number, seed: number, scale?: number) =>
    stored(randomValues(count, seed, scale), element);
  const rounding = storageTolerance(exact, element);
  const forwardCases = forwards.flatMap((variant) =>
    [false, true].map((dropout) => ({ ...variant, dropout })),
  );
  describe.each(forwardCases)('$name, dropout $dropout', ({ kernel, constants, workgroups, dropout }) => {
    test.each(shapes)('$live of $rows rows of $columns', async ({ rows, live, columns }) => {
      const count = live * columns;
      const x = randomFloats(rows * columns, 1, 2);
      const residual = randomFloats(rows * columns, 2, 3);
      const gamma = randomFloats(columns, 3, 2);
      const beta = randomFloats(columns, 4);
      const mask = { seed: 123, site: 7, rate: 0.25 };
      const { sum, statistics, y } = await runKernel(executor, kernel, {
        bindings: {
          x: poisonFrom(x, count),
          residual: poisonFrom(residual, count),
          gamma,
          beta,
          sum: rows * columns,
          statistics: rows * 2,
          y: rows * columns,
        },
        constants: { ...constants, HAS_DROPOUT: dropout, Element: element },
        params: {
          rows,
          rows_count: 1,
          columns,
          epsilon,
          dropout_site: mask.site,
          dropout_threshold: mask.rate * 2 ** 32,
          dropout_keep_scale: 1 / (1 - mask.rate),
        },
        workgroups: [workgroups],
        step: { counts: { tokens: live }, seed: mask.seed },
      });
      const factors = dropoutMatrix(live, columns, mask);
      const expectedSum = Float64Array.from(
        { length: count },
        (_, i) => (x[i] as number) * (dropout ? (factors[i] as number) : 1) + (residual[i] as number),
      );
      const normed = rowsOf(expectedSum, columns).map(normalizeRow);
      const expectedStatistics = normed.flatMap(({ mean, inverse }) => [mean, inverse]);
      const expectedY = normed.flatMap(({ normalized }) =>
        normalized.map((value, column) => value * (gamma[column] as number) + (beta[column] as number)),
      );
      expectRows(sum, expectedSum, rounding, 'sum');
      // Whether the mean is that of the sum before or after it was stored is the compiler's choice.
      expectRows(
        statistics,
        expectedStatistics,
        storageTolerance({ absolute: element === 'f16' ? 1e-3 : 1e-6, relative: 5e-6 }, element),
        'statistics',
      );
      const tolerance = storageTolerance(
        { absolute: element === 'f16' ? 2e-3 : 5e-6, relative: 1e-5 },
        element,
      );
      expectRows(y, expectedY, tolerance, 'y');
    });
  });

  /** A forward pass's saved values, and the gradient from above. */
  function savedForward(live: number, rows: number, columns: number) {
    const sum = randomFloats(rows * columns, 11, 2);
    const dY = randomFloats(rows * columns, 12);
    const normed = rowsOf(sum, columns).map(normalizeRow);
    const statistics = Float32Array.from(normed.flatMap(({ mean, inverse }) => [mean, inverse]));
    return {
      normed: normed.slice(0, live),
      gradients: rowsOf(dY, columns).slice(0, live),
      bindings: {
        d_y: poisonFrom(dY, live * columns),
        sum: poisonFrom(sum, live * columns),
        statistics: poisonFrom(statistics, live * 2),
      },
    };
  }

  const backwardCases = backwards.flatMap((variant) => shapes.map((shape) => ({ ...variant, ...shape })));
  test.each(backwardCases)('$name: $live of $rows rows of $columns', async (backward) => {
    const { kernel, constants, workgroups, rows, live, columns } = backward;
    const gamma = randomFloats(columns, 13, 2);
    const { normed, gradients, bindings } = savedForward(live, rows, columns);
    const { d_sum } = await runKernel(executor, kernel, {
      constants: { ...constants, Element: element },
      bindings: { ...bindings, gamma, d_sum: rows * columns },
      params: { rows, rows_count: 2, columns },
      workgroups: [workgroups],
      step: { counts: { queries: live } },
    });
    const expected = normed.flatMap(({ normalized, inverse }, row) => {
      const scaled = (gradients[row] as number[]).map((value, column) => value * (gamma[column] as number));
      const mean = scaled.reduce((total, value) => total + value, 0) / columns;
      const projection =
        scaled.reduce((total, value, column) => total + value * (normalized[column] as number), 0) / columns;
      return scaled.map(
        (value, column) => (value - mean - (normalized[column] as number) * projection) * inverse,
      );
    });
    expectRows(d_sum, expected, storageTolerance({ absolute: 1e-5, relative: 1e-5 }, element), 'd_sum');
  });

  const blockShapes = [
    { rows: 1, live: 1, columns: 4, rowsPerBlock: 64 },
    { rows: 7, live: 5, columns: 12, rowsPerBlock: 3 },
    { rows: 67, live: 65, columns: 36, rowsPerBlock: 64 },
    { rows: 131, live: 63, columns: 132, rowsPerBlock: 64 },
  ];
  const parameterKernels = [
    { kernel: 'layer_norm_backward_parameters_partial', constants: {}, columnsEach: 4 * 32 },
    {
      kernel: 'layer_norm_backward_parameters_partial_workgroup',
      constants: { LANES: 8, SUMS: 16 },
      columnsEach: 4 * 16,
    },
  ] as const;
  const parameterCases = parameterKernels.flatMap((variant) =>
    blockShapes.map((shape) => ({ ...variant, ...shape })),
  );
  test.each(parameterCases)(
    '$kernel: $live of $rows rows of $columns, blocks of $rowsPerBlock',
    async ({ kernel, constants, columnsEach, rows, live, columns, rowsPerBlock }) => {
      const { normed, gradients, bindings } = savedForward(live, rows, columns);
      const blocks = Math.ceil(rows / rowsPerBlock);
      const { partial_gamma, partial_beta } = await runKernel(executor, kernel, {
        bindings: { ...bindings, partial_gamma: blocks * columns, partial_beta: blocks * columns },
        constants: { ...constants, ROWS_PER_BLOCK: rowsPerBlock, Element: element },
        params: { rows, rows_count: 1, columns },
        workgroups: [Math.ceil(columns / columnsEach), blocks],
        step: { counts: { tokens: live } },
      });
      const liveBlocks = Math.ceil(live / rowsPerBlock);
      const gamma = new Float64Array(liveBlocks * columns);
      const beta = new Float64Array(liveBlocks * columns);
      gradients.forEach((gradient, row) => {
        const base = Math.floor(row / rowsPerBlock) * columns;
        gradient.forEach((value, column) => {
          gamma[base + column]! += value * (normed[row]?.normalized[column] as number);
          beta[base + column]! += value;
        });
      });
      const tolerance = { absolute: 2e-5, relative: 1e-5 };
      expectRows(partial_gamma, gamma, tolerance, 'partial_gamma');
      expectRows(partial_beta, beta, tolerance, 'partial_beta');
    },
  );
});
