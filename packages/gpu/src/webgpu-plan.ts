/** A plan compiled for a `GPUDevice`: feeds in, commands replayed, results out. */
import { GpuError } from './errors.js';
import type { CompiledPlan, RunOptions, RunResult } from './executor.js';
import type { Plan } from './plan.js';
import { checkFeed, checkRead } from './plan-check.js';
import { Rest } from './waiting.js';
import { takeMapped, usage } from './webgpu-buffers.js';
import { RunTimestamps } from './webgpu-timestamps.js';
import type {} from './webgpu-types.js';

/** A buffer of a plan on the device: all of one, or a view of an external one. */
export interface GpuRange {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly size: number;
}

/** What a compiled plan asks of its executor. */
export interface PlanOwner {
  /** The device tells at once when it is done. */
  readonly prompt: boolean;
  /** How many commands the device is handed at once. */
  readonly commandsPerSubmission: number;
  /** Throws when the device is gone. */
  checkAlive(): void;
  /** Runs `work` so that the device's errors reject with a GpuError. */
  guarded<T>(what: string, work: () => Promise<T>): Promise<T>;
}

export class CompiledWebGpuPlan implements CompiledPlan {
  readonly #names: ReadonlyMap<string, number>;
  readonly #rest = new Rest();
  #destroyed = false;

  constructor(
    readonly plan: Plan,
    private readonly executor: PlanOwner,
    private readonly device: GPUDevice,
    private readonly buffers: readonly GpuRange[],
    private readonly owned: readonly GPUBuffer[],
    private readonly pipelines: readonly GPUComputePipeline[],
    private readonly groups: readonly GPUBindGroup[],
  ) {
    this.#names = new Map(plan.buffers.map((buffer, index) => [buffer.name, index]));
  }

  async run(options: RunOptions = {}): Promise<RunResult> {
    this.executor.checkAlive();
    if (this.#destroyed) {
      throw new GpuError('DEVICE_VALIDATION', `run of plan '${this.plan.label}': the plan was destroyed`);
    }
    const feeds = Object.entries(options.feeds ?? {}).map(([name, data]) =>
      checkFeed(this.plan, this.#names, name, data),
    );
    const reads = (options.reads ?? []).map((read) => checkRead(this.plan, this.#names, read));
    return this.executor.guarded(`run of plan '${this.plan.label}'`, async () => {
      for (const { index, bytes } of feeds) {
        this.device.queue.writeBuffer((this.buffers[index] as GpuRange).buffer, 0, bytes);
      }
      const dispatches = this.groups.length;
      const timed = options.profile && dispatches > 0 && this.device.features.has('timestamp-query');
      const timestamps = timed ? new RunTimestamps(this.device, dispatches) : undefined;
      const encoder = this.#encode(timestamps);
      const staged = reads.map(({ name, index, sizeBytes }) => {
        if (sizeBytes === 0) return { name, sizeBytes };
        const { buffer, offset } = this.buffers[index] as GpuRange;
        // Copies are of whole words.
        const size = Math.ceil(sizeBytes / 4) * 4;
        const staging = this.device.createBuffer({ size, usage: usage.mapRead | usage.copyDestination });
        encoder.copyBufferToBuffer(buffer, offset, staging, 0, size);
        return { name, staging, sizeBytes };
      });
      timestamps?.encodeReading(encoder);
      this.device.queue.submit([encoder.finish()]);
      const contents = async () => {
        const taken = staged.map(async ({ name, staging, sizeBytes }) => {
          const content = staging ? await takeMapped(staging, sizeBytes) : new ArrayBuffer(0);
          return [name, content] as const;
        });
        if (!staged.some(({ staging }) => staging)) await this.device.queue.onSubmittedWorkDone();
        return Promise.all(taken);
      };
      const taken = await (this.executor.prompt ? this.#rest.until(contents) : contents());
      const result: RunResult = { reads: Object.fromEntries(taken) };
      return timestamps ? { ...result, timings: await timestamps.read(this.plan) } : result;
    });
  }

  destroy(): void {
    this.#destroyed = true;
    for (const buffer of this.owned) buffer.destroy();
  }

  /** Encodes all commands, and submits them but for the last ones, whose encoder is returned. */
  #encode(timestamps: RunTimestamps | undefined): GPUCommandEncoder {
    const newEncoder = () => this.device.createCommandEncoder({ label: this.plan.label });
    let encoder = newEncoder();
    let pass: GPUComputePassEncoder | undefined;
    const endPass = () => {
      pass?.end();
      pass = undefined;
    };
    let dispatch = 0;
    let waiting = 0;
    for (const command of this.plan.commands) {
      if (waiting === this.executor.commandsPerSubmission) {
        endPass();
        this.device.queue.submit([encoder.finish()]);
        encoder = newEncoder();
        waiting = 0;
      }
      waiting += 1;
      if (command.kind === 'dispatch') {
        if (timestamps) endPass();
        pass ??= encoder.beginComputePass(timestamps ? { timestampWrites: timestamps.writes(dispatch) } : {});
        pass.setPipeline(this.pipelines[command.kernel] as GPUComputePipeline);
        pass.setBindGroup(0, this.groups[dispatch]);
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
    return encoder;
  }
}
