/** What benchmarks must not lose: choices of kernels that were measured before something failed. */
import type { Executor } from '@synglot/gpu';
import type { TuningTable } from '@synglot/nn';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Shape, seededBatch } from '../../packages/bench/src/shapes.js';
import { openStepBench } from '../../packages/bench/src/step-bench.js';
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
