/** Kernels of the training objectives beside InfoNCE, against float64; live rows below capacity. */
import type { Executor } from '@synglot/gpu';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestExecutor } from '../support/executor.js';
import {
  expectClose,
  expectRows,
  expectUntouched,
  poisonFrom,
  rounding,
  runKernel,
} from '../support/kernel-harness.js';
import { randomFloats, randomInteger, uniform } from '../support/random.js';

let executor: Executor;
beforeAll(async () => {
  executor = await openTestExecutor();
});
afterAll(() => executor?.destroy());

const shapes = [
  { rows: 1, live: 1, columns: 4 },
  { rows: 7, live: 5, columns: 12 },
  { rows: 67, live: 66, columns: 20 },
  { rows: 4, live: 2, columns: 268 },
] as const;
const range = (count: number) => Array.from({ length: count }, (_, index) => index);
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const at = (values: ArrayLike<number>, index: number) => values[index] as number;
/** Values of which only the first `live` may be read. */
const input = (count: number, live: number, seed: number) => poisonFrom(randomFloats(count, seed), live);

describe.each(shapes)('$live of $rows rows, $columns columns', ({ rows, live, columns }) => {
  const step = { counts: { queries: live } };
  const size = { rows, rows_count: 2 };
  const workgroups = [Math.ceil(rows / 64)] as const;
  const x = input(rows * columns, live * columns, 1);
  const dY = input(rows * columns, live * columns, 2);
  const before = randomFloats(rows * columns, 3);
  const row = (values: Float32Array, index: number) =>
    range(columns).map((column) => at(values, index * columns + column));
  const elements = range(live * columns);

  test.each([false, true])('copy_columns, accumulating: %s', async (accumulate) => {
    const [xStride, yStride] = [columns + 8, columns + 4];
    const wide = input(rows * xStride, live * xStride, 4);
    const old = randomFloats(rows * yStride, 5);
    const { y } = await runKernel(executor, 'copy_columns', {
      constants: { ACCUMULATE: accumulate },
      bindings: { x: wide, y: accumulate ? old : rows * yStride },
      params: { ...size, columns, x_stride: xStride, y_stride: yStride },
      workgroups,
      step,
    });
    for (const index of range(rows)) {
      const found = y?.slice(index * yStride, (index + 1) * yStride);
      const expected =
        index < live
          ? range(columns).map(
              (column) =>
                at(wide, index * xStride + column) + (accumulate ? at(old, index * yStride + column) : 0),
            )
          : [];
      expectClose(found, expected, rounding, `row ${index}`);
      const own = old.slice(index * yStride, (index + 1) * yStride);
      expectUntouched(found, expected.length, `row ${index}`, accumulate ? own : undefined);
    }
  });

  test('exp_scale_forward', async () => {
    const { y } = await runKernel(executor, 'exp_scale_forward', {
      bindings: { x, log_scale: Float32Array.of(1.3, Number.NaN), y: rows * columns },
      params: { ...size, columns },
      workgroups,
      step,
    });
    const expected = elements.map((i) => at(x, i) * Math.exp(Math.fround(1.3)));
    expectRows(y, expected, rounding, 'y');
  });

  const scaled = (['exp_scale_backward_input', 'exp_scale_backward_input_workgroup'] as const).flatMap(
    (kernel) => [false, true].map((accumulate) => ({ kernel, accumulate })),
  );
  test.each(scaled)('$kernel, accumulating: $accumulate', async ({ kernel, accumulate }) => {
    const { d_x, products } = await runKernel(executor, kernel, {
      constants: { ACCUMULATE: accumulate },
      bindings: {
        y: x,
        d_y: dY,
        log_scale: Float32Array.of(-0.7),
        products: rows,
        d_x: accumulate ? before : rows * columns,
      },
      params: { ...size, columns },
      workgroups,
      step,
    });
    const scale = Math.exp(Math.fround(-0.7));
    const expected = elements.map((i) => at(dY, i) * scale + (accumulate ? at(before, i) : 0));
    expectRows(d_x, expected, rounding, 'd_x', accumulate ? before : undefined);
    const sums = range(live).map((index) =>
      sum(row(x, index).map((value, i) => value * at(row(dY, index), i))),
    );
    expectRows(products, sums, { absolute: 1e-5, relative: 1e-5 }, 'products');
  });

  test('sum_accumulate', async () => {
    const values = input(rows, live, 6);
    const { total } = await runKernel(executor, 'sum_accumulate', {
      bindings: { x: values, total: Float32Array.of(2.5, 7) },
      params: size,
      workgroups: [1],
      step,
    });
    expectClose(
      total,
      [2.5 + sum([...values.slice(0, live)]), 7],
      { absolute: 1e-5, relative: 1e-6 },
      'total',
    );
  });

  /** Every third row has no reference: its weight is 0, and NaN stands there. */
  const weights = Float32Array.from({ length: rows }, (_, index) =>
    index % 3 === 2 ? 0 : 0.1 + index / rows,
  );
  const reference = input(rows * columns, live * columns, 7).map((value, i) =>
    at(weights, Math.floor(i / columns)) === 0 ? Number.NaN : value,
  );

  const distances = ['squared_distance_forward', 'squared_distance_forward_workgroup'] as const;
  test.each(distances)('%s', async (kernel) => {
    const { loss } = await runKernel(executor, kernel, {
      bindings: { x, reference, row_weights: weights, loss: rows },
      params: { ...size, columns, factor: 0.25 },
      workgroups,
      step,
    });
    const expected = range(live).map((index) =>
      at(weights, index) === 0
        ? 0
        : 0.25 *
          at(weights, index) *
          sum(row(x, index).map((value, i) => (value - at(row(reference, index), i)) ** 2)),
    );
    expectRows(loss, expected, { absolute: 1e-6, relative: 1e-5 }, 'loss');
  });

  const distanceGradients = (
    ['squared_distance_backward', 'squared_distance_backward_workgroup'] as const
  ).flatMap((kernel) => [false, true].map((accumulate) => ({ kernel, accumulate })));
  test.each(distanceGradients)('$kernel, accumulating: $accumulate', async ({ kernel, accumulate }) => {
    const { d_x } = await runKernel(executor, kernel, {
      constants: { ACCUMULATE: accumulate },
      bindings: { x, reference, row_weights: weights, d_x: accumulate ? before : rows * columns },
      params: { ...size, columns, factor: 0.25 },
      workgroups,
      step: { ...step, lossScale: 4 },
    });
    const expected = elements.map((i) => {
      const weight = at(weights, Math.floor(i / columns));
      const own = weight === 0 ? 0 : 4 * 0.5 * weight * (at(x, i) - at(reference, i));
      return own + (accumulate ? at(before, i) : 0);
    });
    expectRows(d_x, expected, rounding, 'd_x', accumulate ? before : undefined);
  });

  test.each([false, true])('scale_reversed, accumulating: %s', async (accumulate) => {
    const { y } = await runKernel(executor, 'scale_reversed', {
      constants: { ACCUMULATE: accumulate },
      bindings: { x, strength: Float32Array.of(0.3, 9), y: accumulate ? before : rows * columns },
      params: { ...size, columns },
      workgroups,
      step,
    });
    const expected = elements.map((i) => -Math.fround(0.3) * at(x, i) + (accumulate ? at(before, i) : 0));
    expectRows(y, expected, rounding, 'y', accumulate ? before : undefined);
  });

  describe('cross-entropy', () => {
    const classes = Math.max(2, columns - 3);
    const random = uniform(8);
    const labels = Uint32Array.from({ length: rows }, () => randomInteger(random, 0, classes));
    const logits = input(rows * columns, live * columns, 9).map((value, i) =>
      i % columns < classes ? 5 * value : Number.NaN,
    );
    const logSumExp = range(live).map((index) =>
      Math.log(sum(row(logits, index).slice(0, classes).map(Math.exp))),
    );
    const common = { logits, labels, row_weights: weights };
    const params = { ...size, columns, classes };

    test('cross_entropy_forward', async () => {
      const { log_sum_exp, loss, correct } = await runKernel(executor, 'cross_entropy_forward', {
        bindings: { ...common, log_sum_exp: rows, loss: rows, correct: rows },
        params,
        workgroups,
        step,
      });
      const own = (index: number) => at(row(logits, index), at(labels, index));
      const tolerance = { absolute: 1e-6, relative: 1e-5 };
      expectRows(log_sum_exp, logSumExp, tolerance, 'log_sum_exp');
      const losses = logSumExp.map((value, index) => at(weights, index) * (value - own(index)));
      expectRows(loss, losses, tolerance, 'loss');
      const hits = range(live).map((index) =>
        own(index) >= Math.max(...row(logits, index).slice(0, classes)) ? at(weights, index) : 0,
      );
      expectRows(correct, hits, rounding, 'correct');
    });

    test('cross_entropy_backward', async () => {
      const { d_logits } = await runKernel(executor, 'cross_entropy_backward', {
        bindings: { ...common, log_sum_exp: Float32Array.from(logSumExp), d_logits: rows * columns },
        params,
        workgroups,
        step: { ...step, lossScale: 4 },
      });
      const expected = elements.map((i) => {
        const [index, column] = [Math.floor(i / columns), i % columns];
        if (column >= classes) return 0;
        const probability = Math.exp(at(logits, i) - at(logSumExp, index));
        return 4 * at(weights, index) * (probability - Number(column === at(labels, index)));
      });
      expectRows(d_logits, expected, { absolute: 8e-6, relative: 1e-5 }, 'd_logits');
    });
  });
});

test('clamp', async () => {
  const values = randomFloats(67, 10, 3);
  const { x } = await runKernel(executor, 'clamp', {
    bindings: { x: values },
    params: { elements: 66, minimum: -1, maximum: 0.5 },
    workgroups: [2],
  });
  expect([...(x as Float32Array)]).toEqual(
    [...values].map((value, i) => (i < 66 ? Math.min(0.5, Math.max(-1, value)) : value)),
  );
});

describe.each([
  { queries: 1, liveQueries: 1, candidates: 2, columns: 4, counts: [1] },
  { queries: 6, liveQueries: 4, candidates: 13, columns: 12, counts: [2, 0, 3, 1] },
  { queries: 67, liveQueries: 66, candidates: 200, columns: 268, counts: range(66).map((i) => i % 3) },
  { queries: 3, liveQueries: 2, candidates: 80, columns: 20, counts: [70, 5] },
])('$liveQueries of $queries queries, $candidates candidates, $columns columns', (problem) => {
  const { queries, liveQueries, candidates, columns, counts } = problem;
  const liveCandidates = liveQueries + sum(counts);
  const q = input(queries * columns, liveQueries * columns, 11);
  const c = input(candidates * columns, liveCandidates * columns, 13);
  const offsets = new Uint32Array(queries + 1).fill(0xffff_ffff);
  counts.reduce((begin, count, query) => {
    offsets[query] = begin;
    offsets[query + 1] = begin + count;
    return begin + count;
  }, liveQueries);
  const weights = Float32Array.from({ length: candidates }, (_, index) => (index % 5) / 10);
  // What has no weight has no margin either.
  const margins = input(candidates, liveCandidates, 12).map((value, index) =>
    weights[index] === 0 ? Number.NaN : value,
  );
  const step = { counts: { queries: liveQueries, candidates: liveCandidates } };
  const common = { queries: q, candidates: c, offsets, row_weights: weights };
  const params = { rows: queries, rows_count: 2, columns };
  // Fewer workgroups than queries: each takes several.
  const workgroups = [Math.ceil(queries / 2)] as const;
  const negatives = (query: number) => range(at(counts, query)).map((i) => at(offsets, query) + i);
  const element = (values: Float32Array, row: number, column: number) => at(values, row * columns + column);
  const errors = new Float64Array(liveCandidates);
  for (const query of range(liveQueries)) {
    for (const n of negatives(query)) {
      const terms = range(columns).map(
        (i) => element(q, query, i) * (element(c, query, i) - element(c, n, i)),
      );
      errors[n] = at(weights, n) === 0 ? 0 : sum(terms) - at(margins, n);
    }
  }
  const tolerance = { absolute: 1e-5, relative: 1e-5 };

  test('margin_mse_forward', async () => {
    const found = await runKernel(executor, 'margin_mse_forward', {
      bindings: { ...common, margins, errors: candidates, loss: candidates },
      params,
      workgroups,
      step,
    });
    expectRows(found.errors, [...errors], tolerance, 'errors');
    const expected = [...errors].map((error, index) => at(weights, index) * error ** 2);
    expectRows(found.loss, expected, tolerance, 'loss');
  });

  test.each([
    [false, false],
    [true, false],
    [false, true],
  ])('margin_mse_backward, accumulating queries: %s, candidates: %s', async (ofQueries, ofCandidates) => {
    const before = { queries: randomFloats(q.length, 14), candidates: randomFloats(c.length, 15) };
    const found = await runKernel(executor, 'margin_mse_backward', {
      constants: { ACCUMULATE_QUERIES: ofQueries, ACCUMULATE_CANDIDATES: ofCandidates },
      bindings: {
        ...common,
        errors: poisonFrom(
          Float32Array.from({ length: candidates }, (_, i) => errors[i] ?? 0),
          liveCandidates,
        ),
        d_queries: ofQueries ? before.queries : q.length,
        d_candidates: ofCandidates ? before.candidates : c.length,
      },
      params: { ...params, factor: 0.25 },
      workgroups,
      step: { ...step, lossScale: 2 },
    });
    const dQ = Array.from({ length: liveQueries * columns }, (_, i) =>
      ofQueries ? at(before.queries, i) : 0,
    );
    const dC = Array.from({ length: liveCandidates * columns }, (_, i) =>
      ofCandidates ? at(before.candidates, i) : 0,
    );
    const add = (target: number[], row: number, column: number, value: number) => {
      target[row * columns + column] = at(target, row * columns + column) + value;
    };
    for (const query of range(liveQueries)) {
      for (const n of negatives(query)) {
        const coefficient = at(weights, n) * at(errors, n);
        for (const i of range(columns)) {
          add(dQ, query, i, coefficient * (element(c, query, i) - element(c, n, i)));
          add(dC, query, i, coefficient * element(q, query, i));
          add(dC, n, i, -coefficient * element(q, query, i));
        }
      }
    }
    for (const [name, expected, old] of [
      ['d_queries', dQ, ofQueries ? before.queries : undefined],
      ['d_candidates', dC, ofCandidates ? before.candidates : undefined],
    ] as const) {
      expectRows(found[name], expected, { absolute: 1e-4, relative: 1e-5 }, name, old);
    }
  });
});
