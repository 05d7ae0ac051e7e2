/** cast_to_half, and what the devices that we know make of numbers that f16 does not hold. */
import type { Executor } from '@synglot/gpu';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openTestExecutor } from '../support/executor.js';
import { canStore, noHalf, stored } from '../support/half.js';
import { runKernel } from '../support/kernel-harness.js';
import { randomFloats } from '../support/random.js';

let executor: Executor;
beforeAll(async () => {
  executor = await openTestExecutor();
});
afterAll(() => executor?.destroy());
beforeEach(({ skip }) => skip(!canStore(executor, 'f16'), noHalf));

async function cast(x: Float32Array, workgroups = 1): Promise<Float32Array> {
  const { y } = await runKernel(executor, 'cast_to_half', {
    bindings: { x, y: x.length },
    params: { elements: x.length },
    workgroups: [workgroups],
  });
  return y as Float32Array;
}

test.each([4, 256, 1000])('cast_to_half: %i elements, each the nearest f16', async (elements) => {
  const x = randomFloats(elements, 1, 3);
  expect(await cast(x, 2)).toEqual(stored(x, 'f16'));
});

test('subnormals survive and small numbers become zero, of their own sign', async () => {
  const x = Float32Array.of(6e-8, -6e-8, 1e-6, 1e-9);
  expect(await cast(x)).toEqual(stored(x, 'f16'));
});

test('what exceeds the range becomes infinite and stays so: overflows can be seen', async () => {
  const y = await cast(Float32Array.of(65_504, 65_536, -1e6, Number.POSITIVE_INFINITY));
  expect([...y]).toEqual([65_504, Infinity, -Infinity, Infinity]);
  const { gradient } = await runKernel(executor, 'embedding_backward_rows', {
    constants: { Element: 'f16' },
    bindings: {
      d_y: y,
      rows: Uint32Array.of(0),
      offsets: Uint32Array.of(0, 1),
      order: Uint32Array.of(0),
      gradient: new Float32Array(4),
    },
    params: { distinct: 1, distinct_count: 0, columns: 4, row_begin: 0, row_end: 1 },
    workgroups: [1],
  });
  expect([...(gradient as Float32Array)]).toEqual([65_504, Infinity, -Infinity, Infinity]);
});
