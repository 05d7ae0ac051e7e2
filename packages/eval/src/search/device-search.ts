/**
 * Exact search on a device: every query is scored against every passage in f32, nothing is approximated or
 * skipped, and passages stream, so that there may be more of them than memory.
 *
 * `searchTopK` yields the first k; `scoreBlocks` hands out every score, for full rankings (`stream-ranks.ts`).
 */
import type { Executor } from '@synglot/gpu';
import { buildScorePlan, scoreResult } from '@synglot/nn';
import type { Profile } from '../profiles.js';
import { BestK, type Hits } from './best-k.js';
import { buildTopKPlan, foundResult, thresholdFeed } from './search-plan.js';
import { checkCount, queryCount, type SearchSizes, type SweepBlock, sweep } from './sweep.js';
import type { VectorSource } from './vector-source.js';

/** Scores of a block of queries against a block of passages. */
export interface ScoreBlock {
  readonly firstQuery: number;
  readonly queries: number;
  readonly firstRow: number;
  readonly rows: number;
  /** [queries, stride]; the first `rows` of each line mean something. */
  readonly scores: Float32Array;
  readonly stride: number;
}

/** What {@link searchTopK} takes. */
export interface TopKOptions extends SearchSizes {
  readonly executor: Executor;
  /** [queries, dimension], row-major. */
  readonly queries: Float32Array;
  readonly source: VectorSource;
  /** From 1. */
  readonly k: number;
  /** Which of equal scores ranks first; default that of trec_eval. */
  readonly ties?: Profile['ties'];
  /** Scores per query that are read back from each block once there are k. Default: 256, or 4 k if more. */
  readonly capacity?: number;
}

/** Memory that the hits of one sweep over the passages may take. */
const hitBytes = 256 * 2 ** 20;
/** Below every score: embeddings are finite and near 1. */
const lowest = -3e38;

/**
 * The `k` best passages of each query by dot product, best first.
 *
 * The first block's scores are all read back; from then on only those that reach the k-th best so far, which
 * the device picks out (all again for a query where there are too many). Memory: two blocks of passages
 * on the host and the device, one of scores, and the hits. Where the hits of all queries would take more
 * than 256 MiB, queries are taken in groups and the passages are swept once for each.
 *
 * @returns one {@link Hits} per query, fewer than k if there are fewer passages
 * @throws EvaluationError `INPUT_EMBEDDINGS` for a wrong length or a value that is not finite, `INPUT_OPTION` for `k`
 *   or sizes that are no whole numbers from 1
 */
export async function searchTopK(options: TopKOptions): Promise<Hits[]> {
  const { source, queries, ties = 'id-descending' } = options;
  const count = queryCount(queries, source);
  checkCount('k', options.k);
  const k = Math.min(options.k, Math.max(1, source.rows));
  const group = Math.max(1, Math.floor(hitBytes / (16 * k)));
  const results: Hits[] = [];
  for (let first = 0; first < count; first += group) {
    const part = queries.subarray(first * source.dimension, (first + group) * source.dimension);
    const partCount = part.length / source.dimension;
    const best = new BestK(partCount, k, (row) => source.id(row), ties);
    // Of one sweep out of several.
    const onProgress = (done: number, rows: number) =>
      options.onProgress?.(Math.floor((first * rows + partCount * done) / count), rows);
    await sweepTopK({ ...options, onProgress }, part, best, options.capacity ?? Math.max(256, 4 * k));
    for (let q = 0; q < partCount; q++) results.push(best.hits(q));
  }
  return results;
}

async function sweepTopK(
  options: TopKOptions,
  queries: Float32Array,
  best: BestK,
  capacity: number,
): Promise<void> {
  const line = 1 + 2 * capacity;
  const addAll = (block: SweepBlock, scores: Float32Array, query: number, stride: number) =>
    best.add(block.firstQuery + query, scores, query * stride, block.rows, block.firstRow);
  await sweep({
    executor: options.executor,
    queries,
    source: options.source,
    sizes: options,
    plan: (shape) =>
      buildTopKPlan({
        device: options.executor.device,
        queries: shape.queries,
        candidates: shape.rows,
        dimension: shape.width,
        capacity,
      }),
    options: ({ firstQuery, queries: live, firstRow }, shape) => ({
      // As of the last run taken, at the latest: an older threshold lets more pass, never fewer.
      feeds: {
        [thresholdFeed]: best.thresholds
          .slice(firstQuery, firstQuery + live)
          .map((threshold) => Math.max(threshold, lowest)),
      },
      reads: [
        firstRow === 0
          ? { name: scoreResult, sizeBytes: live * shape.rows * 4 }
          : { name: foundResult, sizeBytes: live * line * 4 },
      ],
    }),
    take: async (block, { reads }, shape) => {
      const all = reads[scoreResult];
      if (all !== undefined) {
        const scores = new Float32Array(all);
        for (let q = 0; q < block.queries; q++) addAll(block, scores, q, shape.rows);
        return;
      }
      const found = new Uint32Array(reads[foundResult] as ArrayBuffer);
      const bits = new Float32Array(found.buffer);
      const overflowing: number[] = [];
      for (let q = 0; q < block.queries; q++) {
        const pairs = found[q * line]!;
        if (pairs > capacity) overflowing.push(q);
        else takePairs(best, block, q, found, bits, q * line, pairs);
      }
      if (overflowing.length === 0) return;
      const feeds = { [thresholdFeed]: new Float32Array(block.queries) };
      const sizeBytes = block.queries * shape.rows * 4;
      const again = await block.again({ feeds, reads: [{ name: scoreResult, sizeBytes }] });
      const scores = new Float32Array(again.reads[scoreResult] as ArrayBuffer);
      for (const q of overflowing) addAll(block, scores, q, shape.rows);
    },
  });
}

function takePairs(
  best: BestK,
  block: SweepBlock,
  query: number,
  found: Uint32Array,
  bits: Float32Array,
  offset: number,
  pairs: number,
): void {
  const index = block.firstQuery + query;
  for (let i = 0; i < pairs; i++) {
    const score = bits[offset + 2 + 2 * i]!;
    if (score >= best.thresholds[index]!)
      best.push(index, score, block.firstRow + found[offset + 1 + 2 * i]!);
  }
}

/** Scores every query against every passage and hands the scores out block by block. */
export function scoreBlocks(
  executor: Executor,
  queries: Float32Array,
  source: VectorSource,
  sizes: SearchSizes,
  take: (block: ScoreBlock) => void,
): Promise<void> {
  return sweep({
    executor,
    queries,
    source,
    sizes,
    plan: (shape) =>
      buildScorePlan({
        device: executor.device,
        queries: shape.queries,
        candidates: shape.rows,
        dimension: shape.width,
      }),
    options: ({ queries: live }, shape) => ({
      reads: [{ name: scoreResult, sizeBytes: live * shape.rows * 4 }],
    }),
    take: ({ firstQuery, queries: live, firstRow, rows }, { reads }, shape) =>
      take({
        firstQuery,
        queries: live,
        firstRow,
        rows,
        scores: new Float32Array(reads[scoreResult] as ArrayBuffer),
        stride: shape.rows,
      }),
  });
}
