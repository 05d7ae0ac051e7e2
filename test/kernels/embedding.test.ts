/** Embedding lookups and their gradients, tables whole and split. */
import type { Executor } from '@synglot/gpu';
import { sortRows } from '@synglot/nn';
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
import { randomInteger, randomFloats as randomValues, uniform } from '../support/random.js';

let executor: Executor;
beforeAll(async () => {
  executor = await openTestExecutor();
});
afterAll(() => executor?.destroy());

const vocabulary = 29;
const positions = 11;
const types = 3;

const shapes = [
  { capacity: 1, live: 1, columns: 4 },
  { capacity: 13, live: 11, columns: 12 },
  { capacity: 97, live: 97, columns: 20 },
  { capacity: 5, live: 0, columns: 8 },
] as const;

interface Token {
  readonly id: number;
  readonly position: number;
  readonly type: number;
}

/** Random tokens with many repetitions, and their feed; entries beyond the live ones are garbage. */
function makeTokens(live: number, capacity: number) {
  const random = uniform(live * 100 + capacity);
  const list = Array.from(
    { length: live },
    (): Token => ({
      id: randomInteger(random, 0, vocabulary),
      position: randomInteger(random, 0, positions),
      type: randomInteger(random, 0, types),
    }),
  );
  const feed = new Uint32Array(capacity * 4).fill(0xffff_ffff);
  list.forEach(({ id, position, type }, index) => {
    feed.set([id, position, type, 0], index * 4);
  });
  return { list, feed };
}

const row = (table: Float32Array, index: number, columns: number): number[] =>
  Array.from(table.subarray(index * columns, (index + 1) * columns));

describe.each(elements)('stored as %s', (element) => {
  beforeEach(({ skip }) => skip(!canStore(executor, element), noHalf));
  const randomFloats = (count: number, seed: number, scale?: number) =>
    stored(randomValues(count, seed, scale), element);
  const rounding = storageTolerance(exact, element);
  describe.each([[[0, vocabulary]], [[0, 10, 21, vocabulary]]])('parts of the word table: %j', (borders) => {
    const parts = borders.slice(1).map((end, index) => ({ begin: borders[index] as number, end }));

    test.each(shapes)(
      'embedding_gather_forward: $live of $capacity tokens, $columns columns',
      async ({ capacity, live, columns }) => {
        const table = randomFloats(vocabulary * columns, 1);
        const { list, feed } = makeTokens(live, capacity);
        for (const { begin, end } of parts) {
          const { y } = await runKernel(executor, 'embedding_gather_forward', {
            constants: { Element: element },
            bindings: {
              table: table.slice(begin * columns, end * columns),
              tokens: feed,
              y: capacity * columns,
            },
            params: { tokens: capacity, tokens_count: 1, columns, row_begin: begin, row_end: end },
            workgroups: [2],
            step: { counts: { tokens: live } },
          });
          list.forEach(({ id }, token) => {
            const what = `token ${token} of part ${begin} to ${end}`;
            const own = y?.slice(token * columns, (token + 1) * columns);
            if (id >= begin && id < end) {
              expectClose(own, row(table, id, columns), { absolute: 0, relative: 0 }, what);
            } else {
              expectUntouched(own, 0, what);
            }
          });
          expectUntouched(y, live * columns, 'y beyond the live tokens');
        }
      },
    );

    const backwards = [
      { kernel: 'embedding_backward_rows', constants: {}, workgroups: 1 },
      { kernel: 'embedding_backward_rows_workgroup', constants: { LANES: 8, SUMS: 8 }, workgroups: 50 },
      { kernel: 'embedding_backward_rows_workgroup', constants: { LANES: 2, SUMS: 4 }, workgroups: 3 },
    ] as const;
    test.each(backwards.flatMap((variant) => shapes.map((shape) => ({ ...variant, ...shape }))))(
      '$kernel: $live of $capacity tokens, $columns columns',
      async ({ kernel, constants, workgroups, capacity, live, columns }) => {
        const dY = randomFloats(capacity * columns, 2);
        const { list } = makeTokens(live, capacity);
        const sorted = sortRows(Uint32Array.from(list, ({ id }) => id));
        const distinct = Math.min(capacity, vocabulary);
        const padded = (values: Uint32Array, length: number) => {
          const whole = new Uint32Array(length).fill(0xffff_ffff);
          whole.set(values);
          return whole;
        };
        for (const { begin, end } of parts) {
          const before = randomFloats((end - begin) * columns, 3);
          const { gradient } = await runKernel(executor, kernel, {
            constants: { ...constants, Element: element },
            bindings: {
              d_y: poisonFrom(dY, live * columns),
              rows: padded(sorted.rows, distinct),
              offsets: padded(sorted.offsets, distinct + 1),
              order: padded(sorted.order, capacity),
              gradient: before,
            },
            params: { distinct, distinct_count: 4, columns, row_begin: begin, row_end: end },
            workgroups: [workgroups],
            step: { counts: { distinctWords: sorted.rows.length } },
          });
          const expected = Float64Array.from(before);
          list.forEach(({ id }, token) => {
            if (id < begin || id >= end) return;
            for (let column = 0; column < columns; column++) {
              expected[(id - begin) * columns + column]! += dY[token * columns + column] as number;
            }
          });
          expectClose(gradient, expected, { absolute: 3e-6, relative: 2e-6 }, `rows ${begin} to ${end}`);
        }
      },
    );
  });

  test.each(shapes)(
    'embedding_position_type_forward: $live of $capacity tokens, $columns columns',
    async ({ capacity, live, columns }) => {
      const positionTable = randomFloats(positions * columns, 4);
      const typeTable = randomFloats(types * columns, 5);
      const { list, feed } = makeTokens(live, capacity);
      const { y } = await runKernel(executor, 'embedding_position_type_forward', {
        constants: { Element: element },
        bindings: { positions: positionTable, types: typeTable, tokens: feed, y: capacity * columns },
        params: { tokens: capacity, tokens_count: 1, columns },
        workgroups: [1],
        step: { counts: { tokens: live } },
      });
      const expected = list.flatMap(({ position, type }) => {
        const second = row(typeTable, type, columns);
        return row(positionTable, position, columns).map(
          (value, column) => value + (second[column] as number),
        );
      });
      expectRows(y, expected, rounding, 'y');
    },
  );

  test.each([
    { capacity: 1, live: 1, columns: 4, rowsPerBlock: 64 },
    { capacity: 13, live: 7, columns: 12, rowsPerBlock: 4 },
    { capacity: 131, live: 129, columns: 132, rowsPerBlock: 64 },
  ])(
    'embedding_backward_type_partial: $live of $capacity tokens, blocks of $rowsPerBlock',
    async ({ capacity, live, columns, rowsPerBlock }) => {
      const dY = randomFloats(capacity * columns, 6);
      const { list, feed } = makeTokens(live, capacity);
      const blocks = Math.ceil(capacity / rowsPerBlock);
      for (let type = 0; type < types; type++) {
        const { partial } = await runKernel(executor, 'embedding_backward_type_partial', {
          bindings: { d_y: poisonFrom(dY, live * columns), tokens: feed, partial: blocks * columns },
          constants: { ROWS_PER_BLOCK: rowsPerBlock, Element: element },
          params: { tokens: capacity, tokens_count: 1, columns, token_type: type },
          workgroups: [Math.ceil(columns / 4 / 32), blocks],
          step: { counts: { tokens: live } },
        });
        const expected = new Float64Array(Math.ceil(live / rowsPerBlock) * columns);
        list.forEach((token, index) => {
          if (token.type !== type) return;
          const base = Math.floor(index / rowsPerBlock) * columns;
          for (let column = 0; column < columns; column++) {
            expected[base + column]! += dY[index * columns + column] as number;
          }
        });
        expectRows(partial, expected, { absolute: 5e-6, relative: 2e-6 }, `type ${type}`);
      }
    },
  );
});
