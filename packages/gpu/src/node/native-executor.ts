/**
 * The executor on the native core: names to indices, errors to GpuError, and no more.
 *
 * The work is done in `native/src/core`; the checks that both executors share are in `plan-check.ts`.
 */
import type {
  NativeAdapterInfo,
  NativeBuffer,
  NativeCore,
  NativeDevice,
  NativeOpenOptions,
  NativePlan,
} from '@synglot/native';
import { dispatchTimings } from '../dispatch-timings.js';
import { GpuError, type GpuErrorCode, gpuErrorCodes } from '../errors.js';
import type {
  CompiledPlan,
  DeviceBuffer,
  DeviceInfo,
  DeviceLimits,
  Executor,
  RunOptions,
  RunResult,
} from '../executor.js';
import type { Plan } from '../plan.js';
import {
  bytesOf,
  checkBuffer,
  checkFeed,
  checkPlan,
  checkRange,
  checkRead,
  explainMemory,
} from '../plan-check.js';
import { commandsPerSubmission } from '../submissions.js';
import { readSubgroups } from '../webgpu-adapter.js';

export interface NativeExecutorOptions extends NativeOpenOptions {
  /** Lowers the limit that plans are checked against; Dawn itself grants no less than 128 MiB. */
  readonly maxStorageBufferBindingSize?: number;
  readonly commandsPerSubmission?: number;
}

/** Opens the device that Dawn finds now (see `vulkan-driver.ts`) under the id `id`. */
export async function openNativeExecutor(
  core: NativeCore,
  id: string,
  options: NativeExecutorOptions,
): Promise<Executor> {
  const native = await core.openDevice(options).catch((cause) => rethrow(cause, 'opening of the device'));
  const { limits, ...info } = describeNativeAdapter(native.info);
  const lowered = Math.min(
    options.maxStorageBufferBindingSize ?? Infinity,
    limits.maxStorageBufferBindingSize,
  );
  const device = { id, ...info, limits: { ...limits, maxStorageBufferBindingSize: lowered } };
  return new NativeExecutor(
    native,
    device,
    commandsPerSubmission(device.type, options.commandsPerSubmission),
  );
}

/** The core's description of its adapter as a {@link DeviceInfo}. */
export function describeNativeAdapter(info: NativeAdapterInfo): Omit<DeviceInfo, 'id'> {
  const { name, type, vendor, architecture, driver, features, subgroupMatrixConfigs } = info;
  return {
    name,
    type,
    vendor,
    architecture,
    driver,
    subgroupMatrixConfigs,
    features: [...features].sort(),
    subgroups: readSubgroups(info, features),
    limits: info.limits as unknown as DeviceLimits,
  };
}

/** A buffer of the native core, with what it takes to refuse misuse before C++ is entered. */
class NativeDeviceBuffer implements DeviceBuffer {
  destroyed = false;

  constructor(
    readonly label: string,
    readonly sizeBytes: number,
    readonly owner: NativeExecutor,
    readonly native: NativeBuffer,
  ) {}

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.native.destroy();
  }
}

/** `Executor` over the addon; `native` is public to this package for tests of device loss. */
export class NativeExecutor implements Executor {
  readonly kind = 'native';
  #destroyed = false;

  constructor(
    readonly native: NativeDevice,
    readonly device: DeviceInfo,
    private readonly commandsPerSubmission: number,
  ) {}

  createBuffer(label: string, sizeBytes: number): DeviceBuffer {
    this.checkAlive();
    checkBuffer(label, sizeBytes, this.device.limits);
    return new NativeDeviceBuffer(label, sizeBytes, this, this.native.createBuffer(label, sizeBytes));
  }

  write(buffer: DeviceBuffer, data: ArrayBufferView, offsetBytes = 0): void {
    const native = this.#native(buffer);
    const what = `write to buffer '${buffer.label}'`;
    const bytes = bytesOf(what, data);
    checkRange(buffer, offsetBytes, bytes.length);
    try {
      this.native.write(native, bytes, offsetBytes);
    } catch (cause) {
      rethrow(cause, what);
    }
  }

  async read(
    buffer: DeviceBuffer,
    offsetBytes = 0,
    sizeBytes = buffer.sizeBytes - offsetBytes,
  ): Promise<ArrayBuffer> {
    const native = this.#native(buffer);
    checkRange(buffer, offsetBytes, sizeBytes);
    if (sizeBytes === 0) return new ArrayBuffer(0);
    try {
      return await this.native.read(native, offsetBytes, sizeBytes);
    } catch (cause) {
      return rethrow(cause, `read of buffer '${buffer.label}'`);
    }
  }

  async compile(plan: Plan, externals: ReadonlyMap<string, DeviceBuffer> = new Map()): Promise<CompiledPlan> {
    this.checkAlive();
    checkPlan(plan, externals, this.device.limits);
    const given = plan.buffers.map(({ name, role, within }) =>
      role === 'external' ? this.#native(externals.get(within?.name ?? name) as DeviceBuffer) : undefined,
    );
    const atOnce = Math.min(this.commandsPerSubmission, Math.max(1, plan.commands.length));
    try {
      return new CompiledNativePlan(plan, this, await this.native.compile(plan, given, atOnce));
    } catch (cause) {
      throw explainMemory(plan, asGpuError(cause, `compile of plan '${plan.label}'`));
    }
  }

  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.native.destroy();
  }

  /** @throws GpuError `EXECUTOR_DESTROYED` */
  checkAlive(): void {
    if (this.#destroyed) throw new GpuError('EXECUTOR_DESTROYED', 'The executor was destroyed');
  }

  #native(buffer: DeviceBuffer): NativeBuffer {
    this.checkAlive();
    if (!(buffer instanceof NativeDeviceBuffer) || buffer.owner !== this) {
      throw new GpuError('DEVICE_VALIDATION', `buffer '${buffer.label}' belongs to another executor`);
    }
    if (buffer.destroyed) throw new GpuError('DEVICE_VALIDATION', `buffer '${buffer.label}' was destroyed`);
    return buffer.native;
  }
}

class CompiledNativePlan implements CompiledPlan {
  readonly #names: ReadonlyMap<string, number>;
  #destroyed = false;

  constructor(
    readonly plan: Plan,
    private readonly executor: NativeExecutor,
    private readonly native: NativePlan,
  ) {
    this.#names = new Map(plan.buffers.map((buffer, index) => [buffer.name, index]));
  }

  async run(options: RunOptions = {}): Promise<RunResult> {
    this.executor.checkAlive();
    const feeds = Object.entries(options.feeds ?? {}).map(([name, data]) =>
      checkFeed(this.plan, this.#names, name, data),
    );
    const reads = (options.reads ?? []).map((read) => checkRead(this.plan, this.#names, read));
    try {
      const result = await this.native.run(
        feeds.map(({ index }) => index),
        feeds.map(({ bytes }) => bytes),
        reads.map(({ index }) => index),
        reads.map(({ sizeBytes }) => sizeBytes),
        options.profile ?? false,
      );
      const contents = Object.fromEntries(
        reads.map(({ name }, index) => [name, result.reads[index] as ArrayBuffer]),
      );
      return {
        reads: contents,
        host: result.host,
        ...(result.timestamps ? { timings: dispatchTimings(this.plan, result.timestamps) } : {}),
      };
    } catch (cause) {
      return rethrow(cause, `run of plan '${this.plan.label}'`);
    }
  }

  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.native.destroy();
  }
}

/** The core's errors carry a code; anything else (a TypeError thrown at the border) is a fault in a plan. */
function asGpuError(cause: unknown, what: string): GpuError {
  if (cause instanceof GpuError) return cause;
  const { code, message } = cause as { code?: GpuErrorCode; message: string };
  if (message === 'std::bad_alloc') {
    return new GpuError('DEVICE_OUT_OF_MEMORY', `${what}: the host has no memory for it`, { cause });
  }
  return new GpuError(code && gpuErrorCodes.includes(code) ? code : 'PLAN_INVALID', message, { cause });
}

function rethrow(cause: unknown, what: string): never {
  throw asGpuError(cause, what);
}
