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
      { name: 'x', sizeBytes: 2 ** 20, role: 'external' },
      // Two views of one buffer, of which the second ends after 1 MiB.
      { name: 'y', sizeBytes: 2 ** 20, role: 'external', within: { name: 'slab', offsetBytes: 0 } },
      { name: 'z', sizeBytes: 2 ** 19, role: 'external', within: { name: 'slab', offsetBytes: 2 ** 19 } },
      { name: 't', sizeBytes: 2 ** 20, role: 'transient' },
    ],
    commands: [
      {
        kind: 'dispatch',
        kernel: 0,
        buffers: [0, 3],
        params: new Uint8Array(16),
        workgroups: [1, 1, 1],
        label: 'a',
      },
      { kind: 'clear', buffer: 3, offsetBytes: 0, sizeBytes: 4 },
    ],
    stepBuffer: -1,
  };
  expect(describePlan(plan)).toEqual([
    "plan 'two adds': 1 dispatches, 1 copies and clears, 1 pipelines",
    '  external 2.0 MiB, transient 1.0 MiB, feed 0.0 MiB, result 0.0 MiB',
  ]);
});
