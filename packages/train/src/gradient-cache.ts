/**
 * Gradients of batches that do not fit in memory: gradient caching (GradCache, Gao et al. 2021).
 *
 * Every chunk of the batch is encoded and its embeddings are kept. The losses are computed over all of them: those over
 * the similarity matrix tile by tile, the others at once. Then every chunk is encoded again, with the same dropout
 * masks, and the gradients of its embeddings go backward. Memory: one chunk's activations and one tile, whatever the
 * size of the batch; two vectors for each of its sequences; and somewhat more for objectives that are computed at once.
 * The update is the trainer's business.
 */
import type { PackedBatch } from '@synglot/data';
import { inFlight } from '@synglot/gpu';
import {
  embeddingDimension,
  groupsExternal,
  lossOfStatistics,
  lossTiles,
  type ObjectiveReads,
  type ObjectiveValues,
  objectiveResults,
  packBatch,
  packStep,
  statisticsExternals,
  type TiledObjective,
  weighObjectives,
} from '@synglot/nn';
import {
  type CacheMemory,
  CacheRoom,
  type CacheRoomOptions,
  type CacheShape,
  type ChunkMode,
  type LossStage,
  type OthersMode,
} from './cache-room.js';
import { type Chunk, cutChunks } from './chunks.js';
import { floatReads, type ObjectiveContext, type TrainObjective } from './objectives.js';

/** What is minimised, and the sizes of chunks and tiles. */
export interface GradientCacheOptions extends CacheRoomOptions {
  /** What is minimised. */
  readonly objectives: readonly TrainObjective[];
  /** Most tokens of a chunk. */
  readonly cacheTokens: number;
  /** Queries and candidates of a tile of the similarity matrix; a multiple of 4, default 1024. */
  readonly lossTile?: number;
}

/** A batch, and what its objectives' feeds depend on. */
export type CachedBatch = Omit<ObjectiveContext, 'capacity'>;

/** Adds the gradients of batches of any size to those in the store, in chunks. */
export class GradientCache {
  readonly #options: GradientCacheOptions;
  readonly #shape: CacheShape;
  /** The objectives that are not computed by tiles. */
  readonly #others: readonly TrainObjective[];
  #room: CacheRoom | undefined;

  constructor(options: GradientCacheOptions) {
    this.#options = options;
    this.#others = options.objectives.filter(({ objective }) => !objective.tiles);
    this.#shape = {
      dimension: embeddingDimension(options.config, options.pooling),
      chunk: {
        tokens: Math.ceil(options.cacheTokens / 64) * 64,
        // Texts usually have more than four tokens; a chunk of shorter ones ends before its budget.
        queries: Math.max(4, Math.ceil(options.cacheTokens / 4)),
      },
      tile: options.lossTile ?? 1024,
      tiled: options.objectives.flatMap(({ objective: { tiles } }) => tiles ?? []),
      others: this.#others.map(({ objective }) => objective),
    };
  }

  /**
   * Adds the gradients of the batch's mean loss to those in the store; returns the loss and the objectives' values.
   *
   * @param seed of the dropout masks: the gradients are those of the uncached batch with this seed
   * @param lossScale multiplies the gradients
   */
  async accumulate(batch: CachedBatch, seed: number, lossScale = 1): Promise<ObjectiveValues> {
    const { packed } = batch;
    const room = await this.#begin(packed);
    await this.#runChunks(room, 'encode', packed, seed);
    for (const loss of this.#shape.tiled) await this.#runTiles(room, loss, 'statistics', packed);
    await (await room.clearPlan()).run();
    for (const loss of this.#shape.tiled) await this.#runTiles(room, loss, 'backward', packed, lossScale);
    const reads = await this.#runOthers(room, 'backward', batch, lossScale);
    await this.#runChunks(room, 'backward', packed, seed);
    return this.#readValues(room, packed, reads);
  }

  /** The batch's mean loss without dropout and without gradients. */
  async evaluate(batch: CachedBatch): Promise<ObjectiveValues> {
    const { packed } = batch;
    const room = await this.#begin(packed);
    await this.#runChunks(room, 'evaluate', packed, 0);
    for (const loss of this.#shape.tiled) await this.#runTiles(room, loss, 'statistics', packed);
    const reads = await this.#runOthers(room, 'evaluate', batch);
    return this.#readValues(room, packed, reads);
  }

  /** What is on the device now. */
  async memory(): Promise<CacheMemory> {
    return (await this.#room?.memory()) ?? { batchBytes: 0, planBytes: 0 };
  }

  /** Frees plans and buffers. */
  async destroy(): Promise<void> {
    const room = this.#room;
    this.#room = undefined;
    await room?.destroy();
  }

  /** Makes room for a batch. Enough room is kept as it is: no result depends on how much there is. */
  async #begin({ counts, groups }: PackedBatch): Promise<CacheRoom> {
    if (!this.#room || this.#room.rows < counts.sequences) {
      await this.destroy();
      this.#room = new CacheRoom(this.#options, this.#shape, counts.sequences);
    }
    this.#options.executor.write(this.#room.buffer(groupsExternal), groups);
    return this.#room;
  }

  /** Feeds every chunk in order. */
  async #runChunks(room: CacheRoom, mode: ChunkMode, packed: PackedBatch, seed: number): Promise<void> {
    const { config } = this.#options;
    const { ids, cuSeqlens } = packed;
    const compiled = await room.chunkPlan(mode);
    const run = ({ begin, end }: Chunk) => {
      const borders = cuSeqlens.subarray(begin, end + 1);
      const [first, last] = [borders[0] as number, borders[end - begin] as number];
      const { feeds, counts } = packBatch(
        config,
        { ...this.#shape.chunk, candidates: 0 },
        {
          ids: ids.subarray(first, last),
          cuSeqlens: borders.map((border) => border - first),
          queries: end - begin,
          candidates: 0,
        },
      );
      return compiled.run({ feeds: { ...feeds, step: packStep({ counts, seed, begins: [first, begin] }) } });
    };
    await inTurn(cutChunks(cuSeqlens, this.#options.cacheTokens, this.#shape.chunk.queries), run);
  }

  async #runTiles(
    room: CacheRoom,
    loss: TiledObjective,
    stage: LossStage,
    { counts }: PackedBatch,
    lossScale = 1,
  ): Promise<void> {
    const compiled = await room.tilePlan(loss, stage);
    const { queries, candidates } = counts;
    await inTurn(lossTiles(queries, candidates, this.#shape.tile), (tile) => {
      const tileCounts = { queries, tileQueries: tile.queries, tileCandidates: tile.candidates };
      const begins = [tile.queryBegin, queries + tile.candidateBegin] as const;
      return compiled.run({ feeds: { step: packStep({ counts: tileCounts, begins, lossScale }) } });
    });
  }

  /** Runs the objectives that are not computed by tiles; returns their results. */
  async #runOthers(
    room: CacheRoom,
    mode: OthersMode,
    batch: CachedBatch,
    lossScale = 1,
  ): Promise<ObjectiveReads> {
    if (this.#others.length === 0) return {};
    const { rows } = room;
    const { queries, candidates, tokens } = batch.packed.counts;
    const compiled = await room.othersPlan(mode);
    const context = { ...batch, capacity: { tokens, queries: rows, candidates: rows } };
    const own = this.#others.map((objective) => objective.feeds?.(context));
    const step = packStep({ counts: { queries, candidates }, begins: [0, queries], lossScale });
    const { reads } = await compiled.run({
      feeds: Object.assign({ step }, ...own),
      reads: objectiveResults(this.#shape.others),
    });
    return floatReads(reads);
  }

  async #readValues(
    room: CacheRoom,
    { counts }: PackedBatch,
    reads: ObjectiveReads,
  ): Promise<ObjectiveValues> {
    const { queries } = counts;
    const read = async (name: string) =>
      new Float32Array(await this.#options.executor.read(room.buffer(name), 0, queries * 16));
    const values = new Map<string, number>();
    for (const { objective } of this.#options.objectives) {
      if (objective.tiles) {
        const names = statisticsExternals(objective.tiles);
        const [row, column] = [await read(names.row), await read(names.column)];
        values.set(objective.name, lossOfStatistics(row, column, queries, objective.tiles));
      } else {
        values.set(objective.name, objective.value(reads, counts));
      }
    }
    const objectives = this.#options.objectives.map(({ objective }) => objective);
    return weighObjectives(objectives, ({ name }) => values.get(name) as number);
  }
}

/** Runs `work` on every item in order; the next item is prepared while the device works on this one. */
async function inTurn<T>(items: Iterable<T>, work: (item: T) => Promise<unknown>): Promise<void> {
  for await (const _ of inFlight(items, 2, work));
}
