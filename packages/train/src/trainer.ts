/**
 * The training loop: batches in, updates on the device, metrics out.
 *
 * Knows no files: `run.ts` reads configurations and writes checkpoints around it.
 */
import type { Batch } from '@synglot/data';
import {
  type BatchCapacity,
  halfKind,
  type ObjectiveValues,
  type OptimizerOptions,
  optimizerState,
} from '@synglot/nn';
import type { StoppingState } from './early-stopping.js';
import { TrainError } from './errors.js';
import { type LossScaleOptions, LossScaler, type LossScaleState } from './loss-scale.js';
import { learningRateAt, type ScheduleOptions } from './schedule.js';
import { type PreparedUpdate, UpdateBatches, type UpdateBatchesOptions } from './update-batches.js';
import { UpdateRunner, type UpdateRunnerOptions, type UpdateSetting } from './update-runner.js';

/** What a trainer works with. It allocates gradients and the optimiser's state in `store`. */
export interface TrainerOptions extends UpdateBatchesOptions, UpdateRunnerOptions {
  readonly schedule: ScheduleOptions;
  /** How mixed precision scales the loss. */
  readonly lossScale?: LossScaleOptions;
}

/** What is known about one update. */
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
  /** In mixed precision: the factor that the loss was multiplied by. */
  readonly loss_scale?: number;
  /** In mixed precision: whether a gradient overflowed, so that nothing was updated. */
  readonly skipped?: boolean;
}

/** Where a run stands, except for the buffers on the device. Plain JSON. */
export interface TrainerState {
  /** Updates done. */
  readonly step: number;
  readonly sampler: unknown;
  /** In mixed precision. */
  readonly loss_scale?: LossScaleState;
  /** In mixed precision with a freezing schedule: updates skipped before each of its borders so far. */
  readonly skipped_before?: Readonly<Record<string, number>>;
  /** What the model that the run started from is known by. */
  readonly base?: string;
  /** State of early stopping; absent before the first validation. */
  readonly validation?: StoppingState;
}

/**
 * Trains the parameters of a store: each {@link Trainer.update} draws batches, adds up their gradients and updates
 * once.
 */
export class Trainer {
  readonly #options: TrainerOptions;
  readonly #batches: UpdateBatches;
  readonly #runner: UpdateRunner;
  readonly #lossScaler: LossScaler;
  #step = 0;
  #samplerState: unknown;
  /** Settles with the last update that was asked for. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: TrainerOptions) {
    this.#options = options;
    for (const kind of ['gradient', ...optimizerState(options.optimizer)]) options.store.allocate(kind);
    if (options.precision === 'mixed') options.store.allocate(halfKind);
    this.#lossScaler = new LossScaler(options.precision ?? 'f32', options.lossScale);
    this.#batches = new UpdateBatches(options);
    this.#runner = new UpdateRunner(options);
    this.#samplerState = options.sampler.state();
  }

  /** Updates done so far. */
  get step(): number {
    return this.#step;
  }

  /** What a checkpoint needs besides parameters and optimiser state. */
  state(): TrainerState {
    const { state: scale } = this.#lossScaler;
    return { step: this.#step, sampler: this.#samplerState, ...(scale ? { loss_scale: scale } : {}) };
  }

  /** Continues from `state`; the buffers must have been loaded into the store. */
  restore(state: TrainerState): void {
    this.#batches.restart(state.sampler);
    this.#samplerState = state.sampler;
    this.#step = state.step;
    this.#lossScaler.restore(state.loss_scale);
    this.#runner.parametersChanged();
  }

  /** Draws the next batches again, for a sampler whose negatives have changed. */
  async redraw(): Promise<void> {
    await this.#batches.settle();
    this.#batches.restart(this.#samplerState);
  }

  /**
   * Does one update, when those that were asked for before are done. Throws `TRAIN_DIVERGED` if the loss or the
   * gradient norm is not finite.
   */
  update(): Promise<StepMetrics> {
    const update = this.#last.then(() => this.#update());
    this.#last = update.catch(() => undefined);
    return update;
  }

  async #update(): Promise<StepMetrics> {
    const started = performance.now();
    const { schedule } = this.#options;
    const prepared = await this.#batches.next();
    const scaler = this.#lossScaler;
    const { scale, state: scaling } = scaler;
    const step = this.#step + 1;
    const learningRate = learningRateAt(step, schedule);
    const device = this.#runner.update(prepared.batches, {
      values: this.#stepValues(learningRate, prepared.batches.length),
      done: this.#step,
      progress: this.#progress,
    });
    this.#batches.prepareAhead(schedule.steps - step);
    const { losses, clipping } = await device;
    const { loss, values: objectives } = meanValues(losses);
    const { norm: gradientNorm, overflow } = clipping;
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
    const prepare = (batch: Batch) => this.#batches.tokenizeAsIs(batch);
    return meanValues(await this.#runner.evaluate(batches, prepare, this.#progress));
  }

  /**
   * Makes the device compile its kernels while the weights are still being read: computes nothing. `size` is about the
   * size of the batches. Never rejects: what fails here fails again, and is reported, with the first batch.
   */
  warmUp(size: BatchCapacity): Promise<void> {
    return this.#runner.warmUp(size);
  }

  /** Frees plans, when the last update that was asked for is done; parameters and state stay with the store. */
  async destroy(): Promise<void> {
    await this.#last;
    await this.#batches.settle();
    await this.#runner.destroy();
  }

  /** Share of the updates that are done. */
  get #progress(): number {
    return this.#step / this.#options.schedule.steps;
  }

  #stepValues(learningRate: number, batches: number): UpdateSetting['values'] {
    const { scale } = this.#lossScaler;
    return {
      update: { step: this.#lossScaler.counted(this.#step + 1), learningRate, ...betas(this.#options) },
      gradientScale: 1 / (batches * scale),
      lossScale: scale,
    };
  }
}

function betas({ optimizer: { method } }: { readonly optimizer: OptimizerOptions }) {
  return method.kind === 'adamw' ? { beta1: method.beta1, beta2: method.beta2 } : { beta1: 0, beta2: 0 };
}

function sumTexts({ batches }: PreparedUpdate): Pick<StepMetrics, 'texts'> {
  const sums: Record<string, number> = {};
  for (const { packed } of batches) {
    for (const [name, value] of Object.entries(packed.metrics ?? {})) sums[name] = (sums[name] ?? 0) + value;
  }
  return Object.keys(sums).length === 0 ? {} : { texts: sums };
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
