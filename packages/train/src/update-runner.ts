/**
 * Updates and evaluations on the device: batches in, losses and the result of clipping out, with compiled plans or a
 * gradient cache. Knows no sampler, no schedule and no files.
 */
import { type Executor, inFlight } from '@synglot/gpu';
import {
  type BatchCapacity,
  type Clipping,
  clipResult,
  type EncoderConfig,
  type ObjectiveValues,
  type OptimizerOptions,
  objectiveResults,
  type ParameterStore,
  type PoolingConfig,
  type Precision,
  packBatch,
  packStep,
  perturbedPass,
  readClipping,
  type StepValues,
} from '@synglot/nn';
import { GradientCache } from './gradient-cache.js';
import { floatReads, readObjectives, type TrainObjective } from './objectives.js';
import { type BatchPlanMode, capacityFor, PlanCache } from './plan-cache.js';
import type { PreparedBatch } from './update-batches.js';

/** What is trained, how, and on which device. */
export interface UpdateRunnerOptions {
  readonly executor: Executor;
  /** Holds the parameters, their gradients and the optimiser's state. */
  readonly store: ParameterStore;
  readonly config: EncoderConfig;
  readonly pooling: PoolingConfig;
  /** What is minimised. */
  readonly objectives: readonly TrainObjective[];
  /** Length of an adversarial perturbation of the word embeddings (FGM); see `buildTrainPlan`. */
  readonly perturbation?: number;
  readonly optimizer: OptimizerOptions;
  /** Batches whose gradients are averaged for one update. Default 1. */
  readonly accumulation?: number;
  /** Token budget of a chunk; turns gradient caching on, so that memory hardly grows with the batch. */
  readonly cacheTokens?: number;
  /** Keeps only the inputs of layers for backward: less memory, one more forward pass, the same bits. */
  readonly recompute?: boolean;
  /** Seed of dropout. */
  readonly seed: number;
  /** `mixed` needs a device with `shader-f16` (`checkPrecision`). Default `f32`. */
  readonly precision?: Precision;
}

/** What is the same for all batches of an update. */
export interface UpdateSetting {
  readonly values: Pick<StepValues, 'update' | 'gradientScale' | 'lossScale'>;
  /** Updates done; with the seed, they determine the dropout masks. */
  readonly done: number;
  /** Share of the updates that are done. */
  readonly progress: number;
}

/** The result of an update. */
export interface UpdateResult {
  /** One entry per batch. */
  readonly losses: readonly ObjectiveValues[];
  readonly clipping: Clipping;
}

/** One batch and how it is run. */
interface BatchRun {
  readonly prepared: PreparedBatch;
  readonly mode: BatchPlanMode;
  /** Index of the batch within its update. */
  readonly micro: number;
  readonly setting: UpdateSetting;
}

interface BatchResult {
  readonly loss: ObjectiveValues;
  /** In mode `step`. */
  readonly clipping?: Clipping;
}

/**
 * Batches that run or are queued on the device while the next is packed. A plan that is freed meanwhile, for want of
 * memory, still ends the runs that it was given.
 */
const batchesInFlight = 2;

/** Runs updates on the device: gradients of their batches, then the optimiser. */
export class UpdateRunner {
  readonly #options: UpdateRunnerOptions;
  readonly #plans: PlanCache;
  readonly #cache: GradientCache | undefined;
  /** Set once the f16 copies of the weights are being made. */
  #weightsCast: Promise<void> | undefined;
  /** Settles once the latest batch's run has been queued. */
  #begun: Promise<unknown> = Promise.resolve();

  constructor(options: UpdateRunnerOptions) {
    this.#options = options;
    const objectives = options.objectives.map(({ objective }) => objective);
    this.#plans = new PlanCache({ ...options, objectives });
    const { cacheTokens } = options;
    this.#cache = cacheTokens === undefined ? undefined : new GradientCache({ ...options, cacheTokens });
  }

  /** To be called when parameters were loaded. */
  parametersChanged(): void {
    this.#weightsCast = undefined;
  }

  /** Does one update with the mean gradient of the batches. */
  async update(batches: readonly PreparedBatch[], setting: UpdateSetting): Promise<UpdateResult> {
    await this.#castWeights();
    const [only] = batches;
    if (only && batches.length === 1 && !this.#cache) {
      const { loss, clipping } = await this.#run({ prepared: only, mode: 'step', micro: 0, setting });
      return { losses: [loss], clipping: clipping as Clipping };
    }
    await (await this.#plans.clearPlan()).run();
    const losses = await this.#inTurn(batches.entries(), async ([micro, prepared]) => {
      if (!this.#cache) return (await this.#run({ prepared, mode: 'accumulate', micro, setting })).loss;
      const dropout = dropoutSeed(this.#options.seed, setting.done, micro);
      const batch = { ...prepared, progress: setting.progress };
      return this.#cache.accumulate(batch, dropout, setting.values.lossScale);
    });
    const update = await this.#plans.updatePlan();
    const { reads } = await update.run({
      feeds: { step: packStep({ counts: {}, ...setting.values }) },
      reads: [clipResult],
    });
    return { losses, clipping: readClipping(reads[clipResult] as ArrayBuffer) };
  }

  /**
   * Losses of batches, without dropout and without gradients.
   *
   * @param prepare called in order, a batch or two ahead of the results
   */
  async evaluate<Batch>(
    batches: Iterable<Batch>,
    prepare: (batch: Batch) => Promise<PreparedBatch>,
    progress: number,
  ): Promise<ObjectiveValues[]> {
    await this.#castWeights();
    // Dropout is off, and nothing is updated.
    const setting = { values: {}, done: 0, progress };
    return this.#inTurn(batches, async (batch) => {
      const prepared = await prepare(batch);
      if (this.#cache) return this.#cache.evaluate({ ...prepared, progress });
      return (await this.#run({ prepared, mode: 'evaluate', micro: 0, setting })).loss;
    });
  }

  /** Makes the device compile kernels for batches of about this size: computes nothing, never rejects. */
  async warmUp(size: BatchCapacity): Promise<void> {
    if (this.#cache) return;
    const mode = (this.#options.accumulation ?? 1) === 1 ? 'step' : 'accumulate';
    await this.#plans.warmUp(mode, size).catch(() => undefined);
  }

  /** Frees plans; parameters and state stay with the store. */
  async destroy(): Promise<void> {
    await this.#plans.destroy();
    await this.#cache?.destroy();
  }

  /** Makes the f16 copies of the weights, once after parameters were loaded. */
  async #castWeights(): Promise<void> {
    if (this.#options.precision !== 'mixed') return;
    this.#weightsCast ??= this.#plans.castWeights().catch((error: unknown) => {
      this.#weightsCast = undefined;
      throw error;
    });
    await this.#weightsCast;
  }

  /** Results in order. A gradient cache has room for only one batch; it keeps the device busy by itself. */
  async #inTurn<Item>(
    items: Iterable<Item>,
    work: (item: Item) => Promise<ObjectiveValues>,
  ): Promise<ObjectiveValues[]> {
    const results: ObjectiveValues[] = [];
    const depth = this.#cache ? 1 : batchesInFlight;
    for await (const [, result] of inFlight(items, depth, work)) results.push(result);
    return results;
  }

  /**
   * Runs one batch through its plan. Runs are executed in the order of these calls, whichever plan is ready first:
   * gradients are sums of floats, whose bits depend on the order.
   */
  async #run(run: BatchRun): Promise<BatchResult> {
    const begun = this.#begun.then(() => this.#begin(run));
    this.#begun = begun.catch(() => undefined);
    return (await begun).answer;
  }

  /** Queues the run without waiting for its answer. */
  async #begin(run: BatchRun): Promise<{ answer: Promise<BatchResult> }> {
    const { config, objectives, perturbation, seed } = this.#options;
    const { mode, micro, setting } = run;
    const { batch, packed } = run.prepared;
    const { queries, candidates } = packed.counts;
    const capacity = capacityFor(packed.counts);
    const compiled = await this.#plans.batchPlan(mode, capacity);
    const { feeds, counts } = packBatch(config, capacity, { ...packed, queries, candidates });
    const step = packStep({ counts, seed: dropoutSeed(seed, setting.done, micro), ...setting.values });
    const context = { batch, packed, capacity, progress: setting.progress };
    const own = objectives.map((objective) => objective.feeds?.(context));
    const emitted = objectives.map(({ objective }) => objective);
    const perturbed = mode !== 'evaluate' && perturbation !== undefined;
    const results = objectiveResults(emitted);
    const running = compiled.run({
      feeds: Object.assign({ ...feeds, step }, ...own),
      reads: [
        ...results,
        ...(perturbed ? results.map((name) => name + perturbedPass) : []),
        ...(mode === 'step' ? [clipResult] : []),
      ],
    });
    const answer = running.then(({ reads }) => ({
      loss: readObjectives(emitted, floatReads(reads), { queries, candidates }, perturbed),
      ...(mode === 'step' ? { clipping: readClipping(reads[clipResult] as ArrayBuffer) } : {}),
    }));
    return { answer };
  }
}

/** A seed for the dropout of one micro-batch of one update: a 32-bit hash of its arguments. */
export function dropoutSeed(seed: number, step: number, micro: number): number {
  let hash = 0x811c9dc5;
  for (const part of [seed, Math.floor(seed / 2 ** 32), step, micro]) {
    hash = Math.imul(hash ^ (part >>> 0), 0x01000193) >>> 0;
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) >>> 0;
    hash = (hash ^ (hash >>> 13)) >>> 0;
  }
  return hash;
}
