/** Exact scores on a device: f32 dot products, in blocks. The ranking is done by the caller. */
import type { Executor } from '@synglot/gpu';
import { buildScorePlan, packStep, scoreQueries, scoreResult } from '@synglot/nn';
import type { Scorer } from './scorer.js';
import { type Lane, openLane, padRows, wholeRows } from './sweep.js';

const queryBlock = 256;
const maxCandidateBlock = 8192;

interface Block extends Lane {
  readonly first: number;
  readonly count: number;
  readonly capacity: number;
}

/**
 * A {@link Scorer} on an executor. The last candidates stay on the device, so that blocks of queries
 * against the same array cost no upload. Calls that overlap are done one after the other. Call `destroy` when done.
 */
export class DeviceScorer implements Scorer {
  readonly #executor: Executor;
  #candidates: Float32Array | undefined;
  #dimension = 0;
  #blocks: Block[] = [];
  /** Settles with the last call: two at once would each upload the same candidates. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(executor: Executor) {
    this.#executor = executor;
  }

  score(queries: Float32Array, candidates: Float32Array, dimension: number): Promise<Float32Array> {
    const scores = this.#last.then(() => this.#score(queries, candidates, dimension));
    this.#last = scores.catch(() => undefined);
    return scores;
  }

  async #score(queries: Float32Array, candidates: Float32Array, dimension: number): Promise<Float32Array> {
    const queryCount = wholeRows('queries', queries, dimension);
    const candidateCount = wholeRows('candidates', candidates, dimension);
    const kept = candidates === this.#candidates && dimension === this.#dimension;
    const blocks = kept ? this.#blocks : await this.#keep(candidates, dimension);
    const width = Math.ceil(dimension / 4) * 4;
    const padded = padRows(queries, dimension, width);
    const scores = new Float32Array(queryCount * candidateCount);
    for (const block of blocks) {
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
    free(this.#blocks);
    this.#blocks = [];
    this.#candidates = undefined;
  }

  async #keep(candidates: Float32Array, dimension: number): Promise<readonly Block[]> {
    this.destroy();
    const blocks = this.#blocks;
    const width = Math.ceil(dimension / 4) * 4;
    const total = candidates.length / dimension;
    for (let first = 0; first < total; first += maxCandidateBlock) {
      const count = Math.min(maxCandidateBlock, total - first);
      const capacity = Math.ceil(count / 64) * 64;
      const plan = buildScorePlan({
        device: this.#executor.device,
        queries: queryBlock,
        candidates: capacity,
        dimension: width,
      });
      const lane = await openLane(this.#executor, plan, { rows: capacity, width });
      blocks.push({ first, count, capacity, ...lane });
      // Destroyed meanwhile: the write below says so.
      if (blocks !== this.#blocks) free(blocks);
      const rows = candidates.subarray(first * dimension, (first + count) * dimension);
      this.#executor.write(lane.buffer, padRows(rows, dimension, width));
    }
    this.#candidates = candidates;
    this.#dimension = dimension;
    return blocks;
  }
}

function free(blocks: readonly Block[]): void {
  for (const { buffer, plan } of blocks) {
    plan.destroy();
    buffer.destroy();
  }
}
