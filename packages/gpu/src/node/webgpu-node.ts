/**
 * npm `webgpu` (Dawn as a Node addon) as a source of a `GPUDevice` for the webgpu executor.
 *
 * Which driver it finds is settled in `vulkan-driver.ts`; running plans is in `webgpu-executor.ts`.
 */

import { createRequire } from 'node:module';
import { setImmediate } from 'node:timers/promises';
import { GpuError } from '../errors.js';
import type { DeviceInfo, Executor } from '../executor.js';
import { describeAdapter, readLimits, readSubgroups, requestWholeDevice } from '../webgpu-adapter.js';
import { createWebGpuExecutor } from '../webgpu-executor.js';
import type {} from '../webgpu-types.js';
import { oneLine } from './device-choice.js';

export interface WebGpuNodeOptions {
  readonly enabledToggles: readonly string[];
  readonly disabledToggles: readonly string[];
  readonly maxStorageBufferBindingSize?: number;
  readonly commandsPerSubmission?: number;
  /** One of {@link listWebGpuAdapters}: the first adapter whose name contains it is opened. */
  readonly adapterName?: string;
}

// Kept because dawn.node frees an instance that nobody holds, even while it has devices.
const instances = new Set<GPU>();
/** Whatever is pending holds its device, and so its instance, which dawn.node asks for answers until there are all. */
const instanceOf = new WeakMap<GPUDevice, GPU>();

/** @throws GpuError `DEVICE_UNAVAILABLE` where npm `webgpu` is not installed, or not for this system */
export async function loadWebGpu() {
  return import('webgpu').catch((cause: Error) => {
    throw new GpuError(
      'DEVICE_UNAVAILABLE',
      `npm package webgpu cannot be loaded (${oneLine(cause.message)}); run npm install webgpu`,
      { cause },
    );
  });
}

async function requestAdapter({ enabledToggles, disabledToggles, adapterName }: WebGpuNodeOptions) {
  const { create } = await loadWebGpu();
  const enable = ['allow_unsafe_apis', 'vulkan_enable_f16_on_nvidia', ...enabledToggles];
  const disable = ['timestamp_quantization', ...disabledToggles];
  const backend = process.platform === 'linux' ? ['backend=vulkan'] : [];
  const gpu = create([
    ...backend,
    ...(adapterName === undefined ? [] : [`adapter=${adapterName}`]),
    `enable-dawn-features=${enable.join(',')}`,
    `disable-dawn-features=${disable.join(',')}`,
  ]) as GPU;
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new GpuError('DEVICE_UNAVAILABLE', 'Dawn found no usable adapter');
  return { gpu, adapter };
}

/** `npm webgpu 0.6.2`; undefined where it is not installed. */
export function webGpuVersion(): string | undefined {
  try {
    const manifest = createRequire(import.meta.url)('webgpu/package.json') as { version: string };
    return `npm webgpu ${manifest.version}`;
  } catch {
    return undefined;
  }
}

/** Names of the adapters. The only way to ask: the error for a name that cannot exist lists those that do. */
export async function listWebGpuAdapters(options: WebGpuNodeOptions): Promise<string[]> {
  const message = await requestAdapter({ ...options, adapterName: '\u0001' }).then(
    () => '',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  return Array.from(message.matchAll(/name: '(.*)'$/gm), ([, name]) => name as string);
}

/** Describes the adapter that would be used, without making a device. */
export async function describeWebGpuAdapter(options: WebGpuNodeOptions): Promise<Omit<DeviceInfo, 'id'>> {
  const { adapter } = await requestAdapter(options);
  const description = describeAdapter(adapter);
  return {
    ...description,
    limits: readLimits(adapter.limits),
    subgroups: readSubgroups(adapter.info, description.features),
  };
}

/** Opens a device with everything that the adapter offers, and an executor over it. */
export async function openWebGpuNodeExecutor(id: string, options: WebGpuNodeOptions): Promise<Executor> {
  const { gpu, adapter } = await requestAdapter(options);
  const description = describeAdapter(adapter);
  const device = await requestWholeDevice(adapter, description);
  instances.add(gpu);
  instanceOf.set(device, gpu);
  void device.lost.then(async () => {
    // What was pending was settled at once, but dawn.node's next look at the instance is still to come.
    await setImmediate();
    instances.delete(gpu);
  });
  const { commandsPerSubmission } = options;
  const executor = createWebGpuExecutor(
    device,
    { ...description, id },
    { prompt: true, ...(commandsPerSubmission === undefined ? {} : { commandsPerSubmission }) },
  );
  return lowerLimit(executor, options.maxStorageBufferBindingSize);
}

/** WebGPU never grants less than the default limit, so only the limit that plans are checked against is lowered. */
function lowerLimit(executor: Executor, maxStorageBufferBindingSize: number | undefined): Executor {
  const { limits } = executor.device;
  if (
    maxStorageBufferBindingSize === undefined ||
    maxStorageBufferBindingSize >= limits.maxStorageBufferBindingSize
  )
    return executor;
  const device = { ...executor.device, limits: { ...limits, maxStorageBufferBindingSize } };
  return Object.defineProperty(executor, 'device', { value: device });
}
