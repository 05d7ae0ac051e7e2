/**
 * What an executor is: a device with buffers that compiles plans and replays them.
 *
 * Two implementations: `node/native-executor.ts` (C++ on Dawn) and `webgpu-executor.ts` (any
 * `GPUDevice`). They must agree: `test/kernels/executors-agree.test.ts`.
 */
import type { Plan } from './plan.js';

/** WebGPU's limits that plans are checked against, by their names there; sizes in bytes. */
export interface DeviceLimits {
  readonly maxStorageBufferBindingSize: number;
  readonly maxBufferSize: number;
  readonly maxStorageBuffersPerShaderStage: number;
  readonly maxComputeWorkgroupStorageSize: number;
  readonly maxComputeInvocationsPerWorkgroup: number;
  readonly maxComputeWorkgroupSizeX: number;
  readonly maxComputeWorkgroupsPerDimension: number;
}

/**
 * One shape that the device's matrix units multiply: left [M, K] times right [K, N] of `component`,
 * summed in `result`. Names are WGSL's (`f16`, `f32`, `i8`, …).
 */
export interface SubgroupMatrixConfig {
  readonly component: string;
  readonly result: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/** What is known of an executor's device: what kernels are chosen by, and what people read. */
export interface DeviceInfo {
  /** What the adapter calls itself: `NVIDIA H200`, `llvmpipe (LLVM 19.1, 256 bits)`, `SwiftShader Device …`. */
  readonly name: string;
  /**
   * Short id that `--device` accepts: `gpu` (`gpu:1` if there are several), `lavapipe`, `swiftshader`. In a page
   * `browser`; of a device that was opened elsewhere `webgpu`.
   */
  readonly id: string;
  readonly type: 'discrete-gpu' | 'integrated-gpu' | 'cpu' | 'unknown';
  readonly vendor: string;
  readonly architecture: string;
  readonly driver: string;
  /** Sizes of subgroups; both 0 if the device does not grant `subgroups`. */
  readonly subgroups: { readonly minSize: number; readonly maxSize: number };
  /** Shapes of the matrix units; empty if the device does not grant `chromium-experimental-subgroup-matrix`. */
  readonly subgroupMatrixConfigs: readonly SubgroupMatrixConfig[];
  /** WebGPU feature names that the device was granted. */
  readonly features: readonly string[];
  readonly limits: DeviceLimits;
}

/** A buffer on the device, owned by the executor that made it. */
export interface DeviceBuffer {
  readonly label: string;
  readonly sizeBytes: number;
  /** Frees the memory; any later use is a `DEVICE_VALIDATION` error. Idempotent. */
  destroy(): void;
}

/** What a run is given, and what is read back after it. */
export interface RunOptions {
  /** Data for feed buffers, by name; shorter than the buffer is allowed, longer is an error. */
  readonly feeds?: Readonly<Record<string, ArrayBufferView>>;
  /** Names of result (or feed) buffers to read back after the commands; optional byte length. */
  readonly reads?: readonly (string | { readonly name: string; readonly sizeBytes: number })[];
  /** Measure every dispatch with timestamp queries, where the device has them. */
  readonly profile?: boolean;
}

/** Time on the device of one dispatch. */
export interface DispatchTiming {
  readonly kernel: string;
  readonly label: string;
  /** From the beginning of the run's first dispatch. */
  readonly beginNs: number;
  readonly timeNs: number;
}

/** What a run cost the host apart from waiting: nanoseconds of processor time of the executor's own thread. */
export interface HostTime {
  /** Writing the feeds. */
  readonly feedsNs: number;
  /** Recording the commands, as far as they were not recorded ahead. */
  readonly encodeNs: number;
  /** Handing them to the driver. */
  readonly submitNs: number;
  /** Recording the commands of the plan's next run, while the device works on this one. */
  readonly aheadNs: number;
}

/** What a run gives. */
export interface RunResult {
  readonly reads: Readonly<Record<string, ArrayBuffer>>;
  /** From the native executor only; a page cannot measure it. */
  readonly host?: HostTime;
  /** One entry per dispatch, in plan order, if `profile` was set and the device has timestamps. */
  readonly timings?: readonly DispatchTiming[];
}

/** A plan with its pipelines, buffers and bind groups on the device. */
export interface CompiledPlan {
  readonly plan: Plan;
  /**
   * Writes the feeds, replays the commands, reads back. Runs of one executor are executed in the
   * order of the calls. Rejects with a GpuError (`DEVICE_LOST`, `DEVICE_VALIDATION`, …).
   */
  run(options?: RunOptions): Promise<RunResult>;
  /** Frees the buffers that the plan owns; externals stay. Idempotent. */
  destroy(): void;
}

/** A device that holds buffers, compiles plans and runs them. Everything fails with a GpuError. */
export interface Executor {
  readonly kind: 'native' | 'webgpu';
  readonly device: DeviceInfo;
  /** A zero-filled storage buffer; `sizeBytes` is a multiple of 4. */
  createBuffer(label: string, sizeBytes: number): DeviceBuffer;
  /** Queues a write; it is seen by every run that starts after it. */
  write(buffer: DeviceBuffer, data: ArrayBufferView, offsetBytes?: number): void;
  /** Bytes of a buffer after all runs that were called before; by default the whole of it. */
  read(buffer: DeviceBuffer, offsetBytes?: number, sizeBytes?: number): Promise<ArrayBuffer>;
  /** Validates the plan, builds pipelines, buffers and bind groups. */
  compile(plan: Plan, externals?: ReadonlyMap<string, DeviceBuffer>): Promise<CompiledPlan>;
  /** Releases the device; pending work rejects with `EXECUTOR_DESTROYED`. Idempotent. */
  destroy(): void;
}
