/**
 * Streams passages through a device: blocks of rows are uploaded in turn into two buffers, and every block of
 * queries runs against each. What a run feeds, reads and means is up to the caller.
 */
import {
  type CompiledPlan,
  compileInRoom,
  type DeviceBuffer,
  type Executor,
  type Plan,
  type RunOptions,
  type RunResult,
} from '@synglot/gpu';
import { packStep, scoreCandidates, scoreQueries } from '@synglot/nn';
import { EvaluationError } from '../errors.js';
import { checkFinite, type VectorSource } from './vector-source.js';

/** Sizes of a search. */
export interface SearchSizes {
  /** Queries scored in one pass. Default 256. */
  readonly queryBlock?: number;
  /** Passages on the device at a time; rounded up to a multiple of 64. Default: 24 MiB of them, at most 16,384. */
  readonly rowBlock?: number;
  /** Rows that every query was scored against; while some were, a part of the block's. */
  readonly onProgress?: (rowsDone: number, rows: number) => void;
  /** Stops between blocks. */
  readonly signal?: AbortSignal;
}

/** Capacities that a sweep's plans are built for. */
export interface SweepShape {
  readonly queries: number;
  readonly rows: number;
  /** The dimension, rounded up to a multiple of 4. */
  readonly width: number;
}

/** One run: some queries against some rows. */
export interface SweepBlock {
  readonly firstQuery: number;
  readonly queries: number;
  readonly firstRow: number;
  readonly rows: number;
  /** The same run again, with other reads: the rows are still on the device. */
  again(options: RunOptions): Promise<RunResult>;
}

/** What {@link sweep} takes. */
export interface Sweep {
  readonly executor: Executor;
  readonly queries: Float32Array;
  readonly source: VectorSource;
  readonly sizes: SearchSizes;
  readonly plan: (shape: SweepShape) => Plan;
  /** Feeds beside queries and counts, and what is read back. */
  readonly options: (block: Omit<SweepBlock, 'again'>, shape: SweepShape) => RunOptions;
  /** Called in the order of the runs; the next run is under way meanwhile. */
  readonly take: (block: SweepBlock, result: RunResult, shape: SweepShape) => void | Promise<void>;
}

/**
 * Runs every query against every row, rows in the outer loop.
 *
 * @throws EvaluationError `INPUT_EMBEDDINGS`, and `INPUT_OPTION` for sizes that are no whole numbers from 1
 */
export async function sweep(job: Sweep): Promise<void> {
  const { executor, queries, source, sizes } = job;
  const count = queryCount(queries, source);
  checkCount('queryBlock', sizes.queryBlock ?? 1);
  checkCount('rowBlock', sizes.rowBlock ?? 1);
  if (count === 0 || source.rows === 0) return;
  checkFinite(queries, source.dimension, (row) => `query ${row}`);
  const width = Math.ceil(source.dimension / 4) * 4;
  const shape = {
    queries: Math.min(sizes.queryBlock ?? 256, count),
    rows: blockRows(sizes.rowBlock, source, width),
    width,
  };
  const feeds = padRows(queries, source.dimension, width);
  const lanes: Lane[] = [];
  try {
    // Two buffers of passages, so that one is filled while the other is read.
    const plan = job.plan(shape);
    while (lanes.length < 2) lanes.push(await openLane(executor, plan, shape));
    let pending: Promise<void> | undefined;
    let next = readBlock(source, 0, shape);
    for (let firstRow = 0, turn = 0; firstRow < source.rows; firstRow += shape.rows, turn++) {
      const { plan, buffer } = lanes[turn % lanes.length]!;
      const rows = Math.min(shape.rows, source.rows - firstRow);
      executor.write(buffer, await next);
      next = readBlock(source, firstRow + shape.rows, shape);
      // A failure is seen when the block is awaited, not as an unhandled rejection before.
      next.catch(() => undefined);
      for (let firstQuery = 0; firstQuery < count; firstQuery += shape.queries) {
        sizes.signal?.throwIfAborted();
        const live = Math.min(shape.queries, count - firstQuery);
        const step = packStep({ counts: { queries: live, candidates: rows } });
        const own = feeds.subarray(firstQuery * width, (firstQuery + live) * width);
        const runWith = (options: RunOptions) =>
          plan.run({ ...options, feeds: { ...options.feeds, [scoreQueries]: own, step } });
        const block = { firstQuery, queries: live, firstRow, rows };
        const run = runWith(job.options(block, shape));
        run.catch(() => undefined);
        await pending;
        pending = run.then((result) => job.take({ ...block, again: runWith }, result, shape));
        pending.catch(() => undefined);
        sizes.onProgress?.(firstRow + Math.floor((rows * (firstQuery + live)) / count), source.rows);
      }
    }
    await pending;
  } finally {
    for (const { plan, buffer } of lanes) {
      plan.destroy();
      buffer.destroy();
    }
  }
}

/** Rows of queries. @throws EvaluationError `INPUT_EMBEDDINGS` for another dimension than the passages' */
export function queryCount(queries: Float32Array, source: VectorSource): number {
  return wholeRows('queries', queries, source.dimension, ', the dimension of the passages');
}

/** How many rows there are. @throws EvaluationError `INPUT_EMBEDDINGS` where they are no whole number */
export function wholeRows(name: string, values: Float32Array, dimension: number, note = ''): number {
  if (values.length % dimension === 0) return values.length / dimension;
  throw new EvaluationError(
    'INPUT_EMBEDDINGS',
    `${name}: ${values.length} values are no whole number of rows of ${dimension}${note}; were both made by one model?`,
  );
}

/** Throws `INPUT_OPTION` unless there can be so many of something: with none, or NaN, a search would not end. */
export function checkCount(name: string, value: number): void {
  if (Number.isInteger(value) && value >= 1) return;
  throw new EvaluationError('INPUT_OPTION', `${name}: expected a whole number from 1 but received ${value}`);
}

/** A plan and the passages that it scores. */
export interface Lane {
  readonly plan: CompiledPlan;
  readonly buffer: DeviceBuffer;
}

/** Leaves nothing on the device where the plan cannot be compiled, for lack of memory. */
export async function openLane(
  executor: Executor,
  plan: Plan,
  { rows, width }: Pick<SweepShape, 'rows' | 'width'>,
): Promise<Lane> {
  const buffer = executor.createBuffer('candidates', rows * width * 4);
  try {
    return { plan: await compileInRoom(executor, plan, new Map([[scoreCandidates, buffer]])), buffer };
  } catch (error) {
    buffer.destroy();
    throw error;
  }
}

function blockRows(wanted: number | undefined, source: VectorSource, width: number): number {
  const rows = wanted ?? Math.min(16_384, Math.floor((24 * 2 ** 20) / (4 * width)));
  return Math.max(64, Math.ceil(Math.min(rows, source.rows) / 64) * 64);
}

async function readBlock(source: VectorSource, first: number, shape: SweepShape): Promise<Float32Array> {
  const rows = Math.max(0, Math.min(shape.rows, source.rows - first));
  const block = new Float32Array(rows * source.dimension);
  if (rows > 0) await source.read(first, first + rows, block);
  checkFinite(block, source.dimension, (row) => source.id(first + row));
  return padRows(block, source.dimension, shape.width);
}

/** Rows of `dimension` values with zeros behind them: kernels read four values at a time. */
export function padRows(rows: Float32Array, dimension: number, width: number): Float32Array {
  if (dimension === width) return rows;
  const count = rows.length / dimension;
  const padded = new Float32Array(count * width);
  for (let i = 0; i < count; i++) {
    padded.set(rows.subarray(i * dimension, (i + 1) * dimension), i * width);
  }
  return padded;
}
