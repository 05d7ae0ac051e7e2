/**
 * The executor over any `GPUDevice`: a browser's, or npm `webgpu`'s in Node.
 *
 * Compiles a plan once (pipelines, buffers, bind groups, one uniform buffer for all params) and
 * replays its commands. Not the place for shapes or kernels: those are in the plan.
 */
import { GpuError } from './errors.js';
import type { CompiledPlan, DeviceBuffer, DeviceInfo, Executor } from './executor.js';
import { type DispatchCommand, type Plan, type PlanKernel, paramsBinding, stepBinding } from './plan.js';
import { bytesOf, checkBuffer, checkPlan, checkRange, explainMemory } from './plan-check.js';
import { commandsPerSubmission } from './submissions.js';
import { keepAsking } from './waiting.js';
import { describeInfo, readLimits, readMatrixConfigs, readSubgroups } from './webgpu-adapter.js';
import { takeMapped, usage } from './webgpu-buffers.js';
import type { WebGpuDevice } from './webgpu-globals.js';
import { CompiledWebGpuPlan, type GpuRange } from './webgpu-plan.js';
import type {} from './webgpu-types.js';

const computeStage = 4;
const paramsAlignment = 256;

/** What is known of a `GPUDevice` besides what it says itself. Kernels are chosen by its `type`. */
export type WebGpuDeviceInfo = Partial<Omit<DeviceInfo, 'limits' | 'features' | 'subgroups'>>;

/** How the executor hands work to its device, and waits for it. */
export interface WebGpuExecutorOptions {
  /**
   * The device tells at once when it is done, but keeps a core busy from when it is asked, as npm `webgpu`'s does: a plan
   * asks only after most of what its last runs took. Default false: the device is asked every few milliseconds.
   */
  readonly prompt?: boolean;
  /** How many commands of a plan the device is handed at once; `Infinity` for all. Default: 32, all if `type` is `cpu`. */
  readonly commandsPerSubmission?: number;
}

/**
 * Makes an executor that owns `device` and destroys it with itself. Any device will do, with WebGPU's default limits and
 * no features too.
 *
 * @param info by default what the device says of its adapter
 * @throws GpuError `INPUT_DEVICE` for what is no device, RangeError for less than one command at once
 */
export function createWebGpuExecutor(
  device: WebGpuDevice,
  info: WebGpuDeviceInfo = {},
  options: WebGpuExecutorOptions = {},
): Executor {
  if (typeof (device as Partial<GPUDevice> | undefined)?.createBuffer !== 'function') {
    const received = (device as object | null | undefined)?.constructor?.name ?? typeof device;
    throw new GpuError(
      'INPUT_DEVICE',
      `expected a GPUDevice, as an adapter's requestDevice() gives it, but received ${received}`,
    );
  }
  return new WebGpuExecutor(device, info, options);
}

class WebGpuBuffer implements DeviceBuffer {
  destroyed = false;
  /** Why it could not be made, once the device has said so; every later use reports it. */
  failure: GpuError | undefined;

  constructor(
    readonly label: string,
    readonly sizeBytes: number,
    readonly gpu: GPUBuffer,
    readonly owner: GPUDevice,
  ) {}

  destroy(): void {
    this.destroyed = true;
    this.gpu.destroy();
  }
}

class WebGpuExecutor implements Executor {
  readonly kind = 'webgpu';
  readonly device: DeviceInfo;
  readonly #device: GPUDevice;
  readonly prompt: boolean;
  readonly commandsPerSubmission: number;
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  #lost: GpuError | undefined;
  /** Rejects what is pending when the device goes away; Dawn would leave some unresolved. */
  readonly #pending = new Set<(lost: GpuError) => void>();

  constructor(device: WebGpuDevice, info: WebGpuDeviceInfo, options: WebGpuExecutorOptions) {
    this.#device = device;
    this.prompt = options.prompt ?? false;
    const limits = readLimits(device.limits);
    const features = [...device.features].map(String).sort();
    // Not every browser has `adapterInfo`.
    const adapterInfo: Partial<GPUAdapterInfo> = device.adapterInfo ?? {};
    const subgroups = readSubgroups(adapterInfo, features);
    const subgroupMatrixConfigs = features.includes('chromium-experimental-subgroup-matrix')
      ? (info.subgroupMatrixConfigs ?? readMatrixConfigs(adapterInfo))
      : [];
    const described = { id: 'webgpu', ...describeInfo(adapterInfo), ...info };
    this.device = { ...described, limits, features, subgroups, subgroupMatrixConfigs };
    this.commandsPerSubmission = commandsPerSubmission(this.device.type, options.commandsPerSubmission);
    void device.lost.then(({ reason, message }) => {
      this.#lost ??= new GpuError('DEVICE_LOST', `The device was lost (${reason}): ${message}`);
      for (const reject of this.#pending) reject(this.#lost);
    });
  }

  createBuffer(label: string, sizeBytes: number): DeviceBuffer {
    this.checkAlive();
    checkBuffer(label, sizeBytes, this.device.limits);
    this.#device.pushErrorScope('out-of-memory');
    const gpu = this.#createBuffer(label, sizeBytes, storageUsage);
    const buffer = new WebGpuBuffer(label, sizeBytes, gpu, this.#device);
    const kept = (error: GPUError | null) => {
      if (error) buffer.failure = new GpuError('DEVICE_OUT_OF_MEMORY', `buffer '${label}': ${error.message}`);
    };
    this.#device.popErrorScope().then(kept, () => undefined);
    return buffer;
  }

  write(buffer: DeviceBuffer, data: ArrayBufferView, offsetBytes = 0): void {
    this.checkAlive();
    const { gpu } = this.#own(buffer);
    const bytes = bytesOf(`write to buffer '${buffer.label}'`, data);
    checkRange(buffer, offsetBytes, bytes.length);
    this.#device.queue.writeBuffer(gpu, offsetBytes, bytes);
  }

  async read(
    buffer: DeviceBuffer,
    offsetBytes = 0,
    sizeBytes = buffer.sizeBytes - offsetBytes,
  ): Promise<ArrayBuffer> {
    this.checkAlive();
    const own = this.#own(buffer);
    checkRange(buffer, offsetBytes, sizeBytes);
    if (sizeBytes === 0) return new ArrayBuffer(0);
    const work = async () => {
      const staging = this.#createBuffer('read back', sizeBytes, usage.mapRead | usage.copyDestination);
      const encoder = this.#device.createCommandEncoder();
      encoder.copyBufferToBuffer(own.gpu, offsetBytes, staging, 0, sizeBytes);
      this.#device.queue.submit([encoder.finish()]);
      return takeMapped(staging, sizeBytes);
    };
    return this.guarded('read', work, [own]);
  }

  async compile(plan: Plan, externals: ReadonlyMap<string, DeviceBuffer> = new Map()): Promise<CompiledPlan> {
    this.checkAlive();
    checkPlan(plan, externals, this.device.limits);
    const what = `compile of plan '${plan.label}'`;
    const pipelines = await this.guarded(what, () =>
      Promise.all(plan.kernels.map((kernel) => this.#pipeline(kernel))),
    );
    try {
      return await this.#make(plan, externals, pipelines);
    } catch (error) {
      if (!(error instanceof GpuError && error.code === 'DEVICE_OUT_OF_MEMORY')) throw error;
      // Dawn gives back the memory of what was destroyed when the device has ended what it is given next, and sees so
      // at a submission after that: two suffice, unless the device is given something else meanwhile.
      for (let submission = 0; submission < 4; submission++) {
        await this.guarded(what, async () => {
          this.#device.queue.submit([]);
          await this.#device.queue.onSubmittedWorkDone();
        });
      }
      return this.#make(plan, externals, pipelines).catch((again: unknown) => {
        throw explainMemory(plan, again);
      });
    }
  }

  /** Buffers and bind groups of a plan; no buffer is left if one of them cannot be made. */
  async #make(
    plan: Plan,
    externals: ReadonlyMap<string, DeviceBuffer>,
    pipelines: readonly GPUComputePipeline[],
  ): Promise<CompiledPlan> {
    const given: WebGpuBuffer[] = [];
    const owned: GPUBuffer[] = [];
    // Nothing inside awaits, so that all of it is within the error scopes.
    const work = async () => {
      const buffers = plan.buffers.map(({ name, sizeBytes, role, within }, index): GpuRange => {
        if (role === 'external') {
          const buffer = this.#own(externals.get(within?.name ?? name) as DeviceBuffer);
          given.push(buffer);
          return { buffer: buffer.gpu, offset: within?.offsetBytes ?? 0, size: sizeBytes };
        }
        const flags = index === plan.stepBuffer ? stepUsage : storageUsage;
        const buffer = this.#createBuffer(`${plan.label}: ${name}`, sizeBytes, flags);
        owned.push(buffer);
        return { buffer, offset: 0, size: sizeBytes };
      });
      const dispatches = plan.commands.filter((command) => command.kind === 'dispatch');
      const { buffer, stride } = this.#paramsBuffer(plan.label, dispatches);
      owned.push(buffer);
      const step = plan.stepBuffer < 0 ? undefined : buffers[plan.stepBuffer];
      const groups = dispatches.map((command, index) =>
        this.#bindGroup(plan, command, buffers, { buffer, offset: index * stride }, step),
      );
      return new CompiledWebGpuPlan(plan, this, this.#device, buffers, owned, pipelines, groups);
    };
    try {
      return await this.guarded(`compile of plan '${plan.label}'`, work, given);
    } catch (error) {
      for (const buffer of owned) buffer.destroy();
      throw error;
    }
  }

  destroy(): void {
    this.#lost ??= new GpuError('EXECUTOR_DESTROYED', 'The executor was destroyed');
    this.#device.destroy();
  }

  /** Runs `work`, which uses `buffers`, inside error scopes; validation errors, lack of memory and loss reject. */
  async guarded<T>(what: string, work: () => Promise<T>, buffers: readonly WebGpuBuffer[] = []): Promise<T> {
    this.checkAlive();
    this.#device.pushErrorScope('out-of-memory');
    this.#device.pushErrorScope('validation');
    const pending = work();
    // Error scopes are a stack: popped right after the synchronous part of `work`, so that calls
    // that overlap in time do not see each other's errors.
    const errors = Promise.all([this.#device.popErrorScope(), this.#device.popErrorScope()]);
    const stopAsking = this.prompt ? undefined : keepAsking(this.#device.queue);
    const settled = Promise.allSettled([pending, errors]);
    const [result, popped] = await this.#unlessLost(settled).finally(stopAsking);
    const failed = buffers.find(({ failure }) => failure);
    if (failed) throw failed.failure;
    if (popped.status === 'fulfilled') {
      const [validation, memory] = popped.value;
      if (memory) throw new GpuError('DEVICE_OUT_OF_MEMORY', `${what}: ${memory.message}`);
      if (validation) throw new GpuError('DEVICE_VALIDATION', `${what}: ${validation.message}`);
    }
    if (result.status === 'fulfilled') return result.value;
    if (result.reason instanceof GpuError) throw result.reason;
    if (this.#lost) throw this.#lost;
    throw new GpuError('DEVICE_VALIDATION', `${what}: ${(result.reason as Error).message}`, {
      cause: result.reason,
    });
  }

  checkAlive(): void {
    if (this.#lost) throw this.#lost;
  }

  /**
   * Settles as `work` does, or rejects when the device is lost. It is no race with one promise of the loss: that would
   * keep the results of all races as long as the device.
   */
  #unlessLost<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#pending.add(reject);
      void work.then(resolve, reject).finally(() => this.#pending.delete(reject));
    });
  }

  #createBuffer(label: string, size: number, flags: number): GPUBuffer {
    return this.#device.createBuffer({ label, size, usage: flags });
  }

  #own(buffer: DeviceBuffer): WebGpuBuffer {
    if (!(buffer instanceof WebGpuBuffer && buffer.owner === this.#device)) {
      throw new GpuError('DEVICE_VALIDATION', `buffer '${buffer.label}' belongs to another executor`);
    }
    if (!buffer.destroyed) return buffer;
    throw new GpuError('DEVICE_VALIDATION', `buffer '${buffer.label}' was destroyed`);
  }

  /** The params of all dispatches in one uniform buffer, each `stride` bytes after those of the one before it. */
  #paramsBuffer(planLabel: string, dispatches: readonly DispatchCommand[]) {
    const largest = dispatches.reduce((most, { params }) => Math.max(most, params.length), 1);
    const stride = Math.ceil(largest / paramsAlignment) * paramsAlignment;
    const packed = new Uint8Array(Math.max(1, dispatches.length) * stride);
    dispatches.forEach(({ params }, index) => {
      packed.set(params, index * stride);
    });
    const flags = usage.uniform | usage.copyDestination;
    const buffer = this.#createBuffer(`${planLabel}: params`, packed.length, flags);
    this.#device.queue.writeBuffer(buffer, 0, packed);
    return { buffer, stride };
  }

  #layout({ access, paramsSizeBytes, usesStep }: PlanKernel): GPUBindGroupLayout {
    const key = `${access}/${paramsSizeBytes > 0}/${usesStep}`;
    let layout = this.#layouts.get(key);
    if (!layout) {
      const entry = (binding: number, type: GPUBufferBindingType) => ({
        binding,
        visibility: computeStage,
        buffer: { type },
      });
      const entries = access.map((mode, at) => entry(at, mode === 'read' ? 'read-only-storage' : 'storage'));
      if (paramsSizeBytes > 0) entries.push(entry(paramsBinding, 'uniform'));
      if (usesStep) entries.push(entry(stepBinding, 'uniform'));
      layout = this.#device.createBindGroupLayout({ entries });
      this.#layouts.set(key, layout);
    }
    return layout;
  }

  #pipeline(kernel: PlanKernel): Promise<GPUComputePipeline> {
    // Besides the code, all that its layout is made of: code in another layout is an error of its own.
    const key = `${kernel.access}/${kernel.paramsSizeBytes}/${kernel.usesStep}/${kernel.code}`;
    let pipeline = this.#pipelines.get(key);
    if (!pipeline) {
      pipeline = this.#device.createComputePipelineAsync({
        label: kernel.label,
        layout: this.#device.createPipelineLayout({ bindGroupLayouts: [this.#layout(kernel)] }),
        compute: {
          module: this.#device.createShaderModule({ label: kernel.label, code: kernel.code }),
          entryPoint: 'main',
        },
      });
      this.#pipelines.set(key, pipeline);
      pipeline.catch(() => this.#pipelines.delete(key));
    }
    return pipeline;
  }

  #bindGroup(
    plan: Plan,
    command: DispatchCommand,
    buffers: readonly GpuRange[],
    params: { readonly buffer: GPUBuffer; readonly offset: number },
    step: GpuRange | undefined,
  ): GPUBindGroup {
    const kernel = plan.kernels[command.kernel] as PlanKernel;
    const entries: GPUBindGroupEntry[] = command.buffers.map((buffer, binding) => ({
      binding,
      resource: buffers[buffer] as GpuRange,
    }));
    const size = kernel.paramsSizeBytes;
    if (size > 0) entries.push({ binding: paramsBinding, resource: { ...params, size } });
    if (kernel.usesStep) entries.push({ binding: stepBinding, resource: step as GpuRange });
    return this.#device.createBindGroup({ label: command.label, layout: this.#layout(kernel), entries });
  }
}

const storageUsage = usage.storage | usage.copySource | usage.copyDestination;
const stepUsage = usage.uniform | usage.copySource | usage.copyDestination;
