/** The InfoNCE kernels against float64: masks by group, hard negatives, either direction, live sizes. */
import type { Executor } from '@synglot/gpu';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { openTestExecutor } from '../support/executor.js';
import {
  expectClose,
  expectRows,
  expectUntouched,
  poison,
  poisonBits,
  runKernel,
} from '../support/kernel-harness.js';
import { randomFloats, randomInteger, uniform } from '../support/random.js';

let executor: Executor;
beforeAll(async () => {
  executor = await openTestExecutor();
});
afterAll(() => executor?.destroy());

interface Sizes {
  readonly queries: number;
  readonly liveQueries: number;
  readonly candidates: number;
  readonly liveCandidates: number;
  readonly groups: number;
}

/** One pair; no hard negatives; some; live sizes below capacity; more than a workgroup; many masks. */
const problems: readonly Sizes[] = [
  { queries: 1, liveQueries: 1, candidates: 1, liveCandidates: 1, groups: 100 },
  { queries: 5, liveQueries: 5, candidates: 5, liveCandidates: 5, groups: 1000 },
  { queries: 7, liveQueries: 5, candidates: 13, liveCandidates: 11, groups: 4 },
  { queries: 67, liveQueries: 65, candidates: 131, liveCandidates: 130, groups: 50 },
];
const temperature = 0.05;

function makeProblem({ queries, liveQueries, candidates, liveCandidates, groups }: Sizes) {
  const similarity = randomFloats(queries * candidates, queries);
  const bits = new Uint32Array(similarity.buffer);
  for (let query = 0; query < queries; query++) {
    for (let candidate = 0; candidate < candidates; candidate++) {
      if (query >= liveQueries || candidate >= liveCandidates)
        bits[query * candidates + candidate] = poisonBits;
    }
  }
  const random = uniform(candidates);
  const group = Uint32Array.from({ length: candidates }, () => randomInteger(random, 0, groups));
  const at = (query: number, candidate: number) =>
    (similarity[query * candidates + candidate] as number) / temperature;
  const masked = (query: number, candidate: number) =>
    query !== candidate && group[query] === group[candidate];
  const logSumExp = (values: readonly number[]) => {
    const maximum = Math.max(...values);
    return maximum + Math.log(values.reduce((sum, value) => sum + Math.exp(value - maximum), 0));
  };
  const indices = (count: number) => Array.from({ length: count }, (_, index) => index);
  const row = indices(liveQueries).map((query) =>
    logSumExp(
      indices(liveCandidates)
        .filter((candidate) => !masked(query, candidate))
        .map((candidate) => at(query, candidate)),
    ),
  );
  const column = indices(liveQueries).map((positive) =>
    logSumExp(
      indices(liveQueries)
        .filter((query) => !masked(query, positive))
        .map((query) => at(query, positive)),
    ),
  );
  return { similarity, group, at, masked, row, column };
}

/** One invocation per query or positive, or several; with more and fewer lanes than there are candidates. */
const rowKernels = [
  { kernel: 'info_nce_row_statistics', constants: {}, workgroups: 2 },
  { kernel: 'info_nce_row_statistics_workgroup', constants: { LANES: 64 }, workgroups: 67 },
  { kernel: 'info_nce_row_statistics_workgroup', constants: { LANES: 2 }, workgroups: 3 },
] as const;
const columnKernels = [
  { kernel: 'info_nce_column_statistics', constants: {}, workgroups: 2 },
  { kernel: 'info_nce_column_statistics_workgroup', constants: { LANES: 16, SUMS: 16 }, workgroups: 5 },
  { kernel: 'info_nce_column_statistics_workgroup', constants: { LANES: 2, SUMS: 8 }, workgroups: 9 },
] as const;

/** What the statistics of the live queries say, logits being similarities over the temperature. */
const logSumExps = (statistics: Float32Array | undefined, count: number) =>
  Float32Array.from({ length: count }, (_, i) => {
    const [largest, sum] = (statistics as Float32Array).subarray(2 * i) as unknown as [number, number];
    return largest / temperature + Math.log(sum);
  });

/** Logits reach ±20, where an f32 has an error of 1e-6. */
const tolerance = { absolute: 1e-5, relative: 1e-6 };

describe.each(problems)(
  '$liveQueries of $queries queries, $liveCandidates of $candidates candidates',
  (sizes) => {
    const { queries, liveQueries, candidates, liveCandidates } = sizes;
    const { similarity, group, at, masked, row, column } = makeProblem(sizes);
    const step = { counts: { queries: liveQueries, candidates: liveCandidates } };
    const size = { queries, queries_count: 2, candidates, inverse_temperature: 1 / temperature };

    test.each(rowKernels)('$kernel $constants', async ({ kernel, constants, workgroups }) => {
      const { statistics, loss } = await runKernel(executor, kernel, {
        constants,
        bindings: { similarity, groups: group, statistics: 2 * queries, loss: queries },
        params: { ...size, candidates_count: 3 },
        workgroups: [workgroups],
        step,
      });
      expectClose(logSumExps(statistics, liveQueries), row, tolerance, 'statistics');
      expectUntouched(statistics, 2 * liveQueries, 'statistics');
      const expected = row.map((value, query) => value - at(query, query));
      expectRows(loss, expected, tolerance, 'loss');
    });

    test.each(columnKernels)('$kernel $constants', async ({ kernel, constants, workgroups }) => {
      const { statistics, loss } = await runKernel(executor, kernel, {
        constants,
        bindings: { similarity, groups: group, statistics: 2 * queries, loss: queries },
        params: size,
        workgroups: [workgroups],
        step,
      });
      expectClose(logSumExps(statistics, liveQueries), column, tolerance, 'statistics');
      expectUntouched(statistics, 2 * liveQueries, 'statistics');
      const expected = column.map((value, query) => value - at(query, query));
      expectRows(loss, expected, tolerance, 'loss');
    });

    test.each([
      { row_weight: 1, column_weight: 0 },
      { row_weight: 0, column_weight: 1 },
      { row_weight: 0.5, column_weight: 0.5 },
    ])('info_nce_backward, weights $row_weight and $column_weight', async ({ row_weight, column_weight }) => {
      // Statistics of a direction without weight are not read: garbage there must not matter.
      const statistics = (values: readonly number[], weight: number) => {
        const filled = new Float32Array(2 * queries).fill(Number.NaN);
        // Any split of the log-sum-exp into largest and sum will do.
        if (weight > 0) filled.set(values.flatMap((value) => [(value - 1) * temperature, Math.E]));
        return filled;
      };
      const { d_similarity } = await runKernel(executor, 'info_nce_backward', {
        bindings: {
          similarity,
          groups: group,
          row_statistics: statistics(row, row_weight),
          column_statistics: statistics(column, column_weight),
          d_similarity: queries * candidates,
        },
        params: { ...size, candidates_count: 3, row_weight, column_weight },
        workgroups: [Math.ceil(candidates / 64), queries],
        step: { ...step, lossScale: 8 },
      });
      for (let query = 0; query < queries; query++) {
        const own = d_similarity?.slice(query * candidates, (query + 1) * candidates);
        if (query >= liveQueries) {
          expectUntouched(own, 0, `row ${query}`);
          continue;
        }
        const expected = Array.from({ length: liveCandidates }, (_, candidate) => {
          if (masked(query, candidate)) return 0;
          const target = Number(query === candidate);
          const logit = at(query, candidate);
          let gradient = row_weight * (Math.exp(logit - (row[query] as number)) - target);
          if (candidate < liveQueries) {
            gradient += column_weight * (Math.exp(logit - (column[candidate] as number)) - target);
          }
          return (8 * gradient) / temperature / liveQueries;
        });
        expectClose(own, expected, { absolute: 8e-4 / liveQueries, relative: 1e-5 }, `row ${query}`);
        expectUntouched(own, liveCandidates, `row ${query}`);
      }
    });
  },
);

describe('easy queries at a temperature of 0.001', () => {
  // Logits near 900, where an f32 is off by as much as 3e-5; losses near 6e-3.
  const size = 8;
  const similarity = randomFloats(size * size, 3, 2e-4);
  similarity.forEach((value, i) => {
    similarity[i] = 0.9 + value - (i % (size + 1) === 0 ? 0 : 0.007);
  });
  const group = Uint32Array.from({ length: size }, (_, i) => i);
  const at = (query: number, candidate: number) => similarity[query * size + candidate] as number;
  const indices = [...group];
  const row = indices.map((i) => indices.reduce((sum, j) => sum + Math.exp((at(i, j) - at(i, i)) * 1000), 0));
  const column = indices.map((j) =>
    indices.reduce((sum, i) => sum + Math.exp((at(i, j) - at(j, j)) * 1000), 0),
  );
  const params = { queries: size, queries_count: 0, candidates: size, inverse_temperature: 1000 };
  const close = { absolute: 0, relative: 1e-4 };

  test.each(rowKernels)('$kernel $constants, and the gradient', async ({ kernel, constants, workgroups }) => {
    const { statistics, loss } = await runKernel(executor, kernel, {
      constants,
      bindings: { similarity, groups: group, statistics: 2 * size, loss: size },
      params: { ...params, candidates_count: 0 },
      workgroups: [workgroups],
    });
    expectClose(loss, row.map(Math.log), close, 'loss');
    const { d_similarity } = await runKernel(executor, 'info_nce_backward', {
      bindings: {
        similarity,
        groups: group,
        row_statistics: statistics as Float32Array,
        column_statistics: poison(2 * size),
        d_similarity: size * size,
      },
      params: { ...params, candidates_count: 0, row_weight: 1, column_weight: 0 },
      workgroups: [1, size],
    });
    const expected = indices.flatMap((i) =>
      indices.map((j) => {
        const sum = row[i] as number;
        // 1 / sum - 1, without the cancellation.
        const gradient = i === j ? (1 - sum) / sum : Math.exp((at(i, j) - at(i, i)) * 1000) / sum;
        return (gradient * 1000) / size;
      }),
    );
    expectClose(d_similarity, expected, close, 'd_similarity');
  });

  test.each(columnKernels)('$kernel $constants', async ({ kernel, constants, workgroups }) => {
    const { loss } = await runKernel(executor, kernel, {
      constants,
      bindings: { similarity, groups: group, statistics: 2 * size, loss: size },
      params,
      workgroups: [workgroups],
    });
    expectClose(loss, column.map(Math.log), close, 'loss');
  });
});
