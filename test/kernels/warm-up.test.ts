/** A warm-up compiles the kernels of a plan and leaves no trace: training afterwards has the same bits. */
import { type Executor, PlanBuilder, warmUpPlan } from '@synglot/gpu';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestExecutor } from '../support/executor.js';
import { trainingBits } from '../support/kernel-training-bits.js';

let executor: Executor;
let warmed: Executor;
beforeAll(async () => {
  executor = await openTestExecutor();
  warmed = await openTestExecutor();
});
afterAll(() => {
  executor?.destroy();
  warmed?.destroy();
});

test('training after a warm-up, run while weights are loaded, has the bits of training without', async () => {
  const plain = await trainingBits(executor, 2);
  const after = await trainingBits(warmed, 2, { warmUp: true });
  expect([...after.keys()]).toEqual([...plain.keys()]);
  for (const [name, bits] of plain) expect(after.get(name), name).toEqual(bits);
});

test('a warm-up has one dispatch per kernel and no buffer of the plan', () => {
  const plan = new PlanBuilder('two copies');
  const [source, destination] = [plan.external('source', [8]), plan.external('destination', [8])];
  const copy = (label: string) =>
    plan.dispatch('tanh_forward', {
      label,
      workgroups: [4] as const,
      bindings: { x: source, y: destination },
      params: { rows: 1, rows_count: 0, columns: 8 },
    });
  copy('first');
  copy('second');
  const warmUp = warmUpPlan(plan.build());
  expect(warmUp.commands).toMatchObject([{ workgroups: [1, 1, 1], label: 'warm-up of tanh_forward' }]);
  expect(warmUp.buffers.filter(({ role }) => role === 'external')).toEqual([]);
});
