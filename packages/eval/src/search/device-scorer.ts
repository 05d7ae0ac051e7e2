/** Exact scores on a device: f32 dot products, in blocks. The ranking is done by the caller. */
import type { CompiledPlan, DeviceBuffer, Executor } from '@synglot/gpu';
import { buildScorePlan, packStep, scoreCandidates, scoreQueries, scoreResult } from '@synglot/nn';
import type { Scorer } from './scorer.js';
import { padRows } from './sweep.js';

const queryBlock = 256;
const maxCandidateBlock = 8192;

interface Block {
  readonly first: number;
  readonly count: number;
  readonly capacity: number;
  readonly buffer: DeviceBuffer;
  readonly plan: CompiledPlan;
}

/**
 * A {@link Scorer} on an executor. The last candidates stay on the device, so that blocks of queries
 * against the same array cost no upload. Call `destroy` when done.
 */
export class DeviceScorer implements Scorer {
  readonly #executor: Executor;
  #candidates: Float32Array | undefined;
  #blocks: Block[] = [];

  constructor(executor: Executor) {
    this.#executor = executor;
  }

  async score(queries: Float32Array, candidates: Float32Array, dimension: number): Promise<Float32Array> {
    if (candidates !== this.#candidates) await this.#keep(candidates, dimension);
    const width = Math.ceil(dimension / 4) * 4;
    const padded = padRows(queries, dimension, width);
    const queryCount = queries.length / dimension;
    const candidateCount = candidates.length / dimension;
    const scores = new Float32Array(queryCount * candidateCount);
    for (const block of this.#blocks) {
      for (let first = 0; first < queryCount; first += queryBlock) {
        const count = Math.min(queryBlock, queryCount - first);
        const { reads } = await block.plan.run({
          feeds: {
            [scoreQueries]: padded.subarray(first * width, (first + count) * width),
            step: packStep({ counts: { queries: count, candidates: block.count } }),
          },
          reads: [{ name: scoreResult, sizeBytes: count * block.capacity * 4 }],
        });
        const values = new Float32Array(reads[scoreResult] as ArrayBuffer);
        for (let row = 0; row < count; row++) {
          const from = row * block.capacity;
          scores.set(values.subarray(from, from + block.count), (first + row) * candidateCount + block.first);
        }
      }
    }
    return scores;
  }

  /** Frees what is kept on the device. */
  destroy(): void {
    for (const { buffer, plan } of this.#blocks) {
      plan.destroy();
      buffer.destroy();
    }
    this.#blocks = [];
    this.#candidates = undefined;
  }

  async #keep(candidates: Float32Array, dimension: number): Promise<void> {
    this.destroy();
    const width = Math.ceil(dimension / 4) * 4;
    const total = candidates.length / dimension;
    for (let first = 0; first < total; first += maxCandidateBlock) {
      const count = Math.min(maxCandidateBlock, total - first);
      const capacity = Math.ceil(count / 64) * 64;
      const buffer = this.#executor.createBuffer('candidates', capacity * width * 4);
      const rows = candidates.subarray(first * dimension, (first + count) * dimension);
      this.#executor.write(buffer, padRows(rows, dimension, width));
      const plan = await this.#executor.compile(
        buildScorePlan({
          device: this.#executor.device,
          queries: queryBlock,
          candidates: capacity,
          dimension: width,
        }),
        new Map([[scoreCandidates, buffer]]),
      );
      this.#blocks.push({ first, count, capacity, buffer, plan });
    }
    this.#candidates = candidates;
  }
}
