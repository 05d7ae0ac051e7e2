/**
 * A training run in a folder: configuration in, `metrics.jsonl`, checkpoints and the final model out.
 *
 * Resuming continues bit for bit: what is drawn, dropped and updated depends on the seed and the step
 * alone. The loop itself is in `trainer.ts`.
 */
import { join } from 'node:path';
import { BatchSampler, type Encode, type TrainingSet } from '@synglot/data';
import type { Executor } from '@synglot/gpu';
import { type Checkpoint, type HubProgress, openCheckpoint } from '@synglot/models';
import {
  type EncoderConfig,
  embeddingDimension,
  encoderParameters,
  optimizerState,
  ParameterStore,
} from '@synglot/nn';
import { withInitial, withSaved } from './auxiliary-parameters.js';
import { findCheckpoint, loadOptimizer, type ModelParts, writeCheckpoint } from './checkpoints.js';
import { freshModel } from './config/fresh-model.js';
import type { TrainConfig } from './config.js';
import { countedBefore, freezingPhases, phaseAt, skippedBefore } from './freezing.js';
import { makeFreshModel } from './fresh-model.js';
import { MetricsFile } from './metrics-file.js';
import { checkMining, type Mine, MiningRounds } from './mining.js';
import { checkPrecision } from './precision.js';
import { openRewrite } from './rewrite.js';
import { openSavedModel, withFreshAdapter, writeTrained } from './run-adapter.js';
import { inTermsOfConfig, type RunData, readData, toSamplerOptions, validationBatches } from './run-data.js';
import { checkFolder, makeFolder } from './run-folder.js';
import { checkDropoutViews, describeData, idleSettings } from './run-notices.js';
import { metricsLine, runObjectives } from './run-objectives.js';
import { toOptimizer } from './run-optimizer.js';
import { checkValidation, RunValidation } from './run-validation.js';
import { type StepMetrics, Trainer } from './trainer.js';

export interface TrainingRunOptions {
  /** A device, or how to open one: a function is called once configuration, model and data are checked. */
  readonly executor: Executor | (() => Promise<Executor>);
  readonly config: TrainConfig;
  /** Folder of the run; made when it is not there. */
  readonly output: string;
  /** Continue from the newest checkpoint in `output`; without one, start from the beginning. */
  readonly resume?: boolean;
  /** What `readData` gave for this configuration, where it has been read before; else it is read. */
  readonly data?: RunData;
  readonly onNotice?: (line: string) => void;
  /** Called while a model is fetched from the hub. */
  readonly onModelProgress?: (progress: HubProgress) => void;
  readonly onStep?: (metrics: StepMetrics, steps: number) => void;
  readonly onValidation?: (step: number, loss: number, measure?: number) => void;
  /** Searches for hard negatives, where the configuration has `mining`; `mineForTraining` of synglot. */
  readonly mine?: Mine;
  /** Asks the run to stop after the current update; it writes a checkpoint first. */
  readonly signal?: AbortSignal;
}

export interface TrainingRunResult {
  readonly steps: number;
  /** Of the last update; NaN where a resumed run had none left. */
  readonly loss: number;
  /** Folder of the trained model; absent when the run was interrupted. */
  readonly model?: string;
  /** The best validation, where there was one. */
  readonly best?: { readonly step: number; readonly value: number };
}

/** Runs a configuration to its end, or until `signal`. */
export async function runTraining(options: TrainingRunOptions): Promise<TrainingRunResult> {
  let opened: Promise<Executor> | undefined;
  const executor = () => {
    opened ??= Promise.resolve(
      typeof options.executor === 'function' ? options.executor() : options.executor,
    );
    return opened;
  };
  let result = await runPhase({ ...options, executor });
  // What is frozen changes: the next phase begins as a resumed run does.
  while (result.more) result = await runPhase({ ...options, executor, resume: true });
  const { more: _, ...rest } = result;
  return rest;
}

/** Runs to the end of a phase of the freezing schedule; `more` says that another follows. */
async function runPhase(
  options: TrainingRunOptions & { readonly executor: () => Promise<Executor> },
): Promise<TrainingRunResult & { readonly more?: boolean }> {
  const { config, output, onNotice = () => undefined } = options;
  const checkpoints = join(output, 'checkpoints');
  await checkFolder(options);

  const open = (model: string) =>
    openCheckpoint(model, {
      ...(config.pooling ? { pooling: config.pooling } : {}),
      ...(options.onModelProgress ? { onProgress: options.onModelProgress } : {}),
    });
  // A checkpoint that cannot be opened is known before the data is read.
  const existing = config.model === freshModel ? undefined : await open(config.model);
  const { training, validation } =
    options.data ?? (await inTermsOfConfig('', () => readData(config, onNotice)));
  const samplerOptions = toSamplerOptions(config);
  const sampler = await inTermsOfConfig(
    `${config.data.flatMap(({ path }) => path).join(', ')}: `,
    () => new BatchSampler(training, samplerOptions),
  );
  await inTermsOfConfig('mining: ', () => checkMining(config, options.mine));
  const rewritten = await inTermsOfConfig('code_switching: ', () =>
    openRewrite(config, training.languages, output),
  );
  for (const line of sampler.leftOut) onNotice(`left out: ${line}`);

  const batches = validationBatches(validation, samplerOptions, config);
  checkValidation(config, validation);

  const start = existing ?? (await open(await initialModel(options, training)));
  const checkpoint = withFreshAdapter(start, config);
  const encoder = withDropout(checkpoint.config, config.training.dropout);
  checkDropoutViews(config, encoder);
  const saved = options.resume ? await findCheckpoint(checkpoints) : undefined;
  const savedModel = saved && (await openSavedModel(join(saved.folder, 'model'), start));

  const phases = freezingPhases(config, encoderParameters(encoder, checkpoint.pooling));
  const phase = phaseAt(phases, saved?.state.step ?? 0);
  const { updatesBefore } = phase;
  const dimension = embeddingDimension(encoder, checkpoint.pooling);
  const objectives = await runObjectives(config, { dimension, training, onNotice });
  const auxiliary = objectives.flatMap(({ parameters = [] }) => parameters);
  const specs = [...phase.specs, ...auxiliary.map(({ spec }) => spec)];
  const skipped = skippedBefore(phase, saved?.state);
  const optimizer = { ...toOptimizer(config, specs), updatesBefore: countedBefore(phase, skipped) };
  await makeFolder(options);
  await rewritten?.keep();
  const executor = await options.executor();
  checkPrecision(config.training.precision, executor);
  if (!options.resume) {
    onNotice(describeData(training, validation));
    for (const line of idleSettings(config, training, checkpoint.maxLength)) onNotice(line);
  }
  const kinds = optimizerState(optimizer);
  const store = new ParameterStore(executor, specs);
  const trainer = new Trainer({
    executor,
    store,
    config: encoder,
    pooling: checkpoint.pooling,
    sampler,
    encode: encodeWith(checkpoint, config),
    collate: {
      queryPrefix: config.text.query_prefix,
      passagePrefix: config.text.passage_prefix,
      ...(rewritten ? { rewrite: rewritten.rewrite } : {}),
    },
    objectives,
    ...(config.fgm ? { perturbation: config.fgm.epsilon } : {}),
    optimizer,
    schedule: {
      learningRate: config.optimizer.learning_rate,
      steps: config.training.steps,
      warmupSteps: warmupSteps(config),
      decay: config.training.schedule,
    },
    accumulation: config.training.accumulation,
    prefetch: config.training.prefetch,
    ...(config.training.cache_tokens === undefined ? {} : { cacheTokens: config.training.cache_tokens }),
    recompute: config.training.recompute,
    seed: config.training.seed,
    precision: config.training.precision,
    lossScale: { initial: config.training.loss_scale },
  });

  const pairs = config.sampling.batch_size;
  const warm = trainer.warmUp({ tokens: 64 * pairs, queries: pairs, candidates: pairs });
  if (saved && savedModel) {
    await store.load('parameter', await withSaved(auxiliary, saved.folder, savedModel.readRows));
    await loadOptimizer(saved.folder, store, kinds, (name) => updatesBefore[name] === saved.state.step);
    trainer.restore(saved.state);
    onNotice(`resumed after step ${saved.state.step} from ${saved.folder}`);
  } else {
    await store.load('parameter', withInitial(auxiliary, checkpoint.readRows));
    if (options.resume) onNotice(`no checkpoint in ${checkpoints} yet: starting from the beginning`);
  }
  await warm;

  const parts = modelParts(checkpoint, encoder, config);
  const rounds =
    config.mining && options.mine
      ? new MiningRounds(
          { config, set: training, sampler, output, mine: options.mine, executor, store, parts, onNotice },
          config.mining,
        )
      : undefined;
  const save = () =>
    writeCheckpoint(checkpoints, {
      store,
      model: parts,
      state: {
        ...trainer.state(),
        ...(skipped ? { skipped_before: skipped } : {}),
        ...validationState(validations),
      },
      optimizerKinds: kinds,
      keep: config.checkpoint.keep,
    });
  const validations = new RunValidation({
    ...{ config, batches, set: validation, executor, store, parts, trainer, checkpoints },
    ...(options.onValidation ? { onValidation: options.onValidation } : {}),
  });
  validations.restore(saved?.state.validation);
  const metrics = await MetricsFile.open(join(output, 'metrics.jsonl'), trainer.step);
  let loss = Number.NaN;
  try {
    while (trainer.step < config.training.steps && !validations.stopped) {
      if (await inTermsOfConfig('mining: ', () => rounds?.before(trainer.step))) await trainer.redraw();
      const step = await trainer.update();
      loss = step.loss;
      await metrics.append(metricsLine(step));
      options.onStep?.(step, config.training.steps);
      await validations.after(step.step, metrics);
      const last = step.step === config.training.steps || validations.stopped;
      const stop = options.signal?.aborted ?? false;
      const border = step.step === phase.end;
      if (last || stop || border || step.step % config.checkpoint.every === 0) await save();
      if (stop && !last) return { steps: step.step, loss };
      if (border && !last) return { steps: step.step, loss, more: true };
    }
    const best = validations.state();
    if (config.checkpoint.keep_best && best && best.best_step !== trainer.step) {
      const { readRows } = await openSavedModel(join(checkpoints, 'best', 'model'), start);
      await store.load('parameter', readRows);
      onNotice(`the model is that of step ${best.best_step}, the best of the validations`);
    }
    const model = await writeTrained(output, store, parts, start, config);
    return {
      ...{ steps: trainer.step, loss, model },
      ...(best ? { best: { step: best.best_step, value: best.best_value } } : {}),
    };
  } finally {
    await metrics.close();
    await trainer.destroy();
    store.destroy();
  }
}

/** The folder of a model with random weights, made within the run's own. */
async function initialModel(options: TrainingRunOptions, training: TrainingSet): Promise<string> {
  await makeFolder(options);
  const folder = join(options.output, 'initial-model');
  const texts = training.rows.length;
  // Fewer take a moment.
  if (texts > 20_000) options.onNotice?.(`training a tokenizer on ${texts} texts, which takes a while`);
  await makeFreshModel(folder, options.config, training);
  return folder;
}

function validationState(validations: RunValidation) {
  const state = validations.state();
  return state ? { validation: state } : {};
}

/** A warmup below 1 is a share of the steps, else a number of steps. */
function warmupSteps({ training }: TrainConfig): number {
  return training.warmup < 1 ? Math.round(training.warmup * training.steps) : Math.round(training.warmup);
}

export function withDropout(config: EncoderConfig, dropout: number | undefined): EncoderConfig {
  return dropout === undefined ? config : { ...config, hiddenDropout: dropout, attentionDropout: dropout };
}

/** Tokenizes with the checkpoint's tokenizer and each side's own length limit. */
function encodeWith({ tokenizer, maxLength }: Checkpoint, { text }: TrainConfig): Encode {
  return async (texts, kind) => {
    const limit = kind === 'query' ? text.query_max_length : text.passage_max_length;
    const encoded = await tokenizer.encodeBatch(texts, { maxLength: Math.min(limit, maxLength) });
    return encoded.map(({ ids }) => ids);
  };
}

function modelParts(checkpoint: Checkpoint, encoder: EncoderConfig, config: TrainConfig): ModelParts {
  const { query_prefix: query, passage_prefix: passage } = config.text;
  return {
    config: encoder,
    pooling: checkpoint.pooling,
    maxLength: checkpoint.maxLength,
    tokenizer: checkpoint.tokenizer,
    ...(checkpoint.adapterBase === undefined ? {} : { adapterBase: checkpoint.adapterBase }),
    prompts: query || passage ? { query, passage } : checkpoint.prompts,
    description: `Fine-tuned from ${config.model} with ${config.sampling.mode} batches for ${config.training.steps} steps.`,
  };
}
