/**
 * A training run in a folder: configuration in, `metrics.jsonl`, checkpoints and the final model out.
 *
 * Resuming continues bit for bit: what is drawn, dropped and updated depends only on the seed and the step.
 * `trainer.ts` does one update; `open-run.ts` opens and checks everything before the first.
 */
import { join } from 'node:path';
import type { Executor } from '@synglot/gpu';
import { optimizerState, ParameterStore } from '@synglot/nn';
import { withInitial, withSaved } from './auxiliary-parameters.js';
import { loadOptimizer, type ModelParts, writeCheckpoint } from './checkpoints.js';
import { findDamaged } from './checksums.js';
import { inTermsOfConfig } from './config/places.js';
import type { TrainConfig } from './config.js';
import { TrainError } from './errors.js';
import { MetricsFile } from './metrics-file.js';
import { MiningRounds } from './mining.js';
import { type OpenedRun, type OpenRunOptions, openRun } from './open-run.js';
import { openSavedModel, writeTrained } from './run-adapter.js';
import type { RunData } from './run-data.js';
import { RunLock } from './run-lock.js';
import { describeData, idleSettings, ownPrompts } from './run-notices.js';
import { metricsLine } from './run-objectives.js';
import { modelParts, partsAfter, trainerOptions } from './run-trainer.js';
import { RunValidation } from './run-validation.js';
import { type StepMetrics, Trainer } from './trainer.js';

/** A run: its configuration, folder and device, and who is told what. */
export interface TrainingRunOptions extends OpenRunOptions {
  /**
   * A device, or a function that opens one, called once configuration and model have been checked, before data are read;
   * `resumed` says whether the run continues from a checkpoint.
   */
  readonly executor: Executor | ((resumed: boolean) => Promise<Executor>);
  /** Called once, when everything has been checked and the run's folder is there; `resumed` as for `executor`. */
  readonly onStart?: (resumed: boolean) => Promise<void>;
  readonly onStep?: (metrics: StepMetrics, steps: number) => void;
  readonly onValidation?: (step: number, loss: number, measure?: number) => void;
}

/** How a run ended. */
export interface TrainingRunResult {
  readonly steps: number;
  /** Of the last update; NaN if a resumed run had none left. */
  readonly loss: number;
  /** Folder of the trained model; absent if the run was interrupted. */
  readonly model?: string;
  /** The best validation, if there was one. */
  readonly best?: { readonly step: number; readonly value: number };
}

/** `more` is the data, if another phase follows. */
type PhaseResult = TrainingRunResult & { readonly more?: RunData };

/** An opened run and what it has on the device. */
interface RunOnDevice extends OpenedRun {
  readonly store: ParameterStore;
  readonly trainer: Trainer;
}

/** Runs a configuration to its end, or until `signal`. */
export async function runTraining(options: TrainingRunOptions): Promise<TrainingRunResult> {
  let opened: Promise<Executor> | undefined;
  const executor = (resumed: boolean) => {
    opened ??= Promise.resolve(
      typeof options.executor === 'function' ? options.executor(resumed) : options.executor,
    );
    return opened;
  };
  // What every phase would say again is said once.
  const told = new Set<string>();
  const onNotice = (line: string) => {
    if (!told.has(line)) options.onNotice?.(line);
    told.add(line);
  };
  const lock = options.lock ?? new RunLock(options.output);
  try {
    const first = await openRun({ ...options, lock, onNotice }, executor);
    await options.onStart?.(first.model.saved !== undefined);
    for (const line of beginningOf(options, first)) onNotice(line);
    let result = await runPhase({ ...options, onNotice }, first);
    // Other parameters are frozen now: the next phase begins as a resumed run does.
    while (result.more) {
      const next = { ...options, lock, onNotice, resume: true, data: result.more };
      result = await runPhase(next, await openRun(next, executor));
    }
    const { more: _, ...rest } = result;
    return rest;
  } finally {
    await lock.release();
  }
}

/** What is told of a run before its first update. */
function beginningOf(
  { config }: TrainingRunOptions,
  { data, model: { checkpoint, saved, use } }: OpenedRun,
): string[] {
  if (saved) return [`resumed after step ${saved.state.step} from ${saved.folder}`];
  const cosine = use.normalize || checkpoint.pooling.normalize;
  return [
    describeData(data.training, data.validation),
    ...ownPrompts(config, use),
    ...idleSettings(config, data.training, checkpoint.maxLength, cosine),
  ];
}

/** Runs to the end of a phase of the freezing schedule. */
async function runPhase(options: TrainingRunOptions, run: OpenedRun): Promise<PhaseResult> {
  const { config } = options;
  const { executor } = run;
  const store = new ParameterStore(executor, run.phase.specs);
  const trainer = new Trainer(trainerOptions(config, run, { executor, store }));
  const onDevice = { ...run, store, trainer };
  try {
    await load(config, onDevice);
    return await runUpdates(options, onDevice);
  } finally {
    await trainer.destroy();
    store.destroy();
  }
}

/** Loads the parameters and, if the run is resumed, the optimiser's and the trainer's state. */
async function load(config: TrainConfig, run: RunOnDevice): Promise<void> {
  const { model, phase, store, trainer } = run;
  const { saved } = model;
  const { auxiliary, updatesBefore } = phase;
  const pairs = config.sampling.batch_size;
  const warm = trainer.warmUp({ tokens: 64 * pairs, queries: pairs, candidates: pairs });
  if (saved) {
    await store.load('parameter', await withSaved(auxiliary, saved.folder, saved.model.readRows));
    const fresh = (name: string) => updatesBefore[name] === saved.state.step;
    await loadOptimizer(saved.folder, store, optimizerState(phase.optimizer), fresh);
    trainer.restore(saved.state);
  } else {
    await store.load('parameter', withInitial(auxiliary, model.checkpoint.readRows));
  }
  await warm;
}

/** The loop: mining if a round is due, an update, its line of metrics, a validation, a checkpoint. */
async function runUpdates(options: TrainingRunOptions, run: RunOnDevice): Promise<PhaseResult> {
  const { config, output, onStep, signal } = options;
  const { phase, trainer } = run;
  const { steps } = config.training;
  const parts = modelParts(run.model, config);
  const rounds = miningRounds(options, run, parts);
  const validations = validationsOf(options, run, parts);
  const metrics = await MetricsFile.open(join(output, 'metrics.jsonl'), trainer.step);
  const save = async () => {
    // First, or after a power cut a resumed run would lack the lines of updates that it does not do again.
    await metrics.sync();
    await keepCheckpoint(options, run, parts, validations);
  };
  let loss = Number.NaN;
  try {
    while (trainer.step < steps && !validations.stopped) {
      if (signal?.aborted) return { steps: trainer.step, loss };
      try {
        if (await inTermsOfConfig('mining: ', () => rounds?.before(trainer.step))) await trainer.redraw();
      } catch (error) {
        if (!signal?.aborted || error !== signal.reason) throw error;
        // The resumed run mines from the beginning of the round.
        if (trainer.step > 0) await save();
        return { steps: trainer.step, loss };
      }
      const step = await trainer.update();
      loss = step.loss;
      await metrics.append(metricsLine(step));
      onStep?.(step, steps);
      await validations.after(step.step, metrics);
      const last = step.step === steps || validations.stopped;
      const stop = signal?.aborted ?? false;
      const border = step.step === phase.end;
      if (last || stop || border || step.step % config.checkpoint.every === 0) await save();
      if (stop && !last) return { steps: step.step, loss };
      if (border && !last) return { steps: step.step, loss, more: run.data };
    }
  } finally {
    await metrics.close();
  }
  return { steps: trainer.step, loss, ...(await writeResult(options, run, parts, validations)) };
}

/** Writes the model that the run ends with: the last one, or the one with the best validation. */
async function writeResult(
  { config, output }: TrainingRunOptions,
  { model: { start }, phase: { auxiliary }, store, trainer }: RunOnDevice,
  parts: ModelParts,
  validations: RunValidation,
): Promise<Pick<TrainingRunResult, 'model' | 'best'>> {
  const best = validations.state();
  const step = config.checkpoint.keep_best && best ? best.best_step : trainer.step;
  if (step !== trainer.step) {
    const folder = join(checkpointsOf(output), 'best');
    const damaged = await findDamaged(folder);
    if (damaged) {
      throw new TrainError(
        'INPUT_RESUME',
        `${damaged}: damaged since it was written; take the last model, in ${checkpointsOf(output)}, or start anew in another --output`,
      );
    }
    const { readRows } = await openSavedModel(join(folder, 'model'), start);
    await store.load('parameter', withInitial(auxiliary, readRows));
  }
  const model = await writeTrained(output, store, partsAfter(parts, config, step), start, config);
  return { model, ...(best ? { best: { step: best.best_step, value: best.best_value } } : {}) };
}

function checkpointsOf(output: string): string {
  return join(output, 'checkpoints');
}

async function keepCheckpoint(
  { config, output }: TrainingRunOptions,
  { model: { base }, phase: { optimizer, skipped }, store, trainer }: RunOnDevice,
  parts: ModelParts,
  validations: RunValidation,
): Promise<void> {
  const validation = validations.state();
  await writeCheckpoint(checkpointsOf(output), {
    store,
    model: partsAfter(parts, config, trainer.step),
    state: {
      ...trainer.state(),
      ...(skipped ? { skipped_before: skipped } : {}),
      base,
      ...(validation ? { validation } : {}),
    },
    optimizerKinds: optimizerState(optimizer),
    keep: config.checkpoint.keep,
  });
}

function miningRounds(
  { config, output, mine, signal, onNotice = () => undefined }: TrainingRunOptions,
  { data, executor, store }: RunOnDevice,
  parts: ModelParts,
): MiningRounds | undefined {
  if (!config.mining || !mine) return undefined;
  const { training: set, sampler } = data;
  return new MiningRounds(
    { config, set, sampler, output, mine, executor, store, parts, onNotice, ...(signal ? { signal } : {}) },
    config.mining,
  );
}

function validationsOf(
  { config, output, onValidation }: TrainingRunOptions,
  { data, model, executor, store, trainer }: RunOnDevice,
  parts: ModelParts,
): RunValidation {
  const { batches, validation: set } = data;
  const validations = new RunValidation({
    config,
    batches,
    set,
    executor,
    store,
    parts,
    trainer,
    checkpoints: checkpointsOf(output),
    ...(onValidation ? { onValidation } : {}),
  });
  validations.restore(model.saved?.state.validation);
  return validations;
}
