/**
 * A training step without data races: every access of every kernel is checked (test/support/race-checks.ts), with the
 * kernels for software devices and with those for GPUs. SYNGLOT_CHECK_RACES=1 does the same for any other test here.
 */
import type { Executor } from '@synglot/gpu';
import { type KernelChoice, matmulCandidates } from '@synglot/nn';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { openTestExecutor } from '../support/executor.js';
import { expectSameBits, trainingBits } from '../support/kernel-training-bits.js';
import { asProblem, full, runProduct } from '../support/matmul-problem.js';
import { overExecutor } from '../support/over-executor.js';
import { withRaceChecks } from '../support/race-checks.js';

vi.setConfig({ testTimeout: 600_000 });

let executor: Executor;
beforeAll(async () => {
  executor = await openTestExecutor();
});
afterAll(() => executor?.destroy());
beforeEach((context) => {
  if (executor.device.id === 'lavapipe') context.skip('left to SwiftShader: here it compiles for minutes');
});

test.each(['cpu', 'discrete-gpu'] as const)(
  'a training step with the kernels for %s has no races, and the same bits as unchecked',
  async (type) => {
    const plain = overExecutor(executor, { device: { type } });
    expectSameBits(await trainingBits(withRaceChecks(plain), 1), await trainingBits(plain, 1));
  },
);

test.each([0, 1])('a product without its barrier %i has a race', async (removed) => {
  const product = { product: 'matmul_nt', accumulate: false, element: 'f32', output: 'f32' } as const;
  const shape = { m: full(16), n: full(16), k: full(64) };
  const device = { ...executor.device, type: 'discrete-gpu' } as const;
  const [choice] = matmulCandidates(device, asProblem(product, shape)) as [KernelChoice, ...KernelChoice[]];
  expect(choice.kernel).toBe('matmul_nt_workgroup');
  const checked = withRaceChecks(executor);
  const without = overExecutor(checked, {
    compile: (plan, externals) => {
      const kernels = plan.kernels.map((kernel) => {
        let barrier = 0;
        const code = kernel.code.replace(/workgroupBarrier\(\);/g, (text) =>
          barrier++ === removed ? '' : text,
        );
        expect(barrier).toBe(2);
        return { ...kernel, code };
      });
      return checked.compile({ ...plan, kernels }, externals);
    },
  });
  await runProduct(checked, product, shape, { device, choice });
  await expect(runProduct(without, product, shape, { device, choice })).rejects.toThrow(
    /matmul_nt_workgroup: invocation \d+ .* workgroup array panel_[ab], element \d+, invocation \d+, with no barrier between/,
  );
});
