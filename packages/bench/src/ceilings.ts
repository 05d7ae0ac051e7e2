/**
 * What a device can do at most, measured with three kernels that do nothing else: a large copy, a chain of fused
 * multiply-adds, and a chain of matrix-unit products for each shape that the device has. Figures of other
 * kernels are shares of these, from the same run.
 *
 * The kernels are plain WGSL in plans made by hand: they belong to no op.
 */
import type { DeviceInfo, Executor, Plan, PlanBuffer, SubgroupMatrixConfig } from '@synglot/gpu';
import { matrixSubgroups } from '@synglot/nn';
import { type FailedPart, unlessItFails } from './failures.js';
import { raiseClocks } from './gpu-clocks.js';
import { spread } from './statistics.js';

export interface Ceilings {
  /** Bytes read plus bytes written, per second, of a copy that no cache holds. */
  readonly copy_gb_per_second: number;
  readonly fma_f32_gflops_per_second: number;
  /** Null where the device has no f16. */
  readonly fma_f16_gflops_per_second: number | null;
  readonly matrix: readonly (SubgroupMatrixConfig & { readonly gflops_per_second: number })[];
}

/** Measures all of them; a few seconds on a software device. Shapes of matrix units that fail are added to `failed`. */
export async function measureCeilings(executor: Executor, failed: FailedPart[]): Promise<Ceilings> {
  const { device } = executor;
  const software = device.type === 'cpu';
  const copyBytes = Math.min(
    software ? 64 * 2 ** 20 : 1024 * 2 ** 20,
    device.limits.maxStorageBufferBindingSize,
    device.limits.maxBufferSize,
  );
  const copy = await rate(executor, copyPlan(copyBytes), 2 * copyBytes);
  const f32 = await fma(executor, 'f32', software);
  const f16 = device.features.includes('shader-f16') ? await fma(executor, 'f16', software) : null;
  return {
    copy_gb_per_second: copy / 1e9,
    fma_f32_gflops_per_second: f32 / 1e9,
    fma_f16_gflops_per_second: f16 === null ? null : f16 / 1e9,
    matrix: await measureMatrixUnits(executor, failed),
  };
}

/** The part of it that is about matrix units. */
export async function measureMatrixUnits(
  executor: Executor,
  failed: FailedPart[],
): Promise<Ceilings['matrix']> {
  const { device } = executor;
  const matrix = [];
  for (const config of device.subgroupMatrixConfigs) {
    // Integer units are of no use in training.
    if (!config.component.startsWith('f')) continue;
    const [subgroup] = matrixSubgroups(device);
    // With subgroups of unknown size the amount of work is unknown.
    if (!subgroup) continue;
    const { plan, flops } = matrixPlan(config, subgroup, device);
    const flopsPerSecond = await unlessItFails(failed, plan.label, () => rate(executor, plan, flops));
    if (flopsPerSecond) matrix.push({ ...config, gflops_per_second: flopsPerSecond / 1e9 });
  }
  return matrix;
}

/** Work per second of a plan with one dispatch: by its timestamps, else by the clock. Best of five. */
async function rate(executor: Executor, plan: Plan, work: number): Promise<number> {
  const compiled = await executor.compile(plan);
  try {
    await raiseClocks(executor.device, () => compiled.run());
    const seconds: number[] = [];
    for (let run = 0; run < 6; run++) {
      const begin = performance.now();
      const { timings } = await compiled.run({ profile: true });
      const wall = (performance.now() - begin) / 1000;
      if (run > 0) seconds.push(timings?.[0]?.timeNs ? timings[0].timeNs / 1e9 : wall);
    }
    // A ceiling is the best that was reached: other load only lowers it.
    return work / Math.min(...seconds, spread(seconds).median);
  } finally {
    compiled.destroy();
  }
}

/** The best of a few ways to write the chain: drivers differ in what they do with `fma` and with registers. */
async function fma(executor: Executor, type: 'f32' | 'f16', software: boolean): Promise<number> {
  let best = 0;
  for (const chains of [1, 2, 4, 8]) {
    for (const step of [(c: string) => `fma(${c}, a, b)`, (c: string) => `${c} * a + b`]) {
      const { plan, flops } = fmaPlan(type, chains, step, software);
      best = Math.max(best, await rate(executor, plan, flops));
    }
  }
  return best;
}

function fmaPlan(
  type: 'f32' | 'f16',
  chains: number,
  step: (chain: string) => string,
  software: boolean,
): { plan: Plan; flops: number } {
  const workgroups = software ? 64 : 4096;
  const rounds = (software ? 2048 : 16384) / chains;
  const code = `${type === 'f16' ? 'enable f16;\n' : ''}alias E = ${type};
@group(0) @binding(0) var<storage, read_write> result: array<f32>;
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let a = vec4<E>(E(0.5), E(0.25), E(0.125), E(0.75));
  let b = vec4<E>(E(id.x & 7u) * E(0.125));
${lines(chains, (i) => `  var c${i} = b + E(${i}.0);`)}
  for (var k = 0u; k < ${rounds}u; k++) {
${lines(chains, (i) => `    c${i} = ${step(`c${i}`)};`)}
  }
  let all = ${Array.from({ length: chains }, (_, i) => `c${i}`).join(' + ')};
  result[id.x] = f32(all.x + all.y + all.z + all.w);
}`;
  const buffers = [transient('result', workgroups * 256 * 4)];
  return {
    plan: onePlan(`${type} ${step('c')}, ${chains} chains`, code, ['read_write'], buffers, workgroups),
    // 256 invocations, vectors of 4, a multiplication and an addition each.
    flops: workgroups * 256 * rounds * chains * 4 * 2,
  };
}

function copyPlan(bytes: number): Plan {
  const vectors = bytes / 16;
  const workgroups = Math.min(65535, Math.ceil(vectors / 256));
  const code = `@group(0) @binding(0) var<storage, read> source: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> destination: array<vec4<f32>>;
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  for (var i = id.x; i < ${vectors}u; i += ${workgroups * 256}u) {
    destination[i] = source[i];
  }
}`;
  // Feeds are never pooled, so the two are different memory.
  const buffers: PlanBuffer[] = [
    { name: 'source', sizeBytes: bytes, role: 'result' },
    { name: 'destination', sizeBytes: bytes, role: 'result' },
  ];
  return onePlan('copy', code, ['read', 'read_write'], buffers, workgroups);
}

function matrixPlan(
  { component, result, M, N, K }: SubgroupMatrixConfig,
  { size: subgroup, pinned }: { readonly size: number; readonly pinned: boolean },
  { type, subgroups: { maxSize } }: DeviceInfo,
): { plan: Plan; flops: number } {
  const [workgroups, rounds] = type === 'cpu' ? [16, 256] : [4096, 1024];
  // Each begins with another value: a compiler could compute chains that are equal once for all.
  const chains = 4;
  // Dawn refuses any but multiples of the largest subgroup.
  const invocations = Math.max(maxSize, 32);
  const subgroups = invocations / subgroup;
  const f16 = component === 'f16' || result === 'f16' ? 'enable f16;\n' : '';
  const size = Math.max(M * K, K * N, M * N);
  const control = pinned ? 'enable subgroup_size_control;\n' : '';
  const code = `${f16}${control}enable subgroups;
enable chromium_experimental_subgroup_matrix;
@group(0) @binding(0) var<storage, read> a: array<${component}>;
@group(0) @binding(1) var<storage, read_write> c: array<${result}>;
@compute @workgroup_size(${invocations})${pinned ? ` @subgroup_size(${subgroup})` : ''}
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(subgroup_id) subgroup: u32) {
  let left = subgroupMatrixLoad<subgroup_matrix_left<${component}, ${K}, ${M}>, row_major>(&a, 0u, ${K}u);
  let right = subgroupMatrixLoad<subgroup_matrix_right<${component}, ${N}, ${K}>, row_major>(&a, 0u, ${N}u);
${lines(chains, (i) => `  var s${i} = subgroup_matrix_result<${result}, ${N}, ${M}>(${result}(${i}));`)}
  for (var k = 0u; k < ${rounds}u; k++) {
${lines(chains, (i) => `    s${i} = subgroupMatrixMultiplyAccumulate(left, right, s${i});`)}
  }
  let to = (workgroup.x * ${subgroups}u + subgroup) * ${chains * M * N}u;
${lines(chains, (i) => `  subgroupMatrixStore<row_major>(&c, to + ${i * M * N}u, s${i}, ${N}u);`)}
}`;
  const bytesOf = (type: string) => (type === 'f16' ? 2 : 4);
  const buffers = [
    transient('a', Math.ceil((size * bytesOf(component)) / 4) * 4),
    transient('c', workgroups * subgroups * chains * M * N * bytesOf(result)),
  ];
  return {
    plan: onePlan(
      `matrix ${component} ${result} ${M}x${N}x${K}`,
      code,
      ['read', 'read_write'],
      buffers,
      workgroups,
    ),
    flops: workgroups * subgroups * rounds * chains * 2 * M * N * K,
  };
}

function transient(name: string, sizeBytes: number): PlanBuffer {
  return { name, sizeBytes, role: 'transient' };
}

function onePlan(
  label: string,
  code: string,
  access: readonly ('read' | 'read_write')[],
  buffers: readonly PlanBuffer[],
  workgroups: number,
): Plan {
  return {
    label,
    kernels: [{ label, code, access, paramsSizeBytes: 0, usesStep: false }],
    buffers,
    commands: [
      {
        kind: 'dispatch',
        kernel: 0,
        buffers: buffers.map((_, index) => index),
        params: new Uint8Array(),
        workgroups: [workgroups, 1, 1],
        label,
      },
    ],
    stepBuffer: -1,
  };
}

function lines(count: number, line: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => line(index)).join('\n');
}
