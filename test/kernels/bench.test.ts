/** What benchmarks must not lose: choices of kernels that were measured before something failed; ceilings. */
import type { Executor } from '@synglot/gpu';
import type { TuningTable } from '@synglot/nn';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { measureMatrixUnits } from '../../packages/bench/src/ceilings.js';
import type { FailedPart } from '../../packages/bench/src/failures.js';
import { type Shape, seededBatch } from '../../packages/bench/src/shapes.js';
import { openStepBench } from '../../packages/bench/src/step-bench.js';
import { withEmulatedMatrices } from '../support/emulated-matrices.js';
import { openTestExecutor } from '../support/executor.js';
import { meanHead, smallEncoder } from '../support/small-encoder.js';

let executor: Executor;
beforeAll(async () => {
  executor = await openTestExecutor();
});
afterAll(() => executor?.destroy());

const shape: Shape = { encoder: smallEncoder, pooling: meanHead };

test('a tuned step hands over each choice when it was measured, and measures only what it was not given', async () => {
  const batch = seededBatch(2, 4, shape.encoder.vocabularySize);
  const open = async (tuning: TuningTable, failAfter = Number.POSITIVE_INFINITY) => {
    const measured: TuningTable = {};
    const onTuned = (choice: TuningTable) => {
      Object.assign(measured, choice);
      if (Object.keys(measured).length === failAfter) throw new Error('enough');
    };
    const step = await openStepBench(executor, { shape, batch, optimizer: 'adamw', tuning, onTuned }).catch(
      (error: Error) => error,
    );
    if (!(step instanceof Error)) step.destroy();
    return { step, measured };
  };

  const first = await open({}, 2);
  expect(first.step).toMatchObject({ message: 'enough' });
  expect(Object.keys(first.measured)).toHaveLength(2);

  const second = await open(first.measured);
  expect(second.step).toMatchObject({ kernelChoices: { ...first.measured, ...second.measured } });
  expect(Object.keys(second.measured).length).toBeGreaterThan(2);
  for (const known of Object.keys(first.measured)) expect(second.measured).not.toHaveProperty([known]);
});

test('the ceiling of matrix units is measured where a subgroup may be larger than the one asked for', async () => {
  const failed: FailedPart[] = [];
  const device = withEmulatedMatrices(executor, {
    subgroups: { minSize: 32, maxSize: 64 },
    configs: [{ component: 'f32', result: 'f32', M: 8, N: 8, K: 8 }],
  });
  const matrix = await measureMatrixUnits(device, failed);
  expect(failed).toEqual([]);
  expect(matrix).toMatchObject([{ component: 'f32', M: 8, gflops_per_second: expect.any(Number) }]);
});
