/** One training plan with dropout: the same bits every time on one device, through either executor. */
import type { Executor } from '@synglot/gpu';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestExecutor } from '../support/executor.js';
import { expectSameBits, trainingBits } from '../support/kernel-training-bits.js';

let executor: Executor;
beforeAll(async () => {
  executor = await openTestExecutor();
});
afterAll(() => executor?.destroy());

/** Trains on both executors and compares losses, gradient norms, gradients, weights and moments. */
async function expectAgreement(first: Executor, second: Executor): Promise<void> {
  expectSameBits(await trainingBits(second), await trainingBits(first));
}

test('two runs on one device give the same bits', async () => {
  await expectAgreement(executor, executor);
});

test('the native and the webgpu executor give the same bits', async ({ skip }) => {
  const other = await openTestExecutor({ executor: executor.kind === 'native' ? 'webgpu' : 'native' }).catch(
    (error: Error & { code?: string }) => {
      if (process.env.REQUIRE_NATIVE === '1' || error.code !== 'DEVICE_UNAVAILABLE') throw error;
      return undefined;
    },
  );
  if (!other) return skip('only one executor is available here: the native one is not built');
  try {
    const { subgroups, subgroupMatrixConfigs } = executor.device;
    expect(other.device.subgroups).toEqual(subgroups);
    expect(other.device.subgroupMatrixConfigs).toEqual(subgroupMatrixConfigs);
    for (const { component, result } of subgroupMatrixConfigs) {
      expect([component, result].filter((name) => !/^[fiu](8|16|32)$/.test(name))).toEqual([]);
    }
    await expectAgreement(executor, other);
  } finally {
    other.destroy();
  }
});

test('recomputed activations give the same bits', async () => {
  expectSameBits(await trainingBits(executor, 3, { recompute: true }), await trainingBits(executor));
});

test('one batch accumulated and then applied gives the bits of a step', async () => {
  expectSameBits(await trainingBits(executor, 3, { apart: true }), await trainingBits(executor));
});

test('the run that is compared learns something, and finite numbers', async () => {
  const bits = await trainingBits(executor, 8);
  const floats = (name: string) => new Float32Array((bits.get(name) as Uint32Array).slice().buffer);
  for (const name of bits.keys()) expect(floats(name).every(Number.isFinite), name).toBe(true);
  const clip = (step: number) => floats(`step ${step}: clip`);
  expect(clip(1)[0]).toBeGreaterThan(0);
  // Clipping was decided on the device: norm above 1, factor below.
  expect(clip(1)[1]).toBeCloseTo(Math.min(1, 1 / (clip(1)[0] as number)), 4);
  for (const gradient of [...bits.keys()].filter((name) => name.startsWith('gradient'))) {
    // A key's bias shifts all scores of a query alike: its gradient is rounding, if anything.
    if (gradient.endsWith('self.key.bias')) continue;
    expect(
      floats(gradient).some((value) => value !== 0),
      gradient,
    ).toBe(true);
  }
});
