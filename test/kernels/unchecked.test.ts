/** Without Dawn's checks (`SYNGLOT_UNCHECKED=1`) a training step computes what it computes with them. */
import type { Executor } from '@synglot/gpu';
import { test, vi } from 'vitest';
import { openTestExecutor } from '../support/executor.js';
import { expectSameBits, trainingBits } from '../support/kernel-training-bits.js';
import { overExecutor } from '../support/over-executor.js';

vi.setConfig({ testTimeout: 300_000 });

/** Runs one device after the other. */
async function bitsOf(options: { unchecked: boolean }, type: 'cpu' | 'discrete-gpu') {
  const executor: Executor = await openTestExecutor(options);
  try {
    return await trainingBits(overExecutor(executor, { device: { type } }), 2);
  } finally {
    executor.destroy();
  }
}

test.each(['cpu', 'discrete-gpu'] as const)('the kernels for %s leave the same bits', async (type) => {
  expectSameBits(await bitsOf({ unchecked: true }, type), await bitsOf({ unchecked: false }, type));
});
