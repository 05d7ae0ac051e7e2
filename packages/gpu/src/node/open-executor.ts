/**
 * Opens the best device, or the one asked for, with the native executor where it loads.
 */

import { join } from 'node:path';
import { dawnVersion, loadNative, type NativeCore } from '@synglot/native';
import { debugExecutor } from '../debug-executor.js';
import { GpuError } from '../errors.js';
import type { Executor } from '../executor.js';
import { defaultCacheDir } from './cache-dir.js';
import {
  type DeviceRequest,
  deviceMissing,
  driverNamed,
  type ExecutorKind,
  matchDevice,
  oneLine,
  preferredOrder,
  reasonFor,
  requestedDevice,
  requestedExecutor,
  requestedToggles,
} from './device-choice.js';
import {
  type Adapter,
  type Finder,
  type FoundAdapter,
  findAll,
  findDevice,
  withDevice,
} from './find-devices.js';
import { describeNativeAdapter, openNativeExecutor } from './native-executor.js';
import { layerMissing } from './vulkan-gpus.js';
import {
  describeWebGpuAdapter,
  listWebGpuAdapters,
  loadWebGpu,
  openWebGpuNodeExecutor,
  webGpuVersion,
} from './webgpu-node.js';

/** Which device to open, and how. */
export interface OpenExecutorOptions {
  /**
   * `gpu`, `lavapipe` or `swiftshader`; one of several GPUs as `gpu:0`, `gpu:1`, … (see {@link listDevices}); or a part
   * of one device's name, such as `H200`. Default `SYNGLOT_DEVICE`, else the best there is.
   */
  readonly device?: string;
  /** Default `SYNGLOT_EXECUTOR`, else native where it loads. */
  readonly executor?: ExecutorKind;
  /** Lowers the limit that plans are checked against, to force split tensors in tests. */
  readonly maxStorageBufferBindingSize?: number;
  /**
   * How many commands of a plan the device is handed at once; `Infinity` for all. Default: 32 on GPUs, so that no
   * watchdog of the system meets seconds of work in one piece, and all on software devices.
   */
  readonly commandsPerSubmission?: number;
  /** Where pipelines are kept (in `pipelines/`); default `~/.cache/synglot`; empty turns it off. Native only. */
  readonly cacheDir?: string;
  /**
   * Turns off Dawn's checks of commands, indices and workgroup memory, which cost time on every device; a mistake may
   * then crash the process or the driver. Default: whether `SYNGLOT_UNCHECKED=1`.
   */
  readonly unchecked?: boolean;
  /** Dawn toggles beyond those that synglot sets, such as `skip_validation`; those of `SYNGLOT_TOGGLES` are added. */
  readonly toggles?: { readonly enable?: readonly string[]; readonly disable?: readonly string[] };
  /** Longest wait for one run before `DEVICE_TIMEOUT`; default 30 minutes. Native only. */
  readonly timeoutMs?: number;
  /** Receives the line that says why the native executor is not used; default `console.error`, once per process. */
  readonly onNotice?: (line: string) => void;
}

/** A device that is there, or could be, and why it is used or not. */
export interface ListedDevice {
  /** What {@link OpenExecutorOptions.device} takes. */
  readonly id: string;
  readonly usable: boolean;
  readonly chosen: boolean;
  readonly reason: string;
  /** The executor that it would be used with. */
  readonly executor: ExecutorKind;
  /** That executor's Dawn, where its version is known: `v20260807.193620`, `npm webgpu 0.6.2`. */
  readonly dawn?: string;
  readonly name?: string;
  readonly driver?: string;
  readonly type?: Adapter['type'];
  /** If there are several GPUs: its address on the bus as nvidia-smi and lspci print it, `0000:3b:00.0`. */
  readonly pci?: string;
  /** Those WebGPU features that synglot asks for and the device has. */
  readonly features?: Adapter['features'];
  readonly subgroups?: Adapter['subgroups'];
  readonly subgroupMatrixConfigs?: Adapter['subgroupMatrixConfigs'];
  readonly limits?: Adapter['limits'];
}

interface Backend extends Finder {
  readonly executor: ExecutorKind;
  dawn(): string | undefined;
  open(device: Pick<FoundAdapter, 'id' | 'adapterName'>): Promise<Executor>;
}

const defaultTimeoutMs = 30 * 60 * 1000;
let noticed = false;

function noticeOnce(line: string): void {
  if (!noticed) console.error(line);
  noticed = true;
}

/** Loads what the executor needs: without it every device would seem to be at fault. */
async function backendFor(options: OpenExecutorOptions): Promise<Backend> {
  const asked = requestedExecutor(options.executor, process.env);
  const named = requestedToggles(process.env, options.unchecked);
  const toggles = {
    enabledToggles: [...(options.toggles?.enable ?? []), ...named.enable],
    disabledToggles: [...(options.toggles?.disable ?? []), ...named.disable],
  };
  const { maxStorageBufferBindingSize, commandsPerSubmission } = options;
  const given = {
    ...(maxStorageBufferBindingSize === undefined ? {} : { maxStorageBufferBindingSize }),
    ...(commandsPerSubmission === undefined ? {} : { commandsPerSubmission }),
  };
  const webgpu: Backend = {
    executor: 'webgpu',
    dawn: webGpuVersion,
    describe: (adapterName) => describeWebGpuAdapter({ ...toggles, ...(adapterName ? { adapterName } : {}) }),
    names: () => listWebGpuAdapters(toggles),
    open: ({ id, adapterName }) =>
      openWebGpuNodeExecutor(id, { ...toggles, ...given, ...(adapterName ? { adapterName } : {}) }),
  };
  if (asked === 'webgpu') return loadWebGpu().then(() => webgpu);
  let core: NativeCore;
  try {
    core = loadNative();
  } catch (cause) {
    const message = oneLine((cause as Error).message);
    if (asked === 'native') throw new GpuError('DEVICE_UNAVAILABLE', message, { cause });
    (options.onNotice ?? noticeOnce)(`synglot: using the webgpu executor, because ${message}`);
    return loadWebGpu().then(() => webgpu);
  }
  const cacheRoot = options.cacheDir ?? defaultCacheDir();
  const native = {
    ...toggles,
    cacheDir: cacheRoot === '' ? '' : join(cacheRoot, 'pipelines'),
    timeoutMs: options.timeoutMs ?? defaultTimeoutMs,
  };
  return {
    executor: 'native',
    dawn: dawnVersion,
    describe: async () => describeNativeAdapter(await core.describeAdapter(native)),
    open: ({ id }) => openNativeExecutor(core, id, { ...native, ...given }),
  };
}

/**
 * All devices that synglot knows of, best first: which are usable, which would be used, and why.
 *
 * @throws GpuError `INPUT_DEVICE` if the option or `SYNGLOT_DEVICE` matches no device, or several; `DEVICE_UNAVAILABLE`
 * if the executor cannot be loaded.
 */
export async function listDevices(options: OpenExecutorOptions = {}): Promise<ListedDevice[]> {
  const request = requestedDevice(options.device, process.env);
  const backend = await backendFor(options);
  const { executor } = backend;
  const dawn = backend.dawn();
  const found = await findAll(backend);
  const chosen = chosenOf(found, request);
  return found.map((device) => ({
    id: device.id,
    usable: device.name !== undefined,
    chosen: device.id === chosen,
    reason: reasonFor(device, chosen, request?.text),
    executor,
    ...(dawn ? { dawn } : {}),
    ...(device.pci ? { pci: device.pci } : {}),
    ...(device.adapter ? listed(device.adapter) : {}),
  }));
}

/** The id of the device that would be used. A driver without a usable device is a fact to list, not an error. */
function chosenOf(found: readonly FoundAdapter[], request: DeviceRequest | undefined): string | undefined {
  const driver = request && driverNamed(request);
  if (request && !driver) return matchDevice(request, found, layerMissing()).id;
  const usable = found.filter(({ name, driver: its }) => name !== undefined && (!driver || its === driver));
  return (usable.find(({ preferred }) => preferred) ?? usable[0])?.id;
}

const listed = ({ name, driver, type, features, subgroups, subgroupMatrixConfigs, limits }: Adapter) => ({
  name,
  driver,
  type,
  features,
  subgroups,
  subgroupMatrixConfigs,
  limits,
});

/**
 * Opens a device and an executor on it.
 *
 * Order without a request: a real GPU (of several, the one that Dawn prefers), lavapipe, the embedded SwiftShader.
 *
 * @throws GpuError `INPUT_DEVICE` if the request matches no device, or several, or one that is not usable here (one
 * line, with the remedy); `DEVICE_UNAVAILABLE` if there is no device or the executor asked for cannot be loaded.
 */
export async function openExecutor(options: OpenExecutorOptions = {}): Promise<Executor> {
  const request = requestedDevice(options.device, process.env);
  const backend = await backendFor(options);
  const driver = request && driverNamed(request);
  if (request && !driver) {
    const found = await findAll(backend, request.text.toLowerCase());
    const device = matchDevice(request, found, layerMissing());
    return withDebug(await withDevice(device, () => backend.open(device)));
  }
  const problems: string[] = [];
  for (const id of driver ? [driver] : preferredOrder) {
    const found = await findDevice(id, backend);
    if (found.name !== undefined) return withDebug(await withDevice(found, () => backend.open(found)));
    problems.push(`${id}: ${found.problem}`);
  }
  if (driver) {
    const found = await findAll(backend);
    throw deviceMissing(found.find((one) => one.driver === driver) as FoundAdapter, found);
  }
  throw new GpuError('DEVICE_UNAVAILABLE', `no usable device. ${problems.map(oneLine).join('; ')}`);
}

/** `SYNGLOT_DEBUG=1` prints plans, `2` kernel times, `3` WGSL, on standard error. */
function withDebug(executor: Executor): Executor {
  const level = Number(process.env.SYNGLOT_DEBUG ?? 0);
  return level >= 1 ? debugExecutor(executor, level, (line) => console.error(line)) : executor;
}
