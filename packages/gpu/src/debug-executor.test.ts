/** What a plan looks like in words. The wrapper itself runs in test/kernels. */
import { expect, test } from 'vitest';
import { describePlan } from './debug-executor.js';
import type { Plan } from './plan.js';

test('a plan is described by its dispatches, pipelines and memory', () => {
  const plan: Plan = {
    label: 'two adds',
    kernels: [
      { label: 'add', code: '', access: ['read', 'read_write'], paramsSizeBytes: 16, usesStep: false },
    ],
    buffers: [
      { name: 'x', sizeBytes: 2 * 2 ** 20, role: 'external' },
      { name: 't', sizeBytes: 2 ** 20, role: 'transient' },
    ],
    commands: [
      {
        kind: 'dispatch',
        kernel: 0,
        buffers: [0, 1],
        params: new Uint8Array(16),
        workgroups: [1, 1, 1],
        label: 'a',
      },
      { kind: 'clear', buffer: 1, offsetBytes: 0, sizeBytes: 4 },
    ],
    stepBuffer: -1,
  };
  expect(describePlan(plan)).toEqual([
    "plan 'two adds': 1 dispatches, 1 copies and clears, 1 pipelines",
    '  external 2.0 MiB, transient 1.0 MiB, feed 0.0 MiB, result 0.0 MiB',
  ]);
});
