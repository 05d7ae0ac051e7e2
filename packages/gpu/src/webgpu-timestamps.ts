/** Timestamps around every dispatch of one run on a `GPUDevice`. What they mean is in `dispatch-timings.ts`. */
import { dispatchTimings } from './dispatch-timings.js';
import type { DispatchTiming } from './executor.js';
import type { Plan } from './plan.js';
import { takeMapped, usage } from './webgpu-buffers.js';
import type {} from './webgpu-types.js';

const timestampBytes = 8;
/** WebGPU allows 4096 queries in a set: 2048 dispatches. */
const dispatchesPerSet = 2048;

export class RunTimestamps {
  readonly #count: number;
  readonly #sets: readonly GPUQuerySet[];
  readonly #resolve: GPUBuffer;
  readonly #staging: GPUBuffer;

  /** @param count dispatches of the run, at least one */
  constructor(device: GPUDevice, count: number) {
    this.#count = count;
    this.#sets = Array.from({ length: Math.ceil(count / dispatchesPerSet) }, (_, index) =>
      device.createQuerySet({ type: 'timestamp', count: 2 * this.#dispatchesOf(index) }),
    );
    const size = this.#sizeBytes;
    this.#resolve = device.createBuffer({ size, usage: usage.queryResolve | usage.copySource });
    this.#staging = device.createBuffer({ size, usage: usage.mapRead | usage.copyDestination });
  }

  /** Where the pass of a dispatch writes its two timestamps. */
  writes(dispatch: number): GPUComputePassTimestampWrites {
    const first = 2 * (dispatch % dispatchesPerSet);
    return {
      querySet: this.#sets[Math.floor(dispatch / dispatchesPerSet)] as GPUQuerySet,
      beginningOfPassWriteIndex: first,
      endOfPassWriteIndex: first + 1,
    };
  }

  /** Encodes, after all passes, the copies that bring the timestamps to the host. */
  encodeReading(encoder: GPUCommandEncoder): void {
    this.#sets.forEach((set, index) => {
      const offset = index * dispatchesPerSet * 2 * timestampBytes;
      encoder.resolveQuerySet(set, 0, 2 * this.#dispatchesOf(index), this.#resolve, offset);
    });
    encoder.copyBufferToBuffer(this.#resolve, 0, this.#staging, 0, this.#sizeBytes);
  }

  /** The timings of the submitted run; frees the buffers and query sets. */
  async read(plan: Plan): Promise<DispatchTiming[]> {
    const timestamps = await takeMapped(this.#staging, this.#sizeBytes);
    this.#resolve.destroy();
    for (const set of this.#sets) set.destroy();
    return dispatchTimings(plan, timestamps);
  }

  get #sizeBytes(): number {
    return this.#count * 2 * timestampBytes;
  }

  #dispatchesOf(set: number): number {
    return Math.min(dispatchesPerSet, this.#count - set * dispatchesPerSet);
  }
}
