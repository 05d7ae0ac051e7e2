/** The device that a test file runs on: chosen by SYNGLOT_DEVICE and SYNGLOT_EXECUTOR, else the default. */
import { createWebGpuExecutor, type Executor } from '@synglot/gpu';

export async function openTestExecutor(): Promise<Executor> {
  const { create } = await import('webgpu');
  const gpu = create([]);
  (globalThis as Record<string, unknown>).testGpu = gpu;
  const adapter = await gpu.requestAdapter();
  if (!adapter) throw new Error('no adapter');
  const limits = {
    maxStorageBufferBindingSize: adapter.limits.maxStorageBufferBindingSize,
    maxBufferSize: adapter.limits.maxBufferSize,
  };
  const device = await adapter.requestDevice({ requiredLimits: limits });
  const { vendor, architecture, device: name, description } = adapter.info;
  return createWebGpuExecutor(device, {
    name: name || description,
    id: 'test',
    type: 'cpu',
    vendor,
    architecture,
    driver: description,
  });
}
