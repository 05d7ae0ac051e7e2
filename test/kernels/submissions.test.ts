/** A plan that is handed to the device in parts does what it does in one piece, on both executors. */
import { type Executor, PlanBuilder } from '@synglot/gpu';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { globals } from 'webgpu';
import { openTestExecutor } from '../support/executor.js';
import { expectSameBits, trainingBits } from '../support/kernel-training-bits.js';

const columns = 64;
const commandsPerSubmission = 7;

describe.each(['native', 'webgpu'] as const)('%s', (kind) => {
  let executor: Executor | undefined;
  let whole: Executor | undefined;
  const open = (options: { commandsPerSubmission: number }) =>
    openTestExecutor({ executor: kind, ...options }).catch((error: Error & { code?: string }) => {
      if (process.env.REQUIRE_NATIVE === '1' || error.code !== 'DEVICE_UNAVAILABLE') throw error;
      return undefined;
    });
  beforeAll(async () => {
    executor = await open({ commandsPerSubmission });
    whole = await open({ commandsPerSubmission: Infinity });
  });
  afterAll(() => {
    executor?.destroy();
    whole?.destroy();
  });

  test('training steps leave the same bits', async ({ skip }) => {
    if (!executor || !whole) return skip(`the ${kind} executor is not available here`);
    expectSameBits(await trainingBits(executor), await trainingBits(whole));
  });

  // None, fewer than a part, a part exactly, one more, and several.
  test.for([0, 6, 7, 8, 50])('%i commands, again and again', async (commands, { skip }) => {
    if (!executor) return skip(`the ${kind} executor is not available here`);
    const { plan, added, copied } = counting(commands);
    const compiled = await executor.compile(plan);
    const run = { feeds: { x: new Float32Array(columns).fill(1) }, reads: ['y', 'z'] };
    // From the third run on, the native executor has recorded its commands ahead.
    for (let runs = 0; runs < 4; runs++) {
      const { reads } = await compiled.run(run);
      expect(new Set(new Float32Array(reads.y as ArrayBuffer))).toEqual(new Set([added]));
      expect(new Set(new Float32Array(reads.z as ArrayBuffer))).toEqual(new Set([copied]));
    }
    if (executor.device.features.includes('timestamp-query')) {
      const { reads, timings = [] } = await compiled.run({ ...run, profile: true });
      expect(new Set(new Float32Array(reads.y as ArrayBuffer))).toEqual(new Set([added]));
      expect(timings.map(({ label }) => label)).toEqual(
        Array.from({ length: added }, (_, index) => `add ${index + 1}`),
      );
    }
    compiled.destroy();
  });
});

test('npm webgpu is handed as many parts as are asked for', async () => {
  const executor = await openTestExecutor({ executor: 'webgpu', commandsPerSubmission });
  const compiled = await executor.compile(counting(50).plan);
  const { GPUQueue } = globals as { readonly GPUQueue: { readonly prototype: GPUQueue } };
  const submit = vi.spyOn(GPUQueue.prototype, 'submit');
  try {
    await compiled.run();
    expect(submit).toHaveBeenCalledTimes(Math.ceil(50 / commandsPerSubmission));
  } finally {
    submit.mockRestore();
    compiled.destroy();
    executor.destroy();
  }
});

/** Clears y, then adds x to it again and again; every fifth command copies y to z. */
function counting(commands: number) {
  const builder = new PlanBuilder(`${commands} commands`);
  const x = builder.feed('x', [columns], 'f32');
  const y = builder.result('y', [columns]);
  const z = builder.result('z', [columns]);
  let added = 0;
  let copied = 0;
  for (let index = 0; index < commands; index++) {
    if (index === 0) builder.clear(y);
    else if (index % 5 === 0) {
      builder.copy(y, z);
      copied = added;
    } else {
      builder.dispatch('add', {
        label: `add ${++added}`,
        bindings: { x, y },
        params: { rows: 1, rows_count: 0, columns },
        workgroups: [1],
      });
    }
  }
  return { plan: builder.build(), added, copied };
}
