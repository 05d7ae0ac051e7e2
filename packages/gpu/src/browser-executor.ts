/**
 * The device of a page or a worker, with the webgpu executor over it. Node's devices are in `node/open-executor.ts`.
 */
import { GpuError } from './errors.js';
import type { Executor } from './executor.js';
import { describeAdapter, requestWholeDevice } from './webgpu-adapter.js';
import { createWebGpuExecutor } from './webgpu-executor.js';
import type { WebGpu } from './webgpu-globals.js';
import type {} from './webgpu-types.js';

/** Which device a page opens, and who is told when it is lost. */
export interface BrowserExecutorOptions {
  /** Default `navigator.gpu`. */
  readonly gpu?: WebGpu;
  /** Which adapter if there are several; default `high-performance`. */
  readonly powerPreference?: 'low-power' | 'high-performance';
  /** Features not to use although the adapter has them: `shader-f16`, `subgroups`, `timestamp-query`, … */
  readonly without?: readonly string[];
  /** Called once if the device goes away by itself; runs that are pending reject with the same error. */
  readonly onLost?: (error: GpuError) => void;
}

/**
 * Opens the browser's device with everything that its adapter grants. It awaits everything and blocks no thread.
 *
 * A device that was lost does not come back: open another executor and load parameters into a new store.
 *
 * @throws GpuError `DEVICE_UNAVAILABLE` with the reason where the browser has no WebGPU or no adapter
 *
 * @example
 * const executor = await openBrowserExecutor({ onLost: ({ message }) => show(message) });
 * console.log(executor.device.name, executor.device.features);
 */
export async function openBrowserExecutor(options: BrowserExecutorOptions = {}): Promise<Executor> {
  const gpu = options.gpu ?? browserGpu();
  const adapter = await gpu.requestAdapter({
    powerPreference: options.powerPreference ?? 'high-performance',
  });
  if (!adapter) {
    throw new GpuError(
      'DEVICE_UNAVAILABLE',
      'The browser has WebGPU but no adapter: it knows no driver that it trusts, or graphics acceleration is turned off in its settings',
    );
  }
  const description = describeAdapter(adapter, options.without);
  const device = await requestWholeDevice(adapter, description);
  void device.lost.then(({ reason, message }) => {
    if (reason === 'destroyed') return;
    options.onLost?.(new GpuError('DEVICE_LOST', `The device was lost (${reason}): ${message}`));
  });
  return createWebGpuExecutor(device, { ...description, id: 'browser' });
}

function browserGpu(): GPU {
  const scope = globalThis as { navigator?: { gpu?: GPU }; isSecureContext?: boolean };
  const gpu = scope.navigator?.gpu;
  if (gpu) return gpu;
  throw new GpuError('DEVICE_UNAVAILABLE', withoutWebGpu(scope.isSecureContext));
}

/** @param secure whether the page may have WebGPU; undefined where there is no page */
function withoutWebGpu(secure: boolean | undefined): string {
  if (secure === undefined) return 'There is no WebGPU here; in Node use openExecutor of @synglot/gpu/node';
  return secure
    ? 'This browser has no WebGPU, or it is switched off (in Firefox: dom.webgpu.enabled in about:config); use a recent Chrome, Edge, Safari or Firefox'
    : 'WebGPU needs a secure context: open the page by https or from http://localhost';
}
