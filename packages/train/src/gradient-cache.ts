/**
 * Gradients of batches beyond memory: gradient caching (GradCache, Gao et al. 2021).
 *
 * Every chunk of the batch is encoded and its embeddings kept; the losses are computed over all of them: those over
 * the similarity matrix tile by tile, the others at once; then every chunk is encoded again, with the same dropout
 * masks, and its embeddings' gradients go backward. Memory: one chunk's activations and one tile, whatever the batch;
 * the batch itself takes two vectors a sequence, and some more where an objective is computed at once. Not the
 * update, which is the trainer's.
 */
import type { PackedBatch } from '@synglot/data';
import { type CompiledPlan, type DeviceBuffer, type Executor, inFlight, type Plan } from '@synglot/gpu';
import {
  type BatchCapacity,
  buildChunkPlan,
  buildClearEmbeddingGradientsPlan,
  buildEmbeddingLossPlan,
  buildLossTilePlans,
  type ChunkPlanOptions,
  type EmbeddingLossPlanOptions,
  type EncoderConfig,
  embeddingDimension,
  embeddingGradientsExternal,
  embeddingsExternal,
  groupsExternal,
  lossOfStatistics,
  lossTiles,
  type ObjectiveReads,
  type ObjectiveValues,
  objectiveResults,
  type ParameterStore,
  type PoolingConfig,
  type Precision,
  packBatch,
  packStep,
  statisticsExternals,
  type TiledObjective,
  weighObjectives,
} from '@synglot/nn';
import { type Chunk, cutChunks } from './chunks.js';
import type { ObjectiveContext, TrainObjective } from './objectives.js';

export interface GradientCacheOptions {
  readonly executor: Executor;
  /** Holds parameters and gradients. */
  readonly store: ParameterStore;
  readonly config: EncoderConfig;
  readonly pooling: PoolingConfig;
  /** What is minimised. */
  readonly objectives: readonly TrainObjective[];
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

/** A batch, and what its objectives' feeds depend on. */
export type CachedBatch = Omit<ObjectiveContext, 'capacity'>;

/** What depends on the batch's size: buffers of its embeddings, and the plans that are bound to them. */
interface Whole {
  readonly rows: number;
  readonly buffers: ReadonlyMap<string, DeviceBuffer>;
  readonly plans: Map<string, Promise<CompiledPlan>>;
}

/** Bytes on the device, beside parameters, gradients and optimiser state. */
export interface CacheMemory {
  /** What grows with the batch: embeddings, their gradients, statistics of each tiled loss, and groups. */
  readonly batchBytes: number;
  /**
   * What the compiled plans own: activations and feeds of a chunk and of a tile, whatever the batch; for objectives
   * that are computed at once also their activations, which grow with it.
   */
  readonly planBytes: number;
}

export class GradientCache {
  readonly #options: GradientCacheOptions;
  readonly #capacity: BatchCapacity;
  readonly #dimension: number;
  readonly #tile: number;
  /** The losses that are computed by tiles. */
  readonly #tiled: readonly TiledObjective[];
  /** The other objectives. */
  readonly #others: readonly TrainObjective[];
  #whole: Whole | undefined;

  constructor(options: GradientCacheOptions) {
    this.#options = options;
    this.#dimension = embeddingDimension(options.config, options.pooling);
    this.#tile = options.lossTile ?? 1024;
    this.#tiled = options.objectives.flatMap(({ objective: { tiles } }) => tiles ?? []);
    this.#others = options.objectives.filter(({ objective }) => !objective.tiles);
    this.#capacity = {
      tokens: Math.ceil(options.cacheTokens / 64) * 64,
      // Texts are longer than four tokens as a rule; a chunk of shorter ones ends before its budget.
      queries: Math.max(4, Math.ceil(options.cacheTokens / 4)),
      candidates: 0,
    };
  }

  /**
   * Adds the gradients of the batch's mean loss to those in the store; returns it and what it is made of.
   *
   * @param seed of the dropout masks: the gradients are those of the uncached batch with this seed
   * @param lossScale multiplies the gradients
   */
  async accumulate(batch: CachedBatch, seed: number, lossScale = 1): Promise<ObjectiveValues> {
    const { packed } = batch;
    const whole = await this.#begin(packed);
    await this.#runChunks(whole, 'encode', packed, seed);
    for (const loss of this.#tiled) await this.#runTiles(whole, loss, 'statistics', packed);
    await (await this.#clearPlan(whole)).run();
    for (const loss of this.#tiled) await this.#runTiles(whole, loss, 'backward', packed, lossScale);
    const reads = await this.#runOthers(whole, 'backward', batch, lossScale);
    await this.#runChunks(whole, 'backward', packed, seed);
    return this.#readValues(whole, packed, reads);
  }

  /** The batch's mean loss without dropout and without gradients. */
  async evaluate(batch: CachedBatch): Promise<ObjectiveValues> {
    const { packed } = batch;
    const whole = await this.#begin(packed);
    await this.#runChunks(whole, 'evaluate', packed, 0);
    for (const loss of this.#tiled) await this.#runTiles(whole, loss, 'statistics', packed);
    const reads = await this.#runOthers(whole, 'evaluate', batch);
    return this.#readValues(whole, packed, reads);
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
    const statistics = this.#tiled.flatMap((loss) => Object.values(statisticsExternals(loss)));
    const columns: readonly (readonly [string, number])[] = [
      [embeddingsExternal, this.#dimension],
      [embeddingGradientsExternal, this.#dimension],
      [groupsExternal, 1],
      ...statistics.map((name) => [name, 4] as const),
    ];
    const buffers = new Map(
      columns.map(([name, width]) => [name, executor.createBuffer(name, rows * width * 4)]),
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

  async #runTiles(
    whole: Whole,
    loss: TiledObjective,
    stage: LossStage,
    { counts }: PackedBatch,
    lossScale = 1,
  ): Promise<void> {
    const compiled = await this.#tilePlan(whole, loss, stage);
    const { queries, candidates } = counts;
    await inTurn(lossTiles(queries, candidates, this.#tile), (tile) => {
      const tileCounts = { queries, tileQueries: tile.queries, tileCandidates: tile.candidates };
      const begins = [tile.queryBegin, queries + tile.candidateBegin] as const;
      return compiled.run({ feeds: { step: packStep({ counts: tileCounts, begins, lossScale }) } });
    });
  }

  /** Runs the objectives that are not computed by tiles; returns what was read of them. */
  async #runOthers(
    whole: Whole,
    mode: EmbeddingLossPlanOptions['mode'],
    batch: CachedBatch,
    lossScale = 1,
  ): Promise<ObjectiveReads> {
    if (this.#others.length === 0) return {};
    const { rows } = whole;
    const { queries, candidates, tokens } = batch.packed.counts;
    const compiled = await this.#othersPlan(whole, mode);
    const context = { ...batch, capacity: { tokens, queries: rows, candidates: rows } };
    const own = this.#others.map((objective) => objective.feeds?.(context));
    const step = packStep({ counts: { queries, candidates }, begins: [0, queries], lossScale });
    const { reads } = await compiled.run({
      feeds: Object.assign({ step }, ...own),
      reads: objectiveResults(this.#others.map(({ objective }) => objective)),
    });
    return Object.fromEntries(Object.entries(reads).map(([name, bytes]) => [name, new Float32Array(bytes)]));
  }

  async #readValues(
    { buffers }: Whole,
    { counts }: PackedBatch,
    reads: ObjectiveReads,
  ): Promise<ObjectiveValues> {
    const { queries } = counts;
    const read = async (name: string) =>
      new Float32Array(await this.#options.executor.read(buffers.get(name) as DeviceBuffer, 0, queries * 16));
    const values = new Map<string, number>();
    for (const { objective } of this.#options.objectives) {
      if (objective.tiles) {
        const names = statisticsExternals(objective.tiles);
        const [row, column] = [await read(names.row), await read(names.column)];
        values.set(objective.name, lossOfStatistics(row, column, queries, objective.tiles.direction));
      } else {
        values.set(objective.name, objective.value(reads, counts));
      }
    }
    const objectives = this.#options.objectives.map(({ objective }) => objective);
    return weighObjectives(objectives, ({ name }) => values.get(name) as number);
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

  #tilePlan(whole: Whole, loss: TiledObjective, stage: LossStage): Promise<CompiledPlan> {
    const { executor, store } = this.#options;
    return this.#compiled(whole, `${stage} of the loss${loss.suffix}`, () => {
      const size = { tile: this.#tile, rows: whole.rows, dimension: this.#dimension };
      const { layout } = store;
      return buildLossTilePlans({ ...loss, ...size, layout, device: executor.device })[stage];
    });
  }

  #clearPlan(whole: Whole): Promise<CompiledPlan> {
    return this.#compiled(whole, 'clear', () =>
      buildClearEmbeddingGradientsPlan(whole.rows, this.#dimension),
    );
  }

  #othersPlan(whole: Whole, mode: EmbeddingLossPlanOptions['mode']): Promise<CompiledPlan> {
    const { executor, store } = this.#options;
    return this.#compiled(whole, `${mode} the embeddings`, () =>
      buildEmbeddingLossPlan({
        ...{ mode, rows: whole.rows, dimension: this.#dimension, layout: store.layout },
        objectives: this.#others.map(({ objective }) => objective),
        device: executor.device,
      }),
    );
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

/** Capacity for a batch: rounded up to a quarter of a power of two, at least 64, so that few sizes occur. */
function rowsFor(sequences: number): number {
  const step = Math.max(64, 2 ** Math.floor(Math.log2(sequences)) / 4);
  return Math.ceil(sequences / step) * step;
}

/** Runs `work` on every item in order; the next item is prepared while the device has this one. */
async function inTurn<T>(items: Iterable<T>, work: (item: T) => Promise<unknown>): Promise<void> {
  for await (const _ of inFlight(items, 2, work));
}
