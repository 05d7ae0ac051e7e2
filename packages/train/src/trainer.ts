/**
 * The training loop: batches in, updates on the device, metrics out.
 *
 * Knows no files: `run.ts` reads configurations and writes checkpoints around it.
 */
import {
  type Batch,
  type BatchSampler,
  type CollateOptions,
  collate,
  type Encode,
  type PackedBatch,
} from '@synglot/data';
import type { Executor } from '@synglot/gpu';
import {
  type BatchCapacity,
  clipResult,
  type EncoderConfig,
  halfKind,
  type ObjectiveValues,
  type OptimizerOptions,
  objectiveResults,
  optimizerState,
  type ParameterStore,
  type PoolingConfig,
  type Precision,
  packBatch,
  packStep,
  perturbedPass,
  type StepValues,
} from '@synglot/nn';
import type { StoppingState } from './early-stopping.js';
import { TrainError } from './errors.js';
import { type CachedBatch, GradientCache } from './gradient-cache.js';
import { type LossScaleOptions, LossScaler, type LossScaleState } from './loss-scale.js';
import { readObjectives, type TrainObjective } from './objectives.js';
import { type BatchPlanMode, PlanCache } from './plan-cache.js';
import { learningRateAt, type ScheduleOptions } from './schedule.js';

export interface TrainerOptions {
  readonly executor: Executor;
  /** Holds the parameters; gradients and optimiser state are allocated in it. */
  readonly store: ParameterStore;
  readonly config: EncoderConfig;
  readonly pooling: PoolingConfig;
  readonly sampler: BatchSampler;
  /** Texts to token ids, special tokens included, truncated. */
  readonly encode: Encode;
  readonly collate?: CollateOptions;
  /** What is minimised. */
  readonly objectives: readonly TrainObjective[];
  /** Length of an adversarial perturbation of the word embeddings (FGM); see `buildTrainPlan`. */
  readonly perturbation?: number;
  readonly optimizer: OptimizerOptions;
  readonly schedule: ScheduleOptions;
  /** Batches whose gradients are averaged for one update. Default 1. */
  readonly accumulation?: number;
  /** Updates whose batches are drawn and tokenized ahead, while the device works. Default 2; the bits are the same. */
  readonly prefetch?: number;
  /** Token budget of a chunk: gradients are then cached, and memory does not grow with the batch. */
  readonly cacheTokens?: number;
  /** Keeps only the inputs of layers for backward: less memory, one more forward pass, the same bits. */
  readonly recompute?: boolean;
  /** Seed of dropout. */
  readonly seed: number;
  /** `mixed` needs a device with `shader-f16` (`checkPrecision`). Default `f32`. */
  readonly precision?: Precision;
  /** How `mixed` scales the loss. */
  readonly lossScale?: LossScaleOptions;
}

/** What is known of one update. */
export interface StepMetrics {
  readonly step: number;
  /** Weighted sum of the objectives. */
  readonly loss: number;
  /** The value of each objective, unweighted, by name. */
  readonly objectives: Readonly<Record<string, number>>;
  readonly learning_rate: number;
  /** Global norm before clipping; NaN after an overflow. */
  readonly gradient_norm: number;
  readonly pairs: number;
  readonly tokens: number;
  /** Mode of the update's batches: `monolingual`, or `monolingual+cross-lingual` when accumulated. */
  readonly mode: string;
  readonly seconds: number;
  /** What was done to the texts: sums over the update's batches, such as `words` and `switched_words`. */
  readonly texts?: Readonly<Record<string, number>>;
  /** Mixed precision: what the loss was multiplied by. */
  readonly loss_scale?: number;
  /** Mixed precision: whether a gradient overflowed, so that nothing was updated. */
  readonly skipped?: boolean;
}

/** Where a run stands, beside the buffers on the device. Plain JSON. */
export interface TrainerState {
  /** Updates done. */
  readonly step: number;
  readonly sampler: unknown;
  /** In mixed precision. */
  readonly loss_scale?: LossScaleState;
  /** In mixed precision with a freezing schedule: updates skipped before each of its borders so far. */
  readonly skipped_before?: Readonly<Record<string, number>>;
  /** Of early stopping; absent before the first validation. */
  readonly validation?: StoppingState;
}

/** What of a step is the same for all batches of an update. */
type UpdateValues = Pick<StepValues, 'update' | 'gradientScale' | 'lossScale'>;

interface PreparedBatch {
  readonly batch: Batch;
  readonly packed: PackedBatch;
}

interface Prepared {
  readonly batches: readonly PreparedBatch[];
  /** The sampler's state after these batches were drawn. */
  readonly samplerState: unknown;
}

export class Trainer {
  readonly #options: TrainerOptions;
  readonly #plans: PlanCache;
  readonly #cache: GradientCache | undefined;
  #step = 0;
  #samplerState: unknown;
  readonly #lossScaler: LossScaler;
  /** Set once the copies of the weights are there. */
  #weightsCast: Promise<void> | undefined;
  /** The next updates' batches in order, made while the device works; what fails is told when it is due. */
  #ahead: Promise<Prepared>[] = [];

  constructor(options: TrainerOptions) {
    this.#options = options;
    for (const kind of ['gradient', ...optimizerState(options.optimizer)]) options.store.allocate(kind);
    if (options.precision === 'mixed') options.store.allocate(halfKind);
    this.#lossScaler = new LossScaler(options.precision ?? 'f32', options.lossScale);
    const objectives = options.objectives.map(({ objective }) => objective);
    this.#plans = new PlanCache({ ...options, objectives });
    const { cacheTokens } = options;
    this.#cache = cacheTokens === undefined ? undefined : new GradientCache({ ...options, cacheTokens });
    this.#samplerState = options.sampler.state();
  }

  /** Updates done so far. */
  get step(): number {
    return this.#step;
  }

  /** What a checkpoint needs beside parameters and optimiser state. */
  state(): TrainerState {
    const { state: scale } = this.#lossScaler;
    return { step: this.#step, sampler: this.#samplerState, ...(scale ? { loss_scale: scale } : {}) };
  }

  /** Continues from `state`; the buffers must have been loaded into the store. */
  restore(state: TrainerState): void {
    this.#options.sampler.restore(state.sampler);
    this.#samplerState = state.sampler;
    this.#step = state.step;
    this.#lossScaler.restore(state.loss_scale);
    this.#weightsCast = undefined;
    this.#ahead = [];
  }

  /** Draws the next batches anew, for a sampler whose negatives have changed. */
  async redraw(): Promise<void> {
    await Promise.allSettled(this.#ahead);
    this.#ahead = [];
    this.#options.sampler.restore(this.#samplerState);
  }

  /** Does one update. Throws `TRAIN_DIVERGED` when the loss is no longer a number. */
  async update(): Promise<StepMetrics> {
    const started = performance.now();
    const { schedule, optimizer } = this.#options;
    const prepared = await (this.#ahead.shift() ?? this.#prepare());
    await this.#castWeights();
    const scaler = this.#lossScaler;
    const { scale, state: scaling } = scaler;
    const step = this.#step + 1;
    const learningRate = learningRateAt(step, schedule);
    const { beta1, beta2 } = optimizer.method.kind === 'adamw' ? optimizer.method : { beta1: 0, beta2: 0 };
    const values = {
      update: { step: scaler.counted(step), learningRate, beta1, beta2 },
      gradientScale: 1 / (prepared.batches.length * scale),
      lossScale: scale,
    };
    const device = this.#runUpdate(prepared, values);
    // The next batches are drawn and tokenized while the device works.
    while (this.#ahead.length < Math.min(this.#options.prefetch ?? 2, schedule.steps - step)) {
      const next = this.#prepare();
      next.catch(() => undefined);
      this.#ahead.push(next);
    }
    const { losses, clip } = await device;
    const { loss, values: objectives } = meanValues(losses);
    const overflow = clip[2] !== 0;
    const gradientNorm = overflow ? Number.NaN : (clip[0] as number);
    const skipped = scaler.skips(overflow);
    if (!skipped && !(Number.isFinite(loss) && Number.isFinite(gradientNorm))) {
      throw new TrainError(
        'TRAIN_DIVERGED',
        `step ${step}: loss ${loss} (${describeValues(objectives)}), gradient norm ${gradientNorm}${scaling ? ` at a loss scale of ${scale}; try training.precision f32,` : ';'} lower the learning rate (${learningRate}), raise the temperature or clip harder`,
      );
    }
    scaler.advance(skipped);
    this.#step = step;
    this.#samplerState = prepared.samplerState;
    return {
      step,
      loss,
      objectives,
      learning_rate: learningRate,
      gradient_norm: gradientNorm,
      pairs: sum(prepared.batches.map(({ packed }) => packed.counts.queries)),
      tokens: sum(prepared.batches.map(({ packed }) => packed.counts.tokens)),
      mode: [...new Set(prepared.batches.map(({ batch }) => batch.mode))].sort().join('+'),
      seconds: (performance.now() - started) / 1000,
      ...sumTexts(prepared),
      ...(scaling ? { loss_scale: scale, skipped } : {}),
    };
  }

  /** Mean loss and objectives of given batches, without dropout and without gradients. */
  async evaluate(batches: readonly Batch[]): Promise<ObjectiveValues> {
    await this.#castWeights();
    const losses: ObjectiveValues[] = [];
    for (const batch of batches) {
      const packed = await this.#collate(batch, false);
      const prepared = { batch, packed };
      if (this.#cache) losses.push(await this.#cache.evaluate(this.#cached(prepared)));
      else losses.push((await this.#runBatch('evaluate', prepared, {}, 0)).loss);
    }
    return meanValues(losses);
  }

  /**
   * Lets the device compile its kernels while weights are still being read: computes nothing. `size` is about what
   * batches will have. Never rejects: what fails here fails again, and is told, with the first batch.
   */
  async warmUp(size: BatchCapacity): Promise<void> {
    if (this.#cache) return;
    const mode = (this.#options.accumulation ?? 1) === 1 ? 'step' : 'accumulate';
    await this.#plans.warmUp(mode, size).catch(() => undefined);
  }

  /** Frees plans; parameters and state stay with the store. */
  async destroy(): Promise<void> {
    await Promise.allSettled(this.#ahead);
    await this.#plans.destroy();
    await this.#cache?.destroy();
  }

  /** Before the first run, when the parameters have been loaded. */
  async #castWeights(): Promise<void> {
    if (this.#options.precision !== 'mixed') return;
    this.#weightsCast ??= this.#plans.castWeights();
    await this.#weightsCast;
  }

  async #runUpdate(
    prepared: Prepared,
    values: UpdateValues,
  ): Promise<{ losses: ObjectiveValues[]; clip: Float32Array }> {
    const [only] = prepared.batches;
    if (only && prepared.batches.length === 1 && !this.#cache) {
      const { loss, clip } = await this.#runBatch('step', only, values, 0);
      return { losses: [loss], clip };
    }
    await (await this.#plans.clearPlan()).run();
    const losses: ObjectiveValues[] = [];
    for (const [micro, batch] of prepared.batches.entries()) {
      losses.push(await this.#accumulate(batch, values, micro));
    }
    const update = await this.#plans.updatePlan();
    const { reads } = await update.run({
      feeds: { step: packStep({ counts: {}, ...values }) },
      reads: [clipResult],
    });
    return { losses, clip: new Float32Array(reads[clipResult] as ArrayBuffer) };
  }

  /** Adds one batch's gradients to those that are there; returns its loss. */
  async #accumulate(prepared: PreparedBatch, values: UpdateValues, micro: number): Promise<ObjectiveValues> {
    if (!this.#cache) return (await this.#runBatch('accumulate', prepared, values, micro)).loss;
    const dropout = dropoutSeed(this.#options.seed, this.#step, micro);
    return this.#cache.accumulate(this.#cached(prepared), dropout, values.lossScale);
  }

  #cached(prepared: PreparedBatch): CachedBatch {
    return { ...prepared, progress: this.#progress };
  }

  /** Updates done, of all. */
  get #progress(): number {
    return this.#step / this.#options.schedule.steps;
  }

  async #runBatch(
    mode: BatchPlanMode,
    { batch, packed }: PreparedBatch,
    values: UpdateValues,
    micro: number,
  ): Promise<{ loss: ObjectiveValues; clip: Float32Array }> {
    const { config, objectives, perturbation, seed } = this.#options;
    const { queries, candidates } = packed.counts;
    const { compiled, capacity } = await this.#plans.batchPlan(mode, packed.counts);
    const { feeds, counts } = packBatch(config, capacity, { ...packed, queries, candidates });
    const step = packStep({ counts, seed: dropoutSeed(seed, this.#step, micro), ...values });
    const context = { batch, packed, capacity, progress: this.#progress };
    const own = objectives.map((objective) => objective.feeds?.(context));
    const emitted = objectives.map(({ objective }) => objective);
    const perturbed = mode !== 'evaluate' && perturbation !== undefined;
    const results = objectiveResults(emitted);
    const { reads } = await compiled.run({
      feeds: Object.assign({ ...feeds, step }, ...own),
      reads: [
        ...results,
        ...(perturbed ? results.map((name) => name + perturbedPass) : []),
        ...(mode === 'step' ? [clipResult] : []),
      ],
    });
    const floats = Object.fromEntries(
      Object.entries(reads).map(([name, bytes]) => [name, new Float32Array(bytes)]),
    );
    return {
      loss: readObjectives(emitted, floats, { queries, candidates }, perturbed),
      clip: floats[clipResult] ?? new Float32Array(3),
    };
  }

  /** Draws at once, in the order of the calls; what takes longer comes after. */
  async #prepare(): Promise<Prepared> {
    const { sampler, accumulation = 1 } = this.#options;
    const drawn = Array.from({ length: accumulation }, () => sampler.next());
    const samplerState = sampler.state();
    const batches = [];
    for (const batch of drawn) batches.push({ batch, packed: await this.#collate(batch, true) });
    return { batches, samplerState };
  }

  /** Validation batches are not rewritten: their loss is that of the texts as they are. */
  #collate(batch: Batch, training: boolean): Promise<PackedBatch> {
    const { rewrite, ...rest } = this.#options.collate ?? {};
    return collate(batch, this.#options.encode, training && rewrite ? { ...rest, rewrite } : rest);
  }
}

function sumTexts({ batches }: Prepared): Pick<StepMetrics, 'texts'> {
  const sums: Record<string, number> = {};
  for (const { packed } of batches) {
    for (const [name, value] of Object.entries(packed.metrics ?? {})) sums[name] = (sums[name] ?? 0) + value;
  }
  return Object.keys(sums).length === 0 ? {} : { texts: sums };
}

/** A seed for the dropout of one micro-batch of one update: 32 bits, a function of its arguments. */
export function dropoutSeed(seed: number, step: number, micro: number): number {
  let hash = 0x811c9dc5;
  for (const part of [seed, Math.floor(seed / 2 ** 32), step, micro]) {
    hash = Math.imul(hash ^ (part >>> 0), 0x01000193) >>> 0;
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) >>> 0;
    hash = (hash ^ (hash >>> 13)) >>> 0;
  }
  return hash;
}

/** The mean over batches of the loss and of every objective. */
function meanValues(losses: readonly ObjectiveValues[]): ObjectiveValues {
  const mean = (of: (values: ObjectiveValues) => number) => sum(losses.map(of)) / losses.length;
  const names = Object.keys(losses[0]?.values ?? {});
  return {
    loss: mean(({ loss }) => loss),
    values: Object.fromEntries(names.map((name) => [name, mean(({ values }) => values[name] as number)])),
  };
}

function describeValues(values: ObjectiveValues['values']): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
