/** Hand-made plans and the devices of this machine, for tests of the native core. */
import type { CompiledPlan, Executor, Plan, PlanCommand } from '@synglot/gpu';
import { listDevices, type OpenExecutorOptions, openExecutor } from '@synglot/gpu/node';
import { loadNative, type NativeDevice } from '@synglot/native';

/** Why the native executor cannot be tested here, or undefined. Not built is a skip that says so. */
export function nativeMissing(): string | undefined {
  try {
    loadNative();
    return undefined;
  } catch (error) {
    if (process.env.REQUIRE_NATIVE === '1') throw error;
    return (error as Error).message;
  }
}

/** Software devices; one that is not usable here is a skipped block with its reason in the name. */
export async function softwareDevices() {
  const missing = nativeMissing();
  if (missing) return [{ id: 'none', skip: true, title: `any device (${missing})` }];
  const listed = await listDevices({ executor: 'native' });
  return listed
    .filter(({ id }) => id !== 'gpu')
    .map(({ id, usable, reason }) => ({ id, skip: !usable, title: usable ? id : `${id} (${reason})` }));
}

export function openNative(device: string, options: OpenExecutorOptions = {}): Promise<Executor> {
  return openExecutor({ device, executor: 'native', cacheDir: '', ...options });
}

/** The raw device below a native executor, which can be made to lose itself. */
export function rawDevice(executor: Executor): NativeDevice {
  return (executor as Executor & { native: NativeDevice }).native;
}

/** y = y + k x + step for `count` elements. */
export const axpy = `
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
struct Params { count: u32, k: f32 }
@group(0) @binding(16) var<uniform> params: Params;
struct Step { bias: f32 }
@group(0) @binding(17) var<uniform> step: Step;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < params.count) { y[id.x] = y[id.x] + params.k * x[id.x] + step.bias; }
}`;

/** Keeps a device busy: `count` dependent steps in one invocation. */
const busy = `
@group(0) @binding(0) var<storage, read_write> y: array<u32>;
struct Params { count: u32 }
@group(0) @binding(16) var<uniform> params: Params;
@compute @workgroup_size(1)
fn main() {
  var value = y[0];
  for (var i = 0u; i < params.count; i++) { value = value * 1664525u + 1013904223u; }
  y[0] = value;
}`;

function axpyParams(count: number, k: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setUint32(0, count, true);
  new DataView(bytes.buffer).setFloat32(4, k, true);
  return bytes;
}

export const count = 64;

export function dispatch(k: number, label = 'axpy'): PlanCommand {
  return {
    kind: 'dispatch',
    kernel: 0,
    buffers: [0, 1],
    params: axpyParams(count, k),
    workgroups: [1, 1, 1],
    label,
  };
}

/** Buffers: 0 feed x, 1 result y, 2 the step. */
export function axpyPlan(commands: readonly PlanCommand[], code = axpy): Plan {
  return {
    label: 'axpy plan',
    kernels: [{ label: 'axpy', code, access: ['read', 'read_write'], paramsSizeBytes: 8, usesStep: true }],
    buffers: [
      { name: 'x', sizeBytes: 4 * count, role: 'feed' },
      { name: 'y', sizeBytes: 4 * count, role: 'result' },
      { name: 'step', sizeBytes: 16, role: 'feed' },
    ],
    commands,
    stepBuffer: 2,
  };
}

/** A plan that runs for 0.1 to 1 second on a software device. */
export function busyPlan(steps = 50_000_000): Plan {
  return {
    label: 'busy plan',
    kernels: [{ label: 'busy', code: busy, access: ['read_write'], paramsSizeBytes: 4, usesStep: false }],
    buffers: [{ name: 'y', sizeBytes: 4, role: 'result' }],
    commands: [
      {
        kind: 'dispatch',
        kernel: 0,
        buffers: [0],
        params: new Uint8Array(Uint32Array.of(steps).buffer),
        workgroups: [1, 1, 1],
        label: 'busy',
      },
    ],
    stepBuffer: -1,
  };
}

export const ramp = Float32Array.from({ length: count }, (_, index) => index);

export async function readY(
  plan: CompiledPlan,
  feeds: Record<string, ArrayBufferView> = {},
): Promise<number[]> {
  const { reads } = await plan.run({ feeds, reads: ['y'] });
  return [...new Float32Array(reads.y as ArrayBuffer)];
}
