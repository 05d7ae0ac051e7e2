/**
 * A training run in a folder: configuration in, `metrics.jsonl`, checkpoints and the final model out.
 *
 * Resuming continues bit for bit: what is drawn, dropped and updated depends on the seed and the step
 * alone. The loop itself is in `trainer.ts`.
 */
import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Batch,
  BatchSampler,
  DataError,
  type Encode,
  holdOut,
  type Pair,
  type SamplerOptions,
  TrainingSetBuilder,
} from '@synglot/data';
import { openTrainingData, type TrainingSource } from '@synglot/data/files';
import type { Executor } from '@synglot/gpu';
import { type Checkpoint, openCheckpoint, writeFileAtomic } from '@synglot/models';
import {
  type EncoderConfig,
  encoderParameters,
  type OptimizerOptions,
  optimizerState,
  ParameterStore,
} from '@synglot/nn';
import {
  findCheckpoint,
  loadOptimizer,
  type ModelParts,
  writeCheckpoint,
  writeModel,
} from './checkpoints.js';
import type { TrainConfig } from './config.js';
import { TrainError } from './errors.js';
import { MetricsFile } from './metrics-file.js';
import { type StepMetrics, Trainer } from './trainer.js';

const configFile = 'config.json';

export interface TrainingRunOptions {
  /** A device, or how to open one: a function is called once configuration, model and data are checked. */
  readonly executor: Executor | (() => Promise<Executor>);
  readonly config: TrainConfig;
  /** Folder of the run; made when it is not there. */
  readonly output: string;
  /** Continue from the newest checkpoint in `output`; without one, start from the beginning. */
  readonly resume?: boolean;
  readonly onNotice?: (line: string) => void;
  readonly onStep?: (metrics: StepMetrics, steps: number) => void;
  readonly onValidation?: (step: number, loss: number) => void;
  /** Asks the run to stop after the current update; it writes a checkpoint first. */
  readonly signal?: AbortSignal;
}

export interface TrainingRunResult {
  readonly steps: number;
  /** Of the last update; NaN where a resumed run had none left. */
  readonly loss: number;
  /** Folder of the trained model; absent when the run was interrupted. */
  readonly model?: string;
}

/** Runs a configuration to its end, or until `signal`. */
export async function runTraining(options: TrainingRunOptions): Promise<TrainingRunResult> {
  const { config, output, onNotice = () => undefined } = options;
  const checkpoints = join(output, 'checkpoints');
  await checkFolder(options);

  const checkpoint = await openCheckpoint(config.model, config.pooling ? { pooling: config.pooling } : {});
  const encoder = withDropout(checkpoint.config, config.training.dropout);
  const { training, validation } = await inTermsOfConfig('', () => readData(config, onNotice));
  const samplerOptions = toSamplerOptions(config);
  const sampler = await inTermsOfConfig(
    `${config.data.map(({ path }) => path).join(', ')}: `,
    () => new BatchSampler(training, samplerOptions),
  );
  for (const line of sampler.leftOut) onNotice(`left out: ${line}`);

  const batches = validationBatches(validation, samplerOptions, config);

  const saved = options.resume ? await findCheckpoint(checkpoints) : undefined;
  const savedModel = saved && (await openCheckpoint(join(saved.folder, 'model')));

  await makeFolder(options);
  const executor = typeof options.executor === 'function' ? await options.executor() : options.executor;
  const optimizer = toOptimizer(config);
  const kinds = optimizerState(optimizer);
  const store = new ParameterStore(executor, encoderParameters(encoder, checkpoint.pooling));
  const trainer = new Trainer({
    executor,
    store,
    config: encoder,
    pooling: checkpoint.pooling,
    sampler,
    encode: encodeWith(checkpoint, config),
    collate: { queryPrefix: config.text.query_prefix, passagePrefix: config.text.passage_prefix },
    loss: config.loss,
    optimizer,
    schedule: {
      learningRate: config.optimizer.learning_rate,
      steps: config.training.steps,
      warmupSteps: warmupSteps(config),
      decay: config.training.schedule,
    },
    accumulation: config.training.accumulation,
    seed: config.training.seed,
  });

  if (saved && savedModel) {
    await store.load('parameter', savedModel.readRows);
    await loadOptimizer(saved.folder, store, kinds);
    trainer.restore(saved.state);
    onNotice(`resumed after step ${saved.state.step} from ${saved.folder}`);
  } else {
    await store.load('parameter', checkpoint.readRows);
    if (options.resume) onNotice(`no checkpoint in ${checkpoints} yet: starting from the beginning`);
  }

  const parts = modelParts(checkpoint, encoder, config);
  const save = () =>
    writeCheckpoint(checkpoints, {
      store,
      model: parts,
      state: trainer.state(),
      optimizerKinds: kinds,
      keep: config.checkpoint.keep,
    });
  const metrics = await MetricsFile.open(join(output, 'metrics.jsonl'), trainer.step);
  let loss = Number.NaN;
  try {
    while (trainer.step < config.training.steps) {
      const step = await trainer.update();
      loss = step.loss;
      await metrics.append(step);
      options.onStep?.(step, config.training.steps);
      const last = step.step === config.training.steps;
      if (
        batches.length > 0 &&
        (last || step.step % (config.validation?.every ?? Number.POSITIVE_INFINITY) === 0)
      ) {
        const validationLoss = await trainer.evaluate(batches);
        await metrics.append({ step: step.step, validation_loss: validationLoss });
        options.onValidation?.(step.step, validationLoss);
      }
      const stop = options.signal?.aborted ?? false;
      if (last || stop || step.step % config.checkpoint.every === 0) await save();
      if (stop && !last) return { steps: step.step, loss };
    }
    const model = join(output, 'model');
    await writeModel(model, store, parts);
    return { steps: trainer.step, loss, model };
  } finally {
    await metrics.close();
    await trainer.destroy();
    store.destroy();
  }
}

/** Refuses a folder with another run in it, and a resumed run whose configuration has changed. */
async function checkFolder({ config, output, resume }: TrainingRunOptions): Promise<void> {
  const path = join(output, configFile);
  const existing = await readFile(path, 'utf8').catch(() => undefined);
  if (existing === undefined) return;
  if (!resume) {
    throw new TrainError(
      'INPUT_OUTPUT',
      `${output} already holds a run; continue it with --resume or choose another --output`,
    );
  }
  const text = identityText(config);
  if (existing === text) return;
  throw new TrainError(
    'INPUT_RESUME',
    `${path}: the run was started with another configuration (${changeBetween(existing, text)}); resume with that one or start anew in another --output`,
  );
}

/** Makes the run's folder, once what goes into it is known to be sound. */
async function makeFolder({ config, output }: TrainingRunOptions): Promise<void> {
  try {
    await mkdir(join(output, 'checkpoints'), { recursive: true });
  } catch (error) {
    throw new TrainError(
      'INPUT_OUTPUT',
      `${output}: cannot be made: ${(error as Error).message}; choose another --output`,
    );
  }
  const text = identityText(config);
  await writeFileAtomic(join(output, configFile), async (file) => file.writeFile(text));
}

function identityText(config: TrainConfig): string {
  return `${JSON.stringify(configIdentity(config), null, 2)}\n`;
}

function changeBetween(before: string, after: string): string {
  try {
    return firstDifference(JSON.parse(before), JSON.parse(after));
  } catch {
    return 'the file is not JSON';
  }
}

/** What must not change between a run and its continuation. */
function configIdentity({
  output: _output,
  device: _device,
  checkpoint: _checkpoint,
  ...rest
}: TrainConfig): object {
  return rest;
}

function firstDifference(before: unknown, after: unknown, path = ''): string {
  if (typeof before === 'object' && typeof after === 'object' && before && after) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const [a, b] = [(before as Record<string, unknown>)[key], (after as Record<string, unknown>)[key]];
      if (JSON.stringify(a) !== JSON.stringify(b))
        return firstDifference(a, b, path ? `${path}.${key}` : key);
    }
  }
  return `${path}: ${JSON.stringify(before)} then, ${JSON.stringify(after)} now`;
}

async function readData(config: TrainConfig, onNotice: (line: string) => void) {
  const training = new TrainingSetBuilder();
  const validation = new TrainingSetBuilder();
  const share = config.validation?.fraction ?? 0;
  let held = 0;
  let total = 0;
  for (const source of config.data) {
    await checkPath(source.path);
    for await (const pair of openTrainingData(toSource(source))) {
      const side =
        share > 0 && holdOut(heldOutKey(pair), share, config.training.seed) ? validation : training;
      side.add(pair);
      total += 1;
      if (side === validation) held += 1;
    }
  }
  if (total === 0)
    throw new TrainError(
      'INPUT_CONFIG',
      `no pairs in ${config.data.map((source) => source.path).join(', ')}; check langs and limit`,
    );
  if (share > 0 && held === 0)
    onNotice(`validation.fraction ${share} holds out none of ${total} pairs: no validation`);
  return { training: training.build(), validation: held > 0 ? validation.build() : undefined };
}

/** Runs what reads or samples; the options that an error names are then called as in a configuration. */
async function inTermsOfConfig<T>(where: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    const message = error.message.replace(/`[^`]*`/g, (option) =>
      option.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    );
    throw new DataError(error.code, `${where}${message}`, { cause: error });
  }
}

/** Every question of a passage, in every language, falls on one side. */
function heldOutKey(pair: Pair): string {
  return `${pair.passage.dataset}\n${pair.passage.parallelId}`;
}

function toSource(source: TrainConfig['data'][number]): TrainingSource {
  const camel = Object.entries(source).map(([key, value]) => [
    key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    value,
  ]);
  return Object.fromEntries(camel) as TrainingSource;
}

async function checkPath(path: string): Promise<void> {
  await stat(path).catch(() => {
    throw new TrainError(
      'INPUT_CONFIG',
      `data path ${path}: no such file or folder (relative paths start at the current folder)`,
    );
  });
}

function toSamplerOptions(config: TrainConfig): SamplerOptions {
  const { sampling } = config;
  return {
    batchSize: sampling.batch_size,
    seed: config.training.seed,
    mode: sampling.mode,
    languages: sampling.languages,
    datasets: sampling.datasets,
    domains: sampling.domains,
    homogeneousDataset: sampling.homogeneous_dataset,
    languagePair: sampling.language_pair,
    onTooFew: sampling.on_too_few,
    ...(sampling.alpha === undefined ? {} : { alpha: sampling.alpha }),
    ...(sampling.mode_weights === undefined
      ? {}
      : { modeWeights: sampling.mode_weights as NonNullable<SamplerOptions['modeWeights']> }),
    ...(sampling.only_pairs === undefined ? {} : { onlyPairs: sampling.only_pairs }),
    ...(sampling.negatives === undefined ? {} : { negatives: sampling.negatives }),
  };
}

function toOptimizer({ optimizer }: TrainConfig): OptimizerOptions {
  const common = { maxGradientNorm: optimizer.max_gradient_norm, decay: optimizer.decay };
  const weightDecay = optimizer.weight_decay;
  if (optimizer.name === 'sgd') return { ...common, method: { kind: 'sgd', weightDecay } };
  const [beta1, beta2] = optimizer.betas;
  return { ...common, method: { kind: 'adamw', beta1, beta2, epsilon: optimizer.epsilon, weightDecay } };
}

/** A warmup below 1 is a share of the steps, else a number of steps. */
function warmupSteps({ training }: TrainConfig): number {
  return training.warmup < 1 ? Math.round(training.warmup * training.steps) : Math.round(training.warmup);
}

function withDropout(config: EncoderConfig, dropout: number | undefined): EncoderConfig {
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
    prompts: query || passage ? { query, passage } : checkpoint.prompts,
    description: `Fine-tuned from ${config.model} with ${config.sampling.mode} batches for ${config.training.steps} steps.`,
  };
}

/** The same held-out batches at every validation. */
function validationBatches(
  set: ReturnType<TrainingSetBuilder['build']> | undefined,
  options: SamplerOptions,
  config: TrainConfig,
): Batch[] {
  if (!set || !config.validation) return [];
  try {
    const sampler = new BatchSampler(set, { ...options, seed: options.seed + 1, onTooFew: 'leave-out' });
    return Array.from({ length: config.validation.batches }, () => sampler.next());
  } catch (error) {
    if (!(error instanceof DataError) || error.code !== 'INPUT_BATCH') throw error;
    throw new TrainError(
      'INPUT_CONFIG',
      `validation.fraction ${config.validation.fraction} holds out ${set.items.length} questions: ${error.message}, or hold out more`,
      { cause: error },
    );
  }
}
