/**
 * Opens the best device, or the one asked for, with the native executor where it loads.
 */

import { join } from 'node:path';
import { loadNative, type NativeCore } from '@synglot/native';
import { debugExecutor } from '../debug-executor.js';
import { GpuError } from '../errors.js';
import type { DeviceInfo, Executor } from '../executor.js';
import { defaultCacheDir } from './cache-dir.js';
import {
  deviceMissing,
  type ExecutorKind,
  type FoundDevice,
  oneLine,
  preferredOrder,
  reasonFor,
  requestedDevice,
  requestedExecutor,
  requestedToggles,
} from './device-choice.js';
import { openNativeExecutor } from './native-executor.js';
import { type DriverId, missingDriver, withDriver } from './vulkan-driver.js';
import { describeWebGpuAdapter, openWebGpuNodeExecutor } from './webgpu-node.js';

export interface OpenExecutorOptions {
  /** `gpu`, `lavapipe` or `swiftshader`; default `SYNGLOT_DEVICE`, else the best there is. */
  readonly device?: string;
  /** Default `SYNGLOT_EXECUTOR`, else native where it loads. */
  readonly executor?: ExecutorKind;
  /** Lowers the limit that plans are checked against, to force split tensors in tests. */
  readonly maxStorageBufferBindingSize?: number;
  /** Where pipelines are kept (in `pipelines/`); default `~/.cache/synglot`; empty turns it off. Native only. */
  readonly cacheDir?: string;
  /** Dawn toggles beyond those that synglot sets, such as `skip_validation`; those of `SYNGLOT_TOGGLES` are added. */
  readonly toggles?: { readonly enable?: readonly string[]; readonly disable?: readonly string[] };
  /** Longest wait for one run before `DEVICE_TIMEOUT`; default 30 minutes. Native only. */
  readonly timeoutMs?: number;
  /** Receives the line that says why the native executor is not used; default `console.error`, once a process. */
  readonly onNotice?: (line: string) => void;
}

/** A device that is there, or could be, and why it is used or not. */
export interface ListedDevice {
  readonly id: DriverId;
  readonly usable: boolean;
  readonly chosen: boolean;
  readonly reason: string;
  readonly name?: string;
  readonly driver?: string;
  readonly type?: DeviceInfo['type'];
  /** WebGPU features of those that synglot asks for. */
  readonly features?: DeviceInfo['features'];
  readonly subgroupMatrixConfigs?: DeviceInfo['subgroupMatrixConfigs'];
}

type Adapter = Pick<DeviceInfo, 'name' | 'driver' | 'type' | 'features' | 'subgroupMatrixConfigs'>;

interface Backend {
  describe(): Promise<Adapter>;
  open(id: DriverId): Promise<Executor>;
}

const defaultTimeoutMs = 30 * 60 * 1000;
let noticed = false;

function noticeOnce(line: string): void {
  if (!noticed) console.error(line);
  noticed = true;
}

function backendFor(options: OpenExecutorOptions): Backend {
  const asked = requestedExecutor(options.executor, process.env);
  const named = requestedToggles(process.env);
  const toggles = {
    enabledToggles: [...(options.toggles?.enable ?? []), ...named.enable],
    disabledToggles: [...(options.toggles?.disable ?? []), ...named.disable],
  };
  const limit =
    options.maxStorageBufferBindingSize === undefined
      ? {}
      : { maxStorageBufferBindingSize: options.maxStorageBufferBindingSize };
  const webgpu: Backend = {
    describe: () => describeWebGpuAdapter(toggles),
    open: (id) => openWebGpuNodeExecutor(id, { ...toggles, ...limit }),
  };
  if (asked === 'webgpu') return webgpu;
  let core: NativeCore;
  try {
    core = loadNative();
  } catch (cause) {
    const message = oneLine((cause as Error).message);
    if (asked === 'native') throw new GpuError('DEVICE_UNAVAILABLE', message, { cause });
    (options.onNotice ?? noticeOnce)(`synglot: using the webgpu executor, because ${message}`);
    return webgpu;
  }
  const cacheRoot = options.cacheDir ?? defaultCacheDir();
  const native = {
    ...toggles,
    cacheDir: cacheRoot === '' ? '' : join(cacheRoot, 'pipelines'),
    timeoutMs: options.timeoutMs ?? defaultTimeoutMs,
  };
  return {
    describe: () => core.describeAdapter(native),
    open: (id) => openNativeExecutor(core, id, { ...native, ...limit }),
  };
}

/** Asks Dawn what it finds with each driver; never throws for a device that is not usable. */
async function findDevice(id: DriverId, backend: Backend): Promise<FoundDevice & { adapter?: Adapter }> {
  const missing = missingDriver(id);
  if (missing) return { id, problem: missing };
  try {
    const adapter = await withDriver(id, () => backend.describe());
    if (id === 'gpu' && adapter.type === 'cpu')
      return { id, problem: `the system offers only ${adapter.name}, which is no GPU` };
    return { id, name: adapter.name, adapter };
  } catch (error) {
    const hint = id === 'lavapipe' ? 'Dawn refuses this version of lavapipe' : 'Dawn finds no usable adapter';
    return { id, problem: `${hint} (${oneLine((error as Error).message)})` };
  }
}

async function findAll(backend: Backend): Promise<(FoundDevice & { adapter?: Adapter })[]> {
  const found = [];
  for (const id of preferredOrder) found.push(await findDevice(id, backend));
  return found;
}

/**
 * All devices that synglot knows of, best first: which are usable, which would be used, and why.
 *
 * @throws GpuError `INPUT_DEVICE` when the option or `SYNGLOT_DEVICE` names no device.
 */
export async function listDevices(options: OpenExecutorOptions = {}): Promise<ListedDevice[]> {
  const asked = requestedDevice(options.device, process.env);
  const found = await findAll(backendFor(options));
  const chosen = found.find(
    ({ id, name }) => name !== undefined && (asked === undefined || id === asked),
  )?.id;
  return found.map(({ adapter, ...device }) => ({
    id: device.id,
    usable: device.name !== undefined,
    chosen: device.id === chosen,
    reason: reasonFor(device, chosen, asked),
    ...(adapter ? listed(adapter) : {}),
  }));
}

const listed = ({ name, driver, type, features, subgroupMatrixConfigs }: Adapter) => ({
  ...{ name, driver, type, features, subgroupMatrixConfigs },
});

/**
 * Opens a device and an executor on it.
 *
 * Order without a request: a real GPU, lavapipe, the embedded SwiftShader.
 *
 * @throws GpuError `INPUT_DEVICE` when the device asked for is not usable here (one line, with the
 * remedy), `DEVICE_UNAVAILABLE` when there is none or the executor asked for cannot be loaded.
 */
export async function openExecutor(options: OpenExecutorOptions = {}): Promise<Executor> {
  const asked = requestedDevice(options.device, process.env);
  const backend = backendFor(options);
  const problems: string[] = [];
  for (const id of asked ? [asked] : preferredOrder) {
    const found = await findDevice(id, backend);
    if (found.name !== undefined) return withDebug(await withDriver(id, () => backend.open(id)));
    problems.push(`${id}: ${found.problem}`);
  }
  if (asked) throw deviceMissing(asked, await findAll(backend));
  throw new GpuError('DEVICE_UNAVAILABLE', `no usable device. ${problems.map(oneLine).join('; ')}`);
}

/** `SYNGLOT_DEBUG=1` prints plans, `2` kernel times, `3` WGSL, on standard error. */
function withDebug(executor: Executor): Executor {
  const level = Number(process.env.SYNGLOT_DEBUG ?? 0);
  return level >= 1 ? debugExecutor(executor, level, (line) => console.error(line)) : executor;
}
