/** Perturbation of word embeddings: norms of the gradients of sequences, and the step up them. */
import type { Executor } from '@synglot/gpu';
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
import { randomFloats as randomValues } from '../support/random.js';

let executor: Executor;
beforeAll(async () => {
  executor = await openTestExecutor();
});
afterAll(() => executor?.destroy());

const problems = [
  { lengths: [1], slots: 1, capacity: 1, columns: 4 },
  { lengths: [3, 1, 7, 2, 5], slots: 8, capacity: 23, columns: 12 },
  { lengths: [13, 37], slots: 3, capacity: 64, columns: 36 },
] as const;

test('a gradient whose square f32 does not hold has no direction, rather than a wrong one', async () => {
  const gradients = Float32Array.of(1e-18, 2e-20, 1e-22, 0);
  const x = new Float32Array(16);
  gradients.forEach((value, sequence) => {
    x[4 * sequence] = value;
  });
  const { inverse_norms } = await runKernel(executor, 'sequence_inverse_norms', {
    bindings: { x, slots: Uint32Array.of(0, 1, 1, 2, 2, 3, 3, 4), inverse_norms: 4 },
    params: { columns: 4 },
    workgroups: [4],
  });
  expectClose(inverse_norms, [1e18, 0, 0, 0], { absolute: 0, relative: 1e-5 }, 'inverse_norms');
});

describe.each(elements)('stored as %s', (element) => {
  beforeEach(({ skip }) => skip(!canStore(executor, element), noHalf));
  const randomFloats = (count: number, seed: number) => stored(randomValues(count, seed), element);
  const rounding = storageTolerance(exact, element);

  test.each(problems)('sequences of $lengths, $columns columns', async (problem) => {
    const { lengths, slots, capacity, columns } = problem;
    const live = lengths.reduce((sum: number, length) => sum + length, 0);
    const borders = [0];
    for (const length of lengths) borders.push((borders.at(-1) as number) + length);
    const x = poisonFrom(randomFloats(capacity * columns, 1), live * columns);
    const direction = poisonFrom(randomFloats(capacity * columns, 2), live * columns);
    // The second sequence has a gradient of zero, where there is one.
    if (lengths.length > 1)
      direction.fill(0, (borders[1] as number) * columns, (borders[2] as number) * columns);
    const bounds = new Uint32Array(slots * 2);
    const info = new Uint32Array(capacity * 4).fill(0xffff_ffff);
    const norms = lengths.map((_, slot) => {
      const [begin, end] = [borders[slot] as number, borders[slot + 1] as number];
      bounds.set([begin, end], slot * 2);
      for (let token = begin; token < end; token++) info[token * 4 + 3] = slot;
      const squares = direction.subarray(begin * columns, end * columns).reduce((sum, v) => sum + v * v, 0);
      return squares > 0 ? 1 / Math.sqrt(squares) : 0;
    });
    const { inverse_norms } = await runKernel(executor, 'sequence_inverse_norms', {
      constants: { Element: element },
      bindings: { x: direction, slots: bounds, inverse_norms: slots },
      params: { columns },
      workgroups: [slots],
    });
    const unused = Array.from({ length: slots - lengths.length }, () => 0);
    expectClose(inverse_norms, [...norms, ...unused], { absolute: 0, relative: 1e-5 }, 'inverse_norms');

    const { y } = await runKernel(executor, 'add_scaled_sequences', {
      constants: { Element: element },
      bindings: {
        x,
        direction,
        tokens_info: info,
        scales: Float32Array.from([...norms, ...unused]),
        y: capacity * columns,
      },
      params: { tokens: capacity, tokens_count: 1, columns, factor: 0.5 },
      workgroups: [2],
      step: { counts: { tokens: live } },
    });
    const expected = Array.from({ length: live * columns }, (_, i) => {
      const slot = info[Math.floor(i / columns) * 4 + 3] as number;
      return (x[i] as number) + 0.5 * (norms[slot] as number) * (direction[i] as number);
    });
    expectRows(y, expected, rounding, 'y');
  });
});
