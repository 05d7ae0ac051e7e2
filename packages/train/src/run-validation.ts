/** The validations of a run: the loss on held-out batches, a retrieval measure, the best model, when to stop. */
import { join } from 'node:path';
import type { Batch, TrainingSet } from '@synglot/data';
import type { Executor } from '@synglot/gpu';
import type { ParameterStore } from '@synglot/nn';
import { type ModelParts, writeBest } from './checkpoints.js';
import type { TrainConfig } from './config.js';
import { EarlyStopping, type StoppingState } from './early-stopping.js';
import { TrainError } from './errors.js';
import type { MetricsFile } from './metrics-file.js';
import { validationLine } from './run-objectives.js';
import { partsAfter } from './run-trainer.js';
import type { Trainer } from './trainer.js';
import { betterOf, measureCollection, validationMeasure } from './validation-measure.js';

export interface RunValidationOptions {
  readonly config: TrainConfig;
  /** Held-out batches; none: no validation. */
  readonly batches: readonly Batch[];
  readonly set: TrainingSet | undefined;
  readonly executor: Executor;
  readonly store: ParameterStore;
  readonly parts: ModelParts;
  readonly trainer: Trainer;
  /** Folder of the checkpoints; the best model is in its `best`. */
  readonly checkpoints: string;
  readonly onValidation?: (step: number, loss: number, measure?: number) => void;
}

/**
 * Checks the section `validation` before anything is opened.
 *
 * @throws TrainError `INPUT_CONFIG`
 */
export function checkValidation(config: TrainConfig, set: TrainingSet | undefined): void {
  const { validation, checkpoint } = config;
  measureCollection(config, set);
  const wanted = checkpoint.keep_best
    ? 'checkpoint.keep_best'
    : validation?.patience !== undefined
      ? 'validation.patience'
      : undefined;
  if (wanted === undefined || set) return;
  throw new TrainError(
    'INPUT_CONFIG',
    `${wanted} needs validations, and nothing is held out for them: add \`validation: { fraction: 0.02 }\`, or hold out more`,
  );
}

export class RunValidation {
  readonly #options: RunValidationOptions;
  readonly #stopping: EarlyStopping;
  readonly #collection: ReturnType<typeof measureCollection>;

  constructor(options: RunValidationOptions) {
    this.#options = options;
    const { validation } = options.config;
    this.#collection = measureCollection(options.config, options.set);
    this.#stopping = new EarlyStopping({
      better: validation ? betterOf(validation) : 'lower',
      minDelta: validation?.min_delta ?? 0,
      ...(validation?.patience === undefined ? {} : { patience: validation.patience }),
    });
  }

  /** Whether the run should end because the patience is exhausted. */
  get stopped(): boolean {
    return this.#stopping.stopped;
  }

  /** What a checkpoint saves. */
  state(): StoppingState | undefined {
    return this.#stopping.state();
  }

  restore(state: StoppingState | undefined): void {
    this.#stopping.restore(state);
  }

  /** Validates after an update if it is time for it, and keeps the model if it is the best so far. */
  async after(step: number, metrics: MetricsFile): Promise<void> {
    const { config, batches, trainer, checkpoints, store, parts, onValidation } = this.#options;
    const every = config.validation?.every ?? Number.POSITIVE_INFINITY;
    if (batches.length === 0 || (step !== config.training.steps && step % every !== 0)) return;
    const found = await trainer.evaluate(batches);
    const measure = this.#collection
      ? await validationMeasure({ ...this.#options, collection: this.#collection })
      : undefined;
    const more = measure === undefined ? {} : { validation_measure: measure };
    await metrics.append({ ...validationLine(step, found), ...more });
    onValidation?.(step, found.loss, measure);
    if (this.#stopping.add(step, measure ?? found.loss) && config.checkpoint.keep_best) {
      await writeBest(join(checkpoints, 'best'), store, partsAfter(parts, config, step));
    }
  }
}
