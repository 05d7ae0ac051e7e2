/** Kernels with and without races: what the checks of race-checks.ts find, and what they let pass. */
import type { Executor, Plan } from '@synglot/gpu';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestExecutor } from './executor.js';
import { withRaceChecks } from './race-checks.js';

let executor: Executor;
beforeAll(async () => {
  const device = await openTestExecutor();
  executor = process.env.SYNGLOT_CHECK_RACES ? device : withRaceChecks(device);
});
afterAll(() => executor?.destroy());

const invocations = 8;
const workgroups = 2;

/** Runs `body` with workgroup array `shared`, and `x` of one element per invocation, `x[global]` its own. */
async function run(body: string): Promise<Float32Array> {
  const code = `
@group(0) @binding(0) var<storage, read_write> x: array<f32>;
var<workgroup> shared_values: array<f32, ${invocations}>;
@compute @workgroup_size(${invocations})
fn main(@builtin(local_invocation_index) own: u32, @builtin(global_invocation_id) id: vec3<u32>) {
  let global = id.x;
  let next = (own + 1u) % ${invocations}u;
  ${body}
}`;
  const sizeBytes = 4 * invocations * workgroups;
  const plan: Plan = {
    label: 'test of race checks',
    kernels: [{ label: 'kernel', code, access: ['read_write'], paramsSizeBytes: 0, usesStep: false }],
    buffers: [{ name: 'x', sizeBytes, role: 'external' }],
    commands: [
      {
        kind: 'dispatch',
        kernel: 0,
        buffers: [0],
        params: new Uint8Array(0),
        workgroups: [workgroups, 1, 1],
        label: 'test',
      },
    ],
    stepBuffer: -1,
  };
  const x = executor.createBuffer('x', sizeBytes);
  executor.write(
    x,
    new Float32Array(invocations * workgroups).map((_, index) => index),
  );
  const compiled = await executor.compile(plan, new Map([['x', x]]));
  try {
    await compiled.run();
    return new Float32Array(await executor.read(x));
  } finally {
    compiled.destroy();
    x.destroy();
  }
}

const rotated = [1, 2, 3, 4, 5, 6, 7, 0, 9, 10, 11, 12, 13, 14, 15, 8];

test('a barrier between what is written and what others read is found in order', async () => {
  const values = await run(`
  shared_values[own] = x[global];
  workgroupBarrier();
  x[global] = shared_values[next];`);
  expect([...values]).toEqual(rotated);
});

test('values that are overwritten between two barriers, and compound assignments of own elements', async () => {
  const values = await run(`
  shared_values[own] = x[global];
  workgroupBarrier();
  let value = shared_values[next];
  workgroupBarrier();
  shared_values[own] = value;
  shared_values[own] += 1.0;
  x[global] = shared_values[own] - 1.0;`);
  expect([...values]).toEqual(rotated);
});

test.each([
  {
    what: 'no barrier before the neighbour reads',
    body: 'shared_values[own] = 1.0; x[global] = shared_values[next];',
    finds:
      /(read what another invocation wrote|wrote what another invocation reads|read what nobody wrote in) workgroup array shared_values/,
  },
  {
    what: 'memory of the workgroup that was never written',
    body: 'if (own > 0u) { shared_values[own] = 1.0; } workgroupBarrier(); x[global] = shared_values[own];',
    finds: /invocation (0|8) read what nobody wrote in workgroup array shared_values, element 0/,
  },
  {
    what: 'no barrier before it is overwritten',
    body: `shared_values[own] = 1.0; workgroupBarrier();
      x[global] = shared_values[next]; shared_values[own] = 2.0;`,
    finds:
      /(read what another invocation wrote|wrote what another invocation reads) workgroup array shared_values/,
  },
  {
    what: 'a loop whose turns need a barrier at their end',
    body: `for (var turn = 0u; turn < 2u; turn++) {
      shared_values[own] = f32(turn); workgroupBarrier(); x[global] = shared_values[next];
    }`,
    finds:
      /(read what another invocation wrote|wrote what another invocation reads) workgroup array shared_values/,
  },
  {
    what: 'all write one element',
    body: 'shared_values[0] = f32(own);',
    finds: /wrote what another invocation wrote workgroup array shared_values, element 0/,
  },
  {
    what: 'a compound assignment by all',
    body: 'if (own == 0u) { shared_values[0] = 0.0; } workgroupBarrier(); shared_values[0] += 1.0;',
    finds: /another invocation .* workgroup array shared_values, element 0/,
  },
  {
    what: 'two workgroups write one element of storage',
    body: 'if (own == 0u) { x[3] = 1.0; }',
    finds: /wrote what another invocation wrote storage array x, element 3, invocation (0|8)/,
  },
  {
    what: 'storage that another invocation writes, whatever the barriers',
    body: 'let value = x[global]; workgroupBarrier(); x[global - own + next] = value;',
    finds: /(read what another invocation wrote|wrote what another invocation reads) storage array x/,
  },
  {
    what: 'an index beyond the end',
    body: `_ = x[global + 1u];`,
    finds: /kernel: invocation 15 went beyond the end of storage array x, element 16/,
  },
  {
    what: 'an index beyond the end of workgroup memory',
    body: 'shared_values[own] = 1.0; workgroupBarrier(); x[global] = shared_values[own + 1u];',
    finds: /kernel: invocation (7|15) went beyond the end of workgroup array shared_values, element 8/,
  },
])('found: $what', async ({ body, finds }) => {
  await expect(run(body)).rejects.toThrow(finds);
});

test('what cannot be traced is refused by name', async () => {
  await expect(run('let x = vec4<f32>(); _ = x[own];')).rejects.toThrow(
    "'x' names an array and something else in one function",
  );
  await expect(run('let at = &shared_values; _ = (*at)[own];')).rejects.toThrow(
    "accesses through a pointer to 'shared_values' are not traced",
  );
});
