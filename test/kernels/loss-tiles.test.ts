/** The kernels of gradient caching against float64 over the whole matrix: masks, directions, edge tiles. */
import type { Executor } from '@synglot/gpu';
import { type LossTile, lossTiles } from '@synglot/nn';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestExecutor } from '../support/executor.js';
import {
  expectClose,
  expectUntouched,
  poison,
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

describe('copy_rows', () => {
  const columns = 12;
  const whole = randomFloats(23 * columns, 1);
  const part = randomFloats(7 * columns, 2);
  const [live, begin] = [5, 11];
  const size = { rows: 7, rows_count: 2, columns };
  const step = { counts: { queries: live }, begins: [3, begin] } as const;

  test('reads from the first or second beginning', async () => {
    for (const [slot, from] of [
      [1, 3],
      [2, begin],
    ] as const) {
      const { y } = await runKernel(executor, 'copy_rows', {
        bindings: { x: whole, y: 7 * columns },
        params: { ...size, x_begin: slot, y_begin: 0 },
        workgroups: [1],
        step,
      });
      expectClose(
        y,
        whole.subarray(from * columns, (from + live) * columns),
        { absolute: 0, relative: 0 },
        'y',
      );
      expectUntouched(y, live * columns, 'y');
    }
  });

  test.each([false, true])('writes into the whole, ACCUMULATE %s', async (ACCUMULATE) => {
    const { y } = await runKernel(executor, 'copy_rows', {
      bindings: { x: poisonFrom(part, live * columns), y: whole },
      constants: { ACCUMULATE },
      params: { ...size, x_begin: 0, y_begin: 2 },
      workgroups: [2],
      step,
    });
    const expected = Float64Array.from(whole);
    for (let i = 0; i < live * columns; i++) {
      const before = ACCUMULATE ? (whole[begin * columns + i] as number) : 0;
      expected[begin * columns + i] = before + (part[i] as number);
    }
    expectClose(y, expected, rounding, 'y');
    expectUntouched(y, (begin + live) * columns, 'y', whole);
  });

  test('overwrites what is not a number', async () => {
    const { y } = await runKernel(executor, 'copy_rows', {
      bindings: { x: part, y: 7 * columns },
      params: { ...size, rows_count: 0, x_begin: 0, y_begin: 0 },
      workgroups: [1],
      step,
    });
    expectClose(y, part, { absolute: 0, relative: 0 }, 'y');
  });
});

interface Sizes {
  readonly queries: number;
  readonly candidates: number;
  readonly groups: number;
  readonly tile: readonly [number, number];
}

/** One pair; one tile; tiles that divide; tiles that do not, many masks; more than a workgroup. */
const problems: readonly Sizes[] = [
  { queries: 1, candidates: 1, groups: 9, tile: [4, 4] },
  { queries: 7, candidates: 13, groups: 5, tile: [16, 16] },
  { queries: 8, candidates: 16, groups: 1000, tile: [4, 4] },
  { queries: 11, candidates: 29, groups: 6, tile: [4, 8] },
  { queries: 149, candidates: 211, groups: 90, tile: [76, 100] },
];
const temperature = 0.05;
const indices = (count: number) => Array.from({ length: count }, (_, index) => index);

function makeProblem({ queries, candidates, groups }: Sizes) {
  const similarity = randomFloats(queries * candidates, queries);
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
  const row = indices(queries).map((query) => {
    const others = indices(candidates).filter((candidate) => !masked(query, candidate));
    return logSumExp(others.map((candidate) => at(query, candidate)));
  });
  const column = indices(queries).map((positive) => {
    const others = indices(queries).filter((query) => !masked(query, positive));
    return logSumExp(others.map((query) => at(query, positive)));
  });
  return { similarity, group, at, masked, row, column };
}

/** Logits reach ±20, where an f32 has an error of 1e-6. */
const tolerance = { absolute: 1e-5, relative: 1e-6 };

describe.each(problems)('$queries × $candidates in tiles of $tile', (sizes) => {
  const { queries, candidates } = sizes;
  const [tileQueries, tileCandidates] = sizes.tile;
  const { similarity, group, at, masked, row, column } = makeProblem(sizes);
  // Square tiles; where the capacity is not square, its longer side is never full.
  const tiles: LossTile[] = [...lossTiles(queries, candidates, Math.min(tileQueries, tileCandidates))];

  const matrix = (tile: LossTile) => {
    const values = poison(tileQueries * tileCandidates);
    for (let query = 0; query < tile.queries; query++) {
      const from = (tile.queryBegin + query) * candidates + tile.candidateBegin;
      values.set(similarity.subarray(from, from + tile.candidates), query * tileCandidates);
    }
    return values;
  };
  const params = {
    tile_queries: tileQueries,
    tile_queries_count: 6,
    tile_candidates: tileCandidates,
    tile_candidates_count: 7,
    queries: queries + 3,
    queries_count: 2,
    inverse_temperature: 1 / temperature,
  };
  const step = (tile: LossTile) => ({
    counts: { queries, tileQueries: tile.queries, tileCandidates: tile.candidates },
    begins: [tile.queryBegin, queries + tile.candidateBegin] as const,
  });

  // One invocation per query or candidate, or several: more and fewer than there are others.
  const kernels = [
    { kernel: 'info_nce_tile_statistics', constants: {}, each: 64 },
    { kernel: 'info_nce_tile_statistics_workgroup', constants: { LANES: 64, SUMS: 1 }, each: 1 },
    { kernel: 'info_nce_tile_statistics_workgroup', constants: { LANES: 4, SUMS: 16 }, each: 16 },
  ] as const;
  const cases = kernels.flatMap((variant) => [false, true].map((COLUMNS) => ({ ...variant, COLUMNS })));
  test.each(cases)('$kernel $constants, COLUMNS $COLUMNS', async ({ kernel, constants, each, COLUMNS }) => {
    let statistics = poison((queries + 3) * 4);
    for (const tile of tiles) {
      const found = await runKernel(executor, kernel, {
        bindings: { similarity: matrix(tile), groups: group, statistics },
        constants: { ...constants, COLUMNS },
        params,
        workgroups: [Math.ceil((COLUMNS ? tileCandidates : tileQueries) / each)],
        step: step(tile),
      });
      statistics = found.statistics as Float32Array<ArrayBuffer>;
    }
    const state = (field: number) => indices(queries).map((i) => statistics[i * 4 + field] as number);
    const [largest, others] = [state(0), state(1)];
    const logSumExp = Float32Array.from(
      largest,
      (value, i) => value / temperature + Math.log(others[i] as number),
    );
    expectClose(logSumExp, COLUMNS ? column : row, tolerance, 'log-sum-exp');
    const own = indices(queries).map((i) => similarity[i * candidates + i] as number);
    expectClose(Float32Array.from(state(2)), own, tolerance, 'own similarity');
    expectUntouched(statistics, queries * 4, 'statistics');
  });

  test.each([
    { row_weight: 1, column_weight: 0 },
    { row_weight: 0, column_weight: 1 },
    { row_weight: 0.5, column_weight: 0.5 },
  ])(
    'info_nce_tile_backward, weights $row_weight and $column_weight',
    async ({ row_weight, column_weight }) => {
      // Statistics of a direction without weight are not read: garbage there must not matter.
      const statistics = (values: readonly number[], weight: number) => {
        const filled = new Float32Array((queries + 3) * 4).fill(Number.NaN);
        if (weight === 0) return filled;
        // Any split of the log-sum-exp into largest and sum will do.
        values.forEach((value, i) => {
          filled.set([(value - 1) * temperature, Math.E], i * 4);
        });
        return filled;
      };
      let checked = 0;
      for (const tile of tiles) {
        const { d_similarity } = await runKernel(executor, 'info_nce_tile_backward', {
          bindings: {
            similarity: matrix(tile),
            groups: group,
            row_statistics: statistics(row, row_weight),
            column_statistics: statistics(column, column_weight),
            d_similarity: tileQueries * tileCandidates,
          },
          params: { ...params, row_weight, column_weight },
          workgroups: [Math.ceil(tileCandidates / 64), tileQueries],
          step: { ...step(tile), lossScale: 8 },
        });
        for (let i = 0; i < tileQueries; i++) {
          const own = d_similarity?.slice(i * tileCandidates, (i + 1) * tileCandidates);
          const live = i < tile.queries ? tile.candidates : 0;
          const query = tile.queryBegin + i;
          const expected = indices(live).map((j) => {
            const candidate = tile.candidateBegin + j;
            if (masked(query, candidate)) return 0;
            const target = Number(query === candidate);
            const logit = at(query, candidate);
            let gradient = row_weight * (Math.exp(logit - (row[query] as number)) - target);
            if (candidate < queries) {
              gradient += column_weight * (Math.exp(logit - (column[candidate] as number)) - target);
            }
            return (8 * gradient) / temperature / queries;
          });
          expectClose(own, expected, { absolute: 8e-4 / queries, relative: 1e-5 }, `row ${query}`);
          expectUntouched(own, live, `row ${query}`);
          checked += live;
        }
      }
      expect(checked).toBe(queries * candidates);
    },
  );
});
