/** A plan compiled for a `GPUDevice`: feeds in, commands replayed, results out. */
import { GpuError } from './errors.js';
import type { CompiledPlan, DispatchTiming, RunOptions, RunResult } from './executor.js';
import type { Plan } from './plan.js';
import { checkFeed, checkRead } from './plan-check.js';
import './webgpu-types.js';

/** WebGPU's usage flags as numbers: Node has no GPUBufferUsage global. */
export const usage = {
  mapRead: 1,
  copySource: 4,
  copyDestination: 8,
  uniform: 64,
  storage: 128,
  queryResolve: 512,
};
const mapModeRead = 1;
const timestampBytes = 8;

/** A buffer of a plan on the device: all of one, or a view of an external one. */
export interface GpuRange {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly size: number;
}

/** What a compiled plan asks of its executor. */
export interface PlanOwner {
  /** Throws when the device is gone. */
  checkAlive(): void;
  /** Runs `work` so that the device's errors reject with a GpuError. */
  guarded<T>(what: string, work: () => Promise<T>): Promise<T>;
}

export class CompiledWebGpuPlan implements CompiledPlan {
  readonly #names: ReadonlyMap<string, number>;
  #destroyed = false;

  constructor(
    readonly plan: Plan,
    private readonly executor: PlanOwner,
    private readonly device: GPUDevice,
    private readonly buffers: readonly GpuRange[],
    private readonly owned: readonly GPUBuffer[],
    private readonly pipelines: readonly GPUComputePipeline[],
    private readonly groups: readonly GPUBindGroup[][],
  ) {
    this.#names = new Map(plan.buffers.map((buffer, index) => [buffer.name, index]));
  }

  async run(options: RunOptions = {}): Promise<RunResult> {
    this.executor.checkAlive();
    if (this.#destroyed) {
      throw new GpuError('DEVICE_VALIDATION', `run of plan '${this.plan.label}': the plan was destroyed`);
    }
    const feeds = Object.entries(options.feeds ?? {}).map(([name, data]) => {
      const index = checkFeed(this.plan, this.#names, name, data);
      return { buffer: (this.buffers[index] as GpuRange).buffer, data };
    });
    const reads = (options.reads ?? []).map((read) => checkRead(this.plan, this.#names, read));
    return this.executor.guarded(`run of plan '${this.plan.label}'`, async () => {
      for (const { buffer, data } of feeds) {
        this.device.queue.writeBuffer(
          buffer,
          0,
          data.buffer as ArrayBuffer,
          data.byteOffset,
          data.byteLength,
        );
      }
      const encoder = this.device.createCommandEncoder({ label: this.plan.label });
      const timing = options.profile ? this.#timing() : undefined;
      this.#encode(encoder, timing?.querySet);
      if (timing) encoder.resolveQuerySet(timing.querySet, 0, timing.count * 2, timing.resolve, 0);
      const staged = reads.map(({ name, index, sizeBytes }) => {
        if (sizeBytes === 0) return { name, sizeBytes };
        const { buffer, offset } = this.buffers[index] as GpuRange;
        // Copies are of whole words.
        const size = Math.ceil(sizeBytes / 4) * 4;
        const staging = this.device.createBuffer({ size, usage: usage.mapRead | usage.copyDestination });
        encoder.copyBufferToBuffer(buffer, offset, staging, 0, size);
        return { name, staging, sizeBytes };
      });
      if (timing)
        encoder.copyBufferToBuffer(timing.resolve, 0, timing.staging, 0, timing.count * 2 * timestampBytes);
      this.device.queue.submit([encoder.finish()]);
      const contents = staged.map(async ({ name, staging, sizeBytes }) => {
        const content = staging ? await takeMapped(staging, sizeBytes) : new ArrayBuffer(0);
        return [name, content] as const;
      });
      if (!staged.some(({ staging }) => staging)) await this.device.queue.onSubmittedWorkDone();
      const result: RunResult = { reads: Object.fromEntries(await Promise.all(contents)) };
      return timing ? { ...result, timings: await this.#readTimings(timing) } : result;
    });
  }

  destroy(): void {
    this.#destroyed = true;
    for (const buffer of this.owned) buffer.destroy();
  }

  #encode(encoder: GPUCommandEncoder, querySet: GPUQuerySet | undefined): void {
    let pass: GPUComputePassEncoder | undefined;
    const endPass = () => {
      pass?.end();
      pass = undefined;
    };
    let dispatch = 0;
    for (const command of this.plan.commands) {
      if (command.kind === 'dispatch') {
        if (querySet) endPass();
        pass ??= encoder.beginComputePass(
          querySet
            ? {
                timestampWrites: {
                  querySet,
                  beginningOfPassWriteIndex: dispatch * 2,
                  endOfPassWriteIndex: dispatch * 2 + 1,
                },
              }
            : {},
        );
        pass.setPipeline(this.pipelines[command.kernel] as GPUComputePipeline);
        (this.groups[dispatch] as GPUBindGroup[]).forEach((group, index) => {
          pass?.setBindGroup(index, group);
        });
        pass.dispatchWorkgroups(...command.workgroups);
        dispatch += 1;
        continue;
      }
      endPass();
      if (command.kind === 'clear') {
        const { buffer, offset } = this.buffers[command.buffer] as GpuRange;
        encoder.clearBuffer(buffer, offset + command.offsetBytes, command.sizeBytes);
      } else {
        const source = this.buffers[command.source] as GpuRange;
        const destination = this.buffers[command.destination] as GpuRange;
        encoder.copyBufferToBuffer(
          source.buffer,
          source.offset + command.sourceOffsetBytes,
          destination.buffer,
          destination.offset + command.destinationOffsetBytes,
          command.sizeBytes,
        );
      }
    }
    endPass();
  }

  #timing() {
    const count = this.groups.length;
    if (count === 0 || count > 2048 || !this.device.features.has('timestamp-query')) return undefined;
    const size = count * 2 * timestampBytes;
    return {
      count,
      querySet: this.device.createQuerySet({ type: 'timestamp', count: count * 2 }),
      resolve: this.device.createBuffer({ size, usage: usage.queryResolve | usage.copySource }),
      staging: this.device.createBuffer({ size, usage: usage.mapRead | usage.copyDestination }),
    };
  }

  async #readTimings(timing: {
    count: number;
    staging: GPUBuffer;
    resolve: GPUBuffer;
    querySet: GPUQuerySet;
  }): Promise<DispatchTiming[]> {
    const ticks = new BigUint64Array(await takeMapped(timing.staging, timing.count * 2 * timestampBytes));
    timing.resolve.destroy();
    timing.querySet.destroy();
    return this.plan.commands
      .filter((command) => command.kind === 'dispatch')
      .map((command, index) => ({
        kernel: this.plan.kernels[command.kernel]?.label ?? '',
        label: command.label,
        beginNs: Number((ticks[index * 2] ?? 0n) - (ticks[0] ?? 0n)),
        timeNs: Number((ticks[index * 2 + 1] ?? 0n) - (ticks[index * 2] ?? 0n)),
      }));
  }
}

/** Copies what a staging buffer holds once the device has filled it, and frees the buffer. */
export async function takeMapped(staging: GPUBuffer, sizeBytes: number): Promise<ArrayBuffer> {
  await staging.mapAsync(mapModeRead);
  const copy = staging.getMappedRange().slice(0, sizeBytes);
  staging.unmap();
  staging.destroy();
  return copy;
}
