/**
 * Gradients of batches beyond memory: gradient caching (GradCache, Gao et al. 2021).
 *
 * Every chunk of the batch is encoded and its embeddings kept; the loss is computed over all of them, tile
 * by tile; then every chunk is encoded again, with the same dropout masks, and its embeddings' gradients go
 * backward. Memory: one chunk's activations and one tile, whatever the batch; the batch itself takes two
 * vectors a sequence. Not the update, which is the trainer's.
 */
import type { PackedBatch } from '@synglot/data';
import type { CompiledPlan, DeviceBuffer, Executor, Plan } from '@synglot/gpu';
import {
  type BatchCapacity,
  buildChunkPlan,
  buildLossTilePlans,
  type ChunkPlanOptions,
  columnStatisticsExternal,
  type EncoderConfig,
  embeddingDimension,
  embeddingGradientsExternal,
  embeddingsExternal,
  groupsExternal,
  type InfoNceOptions,
  lossOfStatistics,
  lossTiles,
  type Objective,
  type ObjectiveValues,
  type ParameterStore,
  type PoolingConfig,
  type Precision,
  packBatch,
  packStep,
  rowStatisticsExternal,
  weighObjectives,
} from '@synglot/nn';
import { TrainError } from './errors.js';

export interface GradientCacheOptions {
  readonly executor: Executor;
  /** Holds parameters and gradients. */
  readonly store: ParameterStore;
  readonly config: EncoderConfig;
  readonly pooling: PoolingConfig;
  /** One that is computed by tiles. */
  readonly objectives: readonly Objective[];
  /** Default `f32`. Embeddings, their gradients and the loss are f32 in any case. */
  readonly precision?: Precision;
  /** Keeps only the inputs of layers for the backward of a chunk. */
  readonly recompute?: boolean;
  /** Most tokens of a chunk. */
  readonly cacheTokens: number;
  /** Queries and candidates of a tile of the similarity matrix; a multiple of 4, default 1024. */
  readonly lossTile?: number;
}

type ChunkMode = ChunkPlanOptions['mode'];
type LossStage = keyof ReturnType<typeof buildLossTilePlans>;

/** What depends on the batch's size: buffers of its embeddings, and the plans that are bound to them. */
interface Whole {
  readonly rows: number;
  readonly buffers: ReadonlyMap<string, DeviceBuffer>;
  readonly plans: Map<string, Promise<CompiledPlan>>;
}

/** Bytes on the device, beside parameters, gradients and optimiser state. */
export interface CacheMemory {
  /** What grows with the batch: embeddings, their gradients, statistics and groups. */
  readonly batchBytes: number;
  /** What the compiled plans own: activations and feeds of a chunk, a tile of the loss. */
  readonly planBytes: number;
}

export class GradientCache {
  readonly #options: GradientCacheOptions;
  readonly #capacity: BatchCapacity;
  readonly #dimension: number;
  readonly #tile: number;
  readonly #loss: InfoNceOptions;
  #whole: Whole | undefined;

  constructor(options: GradientCacheOptions) {
    this.#options = options;
    this.#dimension = embeddingDimension(options.config, options.pooling);
    this.#tile = options.lossTile ?? 1024;
    this.#loss = tiledLoss(options.objectives);
    this.#capacity = {
      tokens: Math.ceil(options.cacheTokens / 64) * 64,
      // Texts are longer than four tokens as a rule; a chunk of shorter ones ends before its budget.
      queries: Math.max(4, Math.ceil(options.cacheTokens / 4)),
      candidates: 0,
    };
  }

  /**
   * Adds the gradients of the batch's mean loss to those in the store; returns it.
   *
   * @param seed of the dropout masks: the gradients are those of the uncached batch with this seed
   * @param lossScale multiplies the gradients
   */
  async accumulate(packed: PackedBatch, seed: number, lossScale = 1): Promise<ObjectiveValues> {
    const whole = await this.#begin(packed);
    await this.#runChunks(whole, 'encode', packed, seed);
    await this.#runTiles(whole, 'statistics', packed);
    await (await this.#lossPlan(whole, 'clear')).run();
    await this.#runTiles(whole, 'backward', packed, lossScale);
    await this.#runChunks(whole, 'backward', packed, seed);
    return this.#readLoss(whole, packed);
  }

  /** The batch's mean loss without dropout and without gradients. */
  async evaluate(packed: PackedBatch): Promise<ObjectiveValues> {
    const whole = await this.#begin(packed);
    await this.#runChunks(whole, 'evaluate', packed, 0);
    await this.#runTiles(whole, 'statistics', packed);
    return this.#readLoss(whole, packed);
  }

  /** What is on the device now. */
  async memory(): Promise<CacheMemory> {
    const { buffers = new Map<string, DeviceBuffer>(), plans = new Map<string, Promise<CompiledPlan>>() } =
      this.#whole ?? {};
    const compiled = await Promise.all(plans.values());
    const owned = compiled.flatMap(({ plan }) => plan.buffers.filter(({ role }) => role !== 'external'));
    const bytes = (sizes: Iterable<{ readonly sizeBytes: number }>) =>
      [...sizes].reduce((total, { sizeBytes }) => total + sizeBytes, 0);
    return { batchBytes: bytes(buffers.values()), planBytes: bytes(owned) };
  }

  /** Frees plans and buffers. */
  async destroy(): Promise<void> {
    const { buffers, plans } = this.#whole ?? {};
    this.#whole = undefined;
    for (const plan of plans?.values() ?? []) (await plan).destroy();
    for (const buffer of buffers?.values() ?? []) buffer.destroy();
  }

  /** Makes room for a batch. Room that is there stays: no result depends on how much there is. */
  async #begin({ counts, groups }: PackedBatch): Promise<Whole> {
    if (!this.#whole || this.#whole.rows < counts.sequences) {
      await this.destroy();
      this.#whole = this.#allocate(rowsFor(counts.sequences));
    }
    const buffer = this.#whole.buffers.get(groupsExternal) as DeviceBuffer;
    this.#options.executor.write(buffer, groups);
    return this.#whole;
  }

  #allocate(rows: number): Whole {
    const { executor } = this.#options;
    const columns = {
      [embeddingsExternal]: this.#dimension,
      [embeddingGradientsExternal]: this.#dimension,
      [groupsExternal]: 1,
      [rowStatisticsExternal]: 4,
      [columnStatisticsExternal]: 4,
    };
    const names = Object.entries(columns);
    const buffers = new Map(
      names.map(([name, width]) => [name, executor.createBuffer(name, rows * width * 4)]),
    );
    return { rows, buffers, plans: new Map() };
  }

  /** Feeds every chunk in order. */
  async #runChunks(whole: Whole, mode: ChunkMode, packed: PackedBatch, seed: number): Promise<void> {
    const { config } = this.#options;
    const { ids, cuSeqlens } = packed;
    const compiled = await this.#chunkPlan(whole, mode);
    const run = ({ begin, end }: Chunk) => {
      const borders = cuSeqlens.subarray(begin, end + 1);
      const [first, last] = [borders[0] as number, borders[end - begin] as number];
      const { feeds, counts } = packBatch(config, this.#capacity, {
        ids: ids.subarray(first, last),
        cuSeqlens: borders.map((border) => border - first),
        queries: end - begin,
        candidates: 0,
      });
      return compiled.run({ feeds: { ...feeds, step: packStep({ counts, seed, begins: [first, begin] }) } });
    };
    await inTurn(cutChunks(cuSeqlens, this.#options.cacheTokens, this.#capacity.queries), run);
  }

  async #runTiles(whole: Whole, stage: LossStage, { counts }: PackedBatch, lossScale = 1): Promise<void> {
    const compiled = await this.#lossPlan(whole, stage);
    const { queries, candidates } = counts;
    await inTurn(lossTiles(queries, candidates, this.#tile), (tile) => {
      const tileCounts = { queries, tileQueries: tile.queries, tileCandidates: tile.candidates };
      const begins = [tile.queryBegin, queries + tile.candidateBegin] as const;
      return compiled.run({ feeds: { step: packStep({ counts: tileCounts, begins, lossScale }) } });
    });
  }

  async #readLoss({ buffers }: Whole, { counts: { queries } }: PackedBatch): Promise<ObjectiveValues> {
    const read = async (name: string) =>
      new Float32Array(await this.#options.executor.read(buffers.get(name) as DeviceBuffer, 0, queries * 16));
    const row = await read(rowStatisticsExternal);
    const column = await read(columnStatisticsExternal);
    const { objectives } = this.#options;
    return weighObjectives(objectives, () => lossOfStatistics(row, column, queries, this.#loss.direction));
  }

  #chunkPlan(whole: Whole, mode: ChunkMode): Promise<CompiledPlan> {
    const { executor, store, config, pooling, precision = 'f32', recompute = false } = this.#options;
    const { tokens, queries: sequences } = this.#capacity;
    return this.#compiled(whole, `${mode} chunk`, () => {
      const { layout } = store;
      const { device } = executor;
      const { rows } = whole;
      const size = { tokens, sequences, rows };
      return buildChunkPlan({ config, pooling, layout, device, precision, recompute, ...size, mode }).plan;
    });
  }

  #lossPlan(whole: Whole, stage: LossStage): Promise<CompiledPlan> {
    const { executor } = this.#options;
    return this.#compiled(whole, `${stage} of the loss`, () => {
      const size = { tile: this.#tile, rows: whole.rows, dimension: this.#dimension };
      return buildLossTilePlans({ ...this.#loss, ...size, device: executor.device })[stage];
    });
  }

  #compiled({ plans, buffers }: Whole, key: string, build: () => Plan): Promise<CompiledPlan> {
    let compiled = plans.get(key);
    if (!compiled) {
      const { executor, store } = this.#options;
      compiled = executor.compile(build(), new Map([...store.externals, ...buffers]));
      plans.set(key, compiled);
    }
    return compiled;
  }
}

/**
 * The one objective, which must be computed by tiles.
 *
 * @throws TrainError `INPUT_CONFIG` for objectives over whole batches
 */
export function tiledLoss(objectives: readonly Objective[]): InfoNceOptions {
  const whole = objectives.filter(({ tiles }) => !tiles).map(({ name }) => name);
  if (whole.length > 0) {
    throw new TrainError(
      'INPUT_CONFIG',
      `training.cache_tokens: gradient caching does not work with ${whole.join(', ')}, which need the whole batch at once; leave cache_tokens out, or use training.accumulation`,
    );
  }
  const [only, ...others] = objectives;
  if (!only?.tiles || others.length > 0) {
    throw new RangeError(`Expected one contrastive objective but received ${objectives.length}`);
  }
  return only.tiles;
}

/** A run of sequences [begin, end) of a batch. */
export interface Chunk {
  readonly begin: number;
  readonly end: number;
}

/**
 * Cuts a packed batch into runs of sequences within a budget of tokens and a number of sequences.
 *
 * @param cuSeqlens borders of the sequences [sequences + 1]
 * @throws TrainError `INPUT_CONFIG` when one sequence exceeds the budget
 */
export function* cutChunks(cuSeqlens: Uint32Array, tokens: number, sequences: number): Generator<Chunk> {
  const border = (sequence: number) => cuSeqlens[sequence] as number;
  const count = cuSeqlens.length - 1;
  for (let begin = 0; begin < count; ) {
    let end = begin;
    while (end < count && end - begin < sequences && border(end + 1) - border(begin) <= tokens) end++;
    if (end === begin) {
      throw new TrainError(
        'INPUT_CONFIG',
        `training.cache_tokens ${tokens}: a text of the batch has ${border(begin + 1) - border(begin)} tokens; raise it, or lower text.passage_max_length and text.query_max_length`,
      );
    }
    yield { begin, end };
    begin = end;
  }
}

/** Capacity for a batch: rounded up to a quarter of a power of two, at least 64, so that few sizes occur. */
function rowsFor(sequences: number): number {
  const step = Math.max(64, 2 ** Math.floor(Math.log2(sequences)) / 4);
  return Math.ceil(sequences / step) * step;
}

/** Runs `work` on every item in order; the next item is prepared while the device has this one. */
async function inTurn<T>(items: Iterable<T>, work: (item: T) => Promise<unknown>): Promise<void> {
  let previous: Promise<unknown> = Promise.resolve();
  for (const item of items) {
    const current = work(item);
    // Seen in the next turn, unless the previous one failed.
    current.catch(() => undefined);
    await previous;
    previous = current;
  }
  await previous;
}
