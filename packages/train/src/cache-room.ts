/**
 * What a gradient cache keeps on the device for batches up to a size: buffers for all embeddings and their gradients,
 * and the plans that use them. `gradient-cache.ts` runs the plans.
 */
import { type CompiledPlan, compileInRoom, type DeviceBuffer, type Executor, type Plan } from '@synglot/gpu';
import {
  type BatchCapacity,
  buildChunkPlan,
  buildClearEmbeddingGradientsPlan,
  buildEmbeddingLossPlan,
  buildLossTilePlans,
  type ChunkPlanOptions,
  type EmbeddingLossPlanOptions,
  type EncoderConfig,
  embeddingGradientsExternal,
  embeddingsExternal,
  groupsExternal,
  type Objective,
  type ParameterStore,
  type PoolingConfig,
  type Precision,
  statisticsExternals,
  type TiledObjective,
} from '@synglot/nn';
import { bucketOf } from './bucket.js';

/** The model that a gradient cache encodes with. */
export interface CacheRoomOptions {
  readonly executor: Executor;
  /** Holds parameters and gradients. */
  readonly store: ParameterStore;
  readonly config: EncoderConfig;
  readonly pooling: PoolingConfig;
  /** Default `f32`. Embeddings, their gradients and the loss are always f32. */
  readonly precision?: Precision;
  /** Keeps only the inputs of layers for the backward of a chunk. */
  readonly recompute?: boolean;
}

/** Sizes and losses that all batches of a cache have in common. */
export interface CacheShape {
  /** Of an embedding. */
  readonly dimension: number;
  /** Tokens and sequences of a chunk. */
  readonly chunk: Pick<BatchCapacity, 'tokens' | 'queries'>;
  /** Queries and candidates of a tile of the similarity matrix. */
  readonly tile: number;
  /** The losses that are computed by tiles. */
  readonly tiled: readonly TiledObjective[];
  /** The other objectives. */
  readonly others: readonly Objective[];
}

/** Which pass over a chunk a plan is for. */
export type ChunkMode = ChunkPlanOptions['mode'];
/** Which plan over the tiles of a loss. */
export type LossStage = keyof ReturnType<typeof buildLossTilePlans>;
/** Whether the losses that are not tiled are evaluated only, or give gradients too. */
export type OthersMode = EmbeddingLossPlanOptions['mode'];

/** Bytes on the device, in addition to parameters, gradients and optimiser state. */
export interface CacheMemory {
  /** What grows with the batch: embeddings, their gradients, statistics of each tiled loss, and groups. */
  readonly batchBytes: number;
  /**
   * What the compiled plans own: activations and feeds of a chunk and of a tile, whatever the size of the batch; and
   * activations of objectives that are computed at once, which grow with it.
   */
  readonly planBytes: number;
}

/** Buffers and plans of a gradient cache, for batches of up to `rows` sequences. */
export class CacheRoom {
  /** How many sequences there is room for. */
  readonly rows: number;
  readonly #options: CacheRoomOptions;
  readonly #shape: CacheShape;
  readonly #buffers: ReadonlyMap<string, DeviceBuffer>;
  readonly #plans = new Map<string, Promise<CompiledPlan>>();

  /** @param sequences of a batch; the room is somewhat larger, so that few sizes occur */
  constructor(options: CacheRoomOptions, shape: CacheShape, sequences: number) {
    this.#options = options;
    this.#shape = shape;
    this.rows = bucketOf(sequences);
    const statistics = shape.tiled.flatMap((loss) => Object.values(statisticsExternals(loss)));
    const columns: readonly (readonly [string, number])[] = [
      [embeddingsExternal, shape.dimension],
      [embeddingGradientsExternal, shape.dimension],
      [groupsExternal, 1],
      ...statistics.map((name) => [name, 4] as const),
    ];
    this.#buffers = new Map(
      columns.map(([name, width]) => [name, options.executor.createBuffer(name, this.rows * width * 4)]),
    );
  }

  /** The buffer of all embeddings, gradients, groups or statistics, by its name in the plans. */
  buffer(name: string): DeviceBuffer {
    return this.#buffers.get(name) as DeviceBuffer;
  }

  /** Encodes a chunk, or sends its embeddings' gradients backward. */
  chunkPlan(mode: ChunkMode): Promise<CompiledPlan> {
    const { executor, store, config, pooling, precision = 'f32', recompute = false } = this.#options;
    const { tokens, queries: sequences } = this.#shape.chunk;
    return this.#compiled(`${mode} chunk`, () => {
      const size = { tokens, sequences, rows: this.rows };
      const { layout } = store;
      const { device } = executor;
      return buildChunkPlan({ config, pooling, layout, device, precision, recompute, ...size, mode }).plan;
    });
  }

  /** A tile of one of the losses that are computed by tiles. */
  tilePlan(loss: TiledObjective, stage: LossStage): Promise<CompiledPlan> {
    const { executor, store } = this.#options;
    const { tile, dimension } = this.#shape;
    return this.#compiled(`${stage} of the loss${loss.suffix}`, () => {
      const size = { tile, rows: this.rows, dimension };
      const { layout } = store;
      return buildLossTilePlans({ ...loss, ...size, layout, device: executor.device })[stage];
    });
  }

  /** Sets the embeddings' gradients to zero. */
  clearPlan(): Promise<CompiledPlan> {
    return this.#compiled('clear', () => buildClearEmbeddingGradientsPlan(this.rows, this.#shape.dimension));
  }

  /** The objectives that are computed over all embeddings at once. */
  othersPlan(mode: OthersMode): Promise<CompiledPlan> {
    const { executor, store } = this.#options;
    const { dimension, others: objectives } = this.#shape;
    return this.#compiled(`${mode} the embeddings`, () =>
      buildEmbeddingLossPlan({
        mode,
        rows: this.rows,
        dimension,
        layout: store.layout,
        objectives,
        device: executor.device,
      }),
    );
  }

  /** What is on the device now. */
  async memory(): Promise<CacheMemory> {
    const compiled = await Promise.all(this.#plans.values());
    const owned = compiled.flatMap(({ plan }) => plan.buffers.filter(({ role }) => role !== 'external'));
    return { batchBytes: bytesOf(this.#buffers.values()), planBytes: bytesOf(owned) };
  }

  /** Frees plans and buffers. */
  async destroy(): Promise<void> {
    for (const plan of await Promise.allSettled(this.#plans.values())) {
      if (plan.status === 'fulfilled') plan.value.destroy();
    }
    for (const buffer of this.#buffers.values()) buffer.destroy();
  }

  #compiled(key: string, build: () => Plan): Promise<CompiledPlan> {
    let compiled = this.#plans.get(key);
    if (!compiled) {
      const { executor, store } = this.#options;
      compiled = compileInRoom(executor, build(), new Map([...store.externals, ...this.#buffers]));
      this.#plans.set(key, compiled);
      // A plan that failed is not kept: the next batch tries again.
      compiled.catch(() => this.#plans.delete(key));
    }
    return compiled;
  }
}

function bytesOf(sizes: Iterable<{ readonly sizeBytes: number }>): number {
  return [...sizes].reduce((total, { sizeBytes }) => total + sizeBytes, 0);
}
