/**
 * What a run works with, opened and checked: model, device, data, and which of the model's parameters are trained until
 * the freezing schedule's next border. Writes nothing but the run's folder; trains nothing.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Batch, BatchSampler, type TrainingSet } from '@synglot/data';
import type { Executor } from '@synglot/gpu';
import {
  type Checkpoint,
  type HubProgress,
  openCheckpoint,
  type RetrievalUse,
  retrievalUse,
  type TokenizerProgress,
} from '@synglot/models';
import {
  type EncoderConfig,
  embeddingDimension,
  encoderParameters,
  type OptimizerOptions,
  type ParameterSpec,
} from '@synglot/nn';
import { findCheckpoint, type SavedRun } from './checkpoints.js';
import { freshModel } from './config/fresh-model.js';
import { inTermsOfConfig, placeIn } from './config/places.js';
import type { TrainConfig } from './config.js';
import { checkStopped, TrainError } from './errors.js';
import { countedBefore, freezingPhases, type Phase, phaseAt, skippedBefore } from './freezing.js';
import { freshShape, freshTokenizer, writeFreshModel } from './fresh-model.js';
import { checkMining, type Mine } from './mining.js';
import { checkModelShape, runEncoder } from './model-checks.js';
import type { AuxiliaryParameter, TrainObjective } from './objectives.js';
import { checkPrecision } from './precision.js';
import { type OpenedRewrite, openRewrite, readConfiguredLexicons } from './rewrite.js';
import { openSavedModel, withFreshAdapter } from './run-adapter.js';
import { baseFingerprint, checkBase } from './run-base.js';
import { checkWeights, type RunData, readData, toSamplerOptions } from './run-data.js';
import { checkFolder, makeFolder } from './run-folder.js';
import type { RunLock } from './run-lock.js';
import { checkTeachers, runObjectives } from './run-objectives.js';
import { toOptimizer } from './run-optimizer.js';
import { checkValidation } from './run-validation.js';
import { validationBatches } from './validation-batches.js';

export interface OpenRunOptions {
  readonly config: TrainConfig;
  /** Folder of the run; made if it does not exist. */
  readonly output: string;
  /** Continue from the newest checkpoint in `output`; without one, start from the beginning. */
  readonly resume?: boolean;
  /** Held while the run writes into `output`. */
  readonly lock?: RunLock;
  /** What `readData` returned for this configuration; by default the data are read. */
  readonly data?: RunData;
  /** Searches for hard negatives if the configuration has `mining`: `mineForTraining` of synglot. */
  readonly mine?: Mine;
  readonly onNotice?: (line: string) => void;
  /** Called while a model is fetched from the hub. */
  readonly onModelProgress?: (progress: HubProgress) => void;
  /** Called while a tokenizer is trained, for a model with random weights. */
  readonly onTokenizerProgress?: (progress: TokenizerProgress) => void;
  /** Asks the run to stop: at once before its first update, after it when that is done, with a checkpoint. */
  readonly signal?: AbortSignal;
}

/** A run up to the end of a phase of its freezing schedule. */
export interface OpenedRun {
  readonly executor: Executor;
  readonly data: OpenedData;
  readonly model: OpenedModel;
  readonly phase: OpenedPhase;
}

export interface OpenedData extends RunData {
  readonly sampler: BatchSampler;
  /** Held-out batches, the same at every validation. */
  readonly batches: readonly Batch[];
  readonly rewritten: OpenedRewrite | undefined;
}

export interface OpenedModel {
  /** The model that the run started from. */
  readonly start: Checkpoint;
  /** The same with the run's adapter, if any. */
  readonly checkpoint: Checkpoint;
  /** The checkpoint's own, with the configuration's prefixes in place of its prompts. */
  readonly use: RetrievalUse;
  /** What the model that the run started from is known by. */
  readonly base: string;
  /** The checkpoint's encoder with the run's dropout. */
  readonly encoder: EncoderConfig;
  /** The checkpoint that the run continues from, and its model. */
  readonly saved: (SavedRun & { readonly model: Checkpoint }) | undefined;
}

export interface OpenedPhase extends Pick<Phase, 'end' | 'updatesBefore'> {
  readonly objectives: readonly TrainObjective[];
  /** The objectives' own parameters. */
  readonly auxiliary: readonly AuxiliaryParameter[];
  /** The model's parameters and the objectives'; those that are frozen are marked. */
  readonly specs: readonly ParameterSpec[];
  readonly optimizer: OptimizerOptions;
  /** See {@link skippedBefore}. */
  readonly skipped: Readonly<Record<string, number>> | undefined;
}

/**
 * @param openExecutor told whether the run continues from a checkpoint
 * @throws TrainError, DataError, ModelError for whatever in the configuration is wrong or not available; TrainError
 *   `STOPPED` if it was asked for
 */
export async function openRun(
  options: OpenRunOptions,
  openExecutor: (resumed: boolean) => Promise<Executor>,
): Promise<OpenedRun> {
  const { config, output, mine, resume } = options;
  await inTermsOfConfig(`${placeIn(config, 'mining')}mining: `, () => checkMining(config, mine));
  await checkTeachers(config);
  await checkFolder(options);
  const saved = resume ? await findCheckpoint(join(output, 'checkpoints')) : undefined;
  const fresh = config.model === freshModel;
  if (fresh) checkModelShape(config, freshShape(config));
  // First, so that a model or device that cannot be opened, or does not fit, is reported before the data are read.
  const existing = fresh ? undefined : await openModel(config.model, saved, options);
  const executor = await openExecutor(saved !== undefined);
  checkPrecision(config.training.precision, executor);
  const data = await openData(options);
  const model = existing ?? (await openModel(await initialModel(options, data.training), saved, options));
  const phase = await openPhase(data, model, options);
  await makeFolder(options);
  await data.rewritten?.keep();
  return { executor, data, model, phase };
}

function openStart(
  model: string,
  { config: { pooling }, signal, onModelProgress }: OpenRunOptions,
): Promise<Checkpoint> {
  return openCheckpoint(model, {
    ...(pooling ? { pooling } : {}),
    onProgress: (progress) => {
      checkStopped(signal);
      onModelProgress?.(progress);
    },
  });
}

async function openData(options: OpenRunOptions): Promise<OpenedData> {
  const { config, output, signal, onNotice = () => undefined } = options;
  const lexicons = await readConfiguredLexicons(config);
  const data = options.data ?? (await inTermsOfConfig('', () => readData(config, onNotice, signal)));
  checkWeights(config, data);
  const { training, validation } = data;
  const samplerOptions = toSamplerOptions(config);
  const sampler = await inTermsOfConfig(
    ({ code }) =>
      code === 'INPUT_OPTION'
        ? `${placeIn(config, 'sampling')}sampling: `
        : `${config.data.flatMap(({ path }) => path).join(', ')}: `,
    () => new BatchSampler(training, samplerOptions),
  );
  const rewritten = await inTermsOfConfig('code_switching: ', () =>
    openRewrite(config, lexicons, training.languages, output),
  );
  for (const line of sampler.leftOut) onNotice(`left out: ${line}`);
  const batches = validationBatches(validation, samplerOptions, config);
  checkValidation(config, validation);
  return { ...data, sampler, batches, rewritten };
}

/** The folder of a model with random weights, made within the run's own. */
async function initialModel(options: OpenRunOptions, training: TrainingSet): Promise<string> {
  const { config, output, signal, onNotice, onTokenizerProgress } = options;
  const folder = join(output, 'initial-model');
  // The run that is resumed has already made it.
  if (existsSync(folder)) return folder;
  const texts = training.rows.length;
  // With fewer it takes only a moment.
  if (texts > 20_000) onNotice?.(`training a tokenizer on ${texts} texts, which takes a while`);
  const tokenizer = await freshTokenizer(config, training, (progress) => {
    checkStopped(signal);
    onTokenizerProgress?.(progress);
  });
  await makeFolder(options);
  await writeFreshModel(folder, config, tokenizer);
  return folder;
}

/**
 * @param model a folder or hub id
 * @param saved the checkpoint that the run continues from
 */
async function openModel(
  model: string,
  saved: SavedRun | undefined,
  options: OpenRunOptions,
): Promise<OpenedModel> {
  const { config, output } = options;
  const start = await openStart(model, options);
  checkModelShape(config, start);
  const checkpoint = withFreshAdapter(start, config);
  await checkLengths(checkpoint, config);
  const own = retrievalUse(checkpoint, config.model);
  const { query_prefix: query = own.query, passage_prefix: passage = own.passage } = config.text;
  const use = { ...own, query, passage };
  const base = await baseFingerprint(checkpoint);
  checkBase(saved, base, config.model, output);
  const savedModel = saved && (await openSavedModel(join(saved.folder, 'model'), start));
  return {
    start,
    checkpoint,
    use,
    base,
    encoder: runEncoder(start.config, config),
    saved: saved && savedModel ? { ...saved, model: savedModel } : undefined,
  };
}

/** @throws TrainError `INPUT_CONFIG` if nothing of a text fits beside the special tokens */
async function checkLengths({ tokenizer }: Checkpoint, { text }: TrainConfig): Promise<void> {
  for (const key of ['query_max_length', 'passage_max_length'] as const) {
    await tokenizer.encodeBatch([''], { maxLength: text[key] }).catch((error: Error) => {
      throw new TrainError('INPUT_CONFIG', `${placeIn(text, key)}text.${key}: ${error.message}`, {
        cause: error,
      });
    });
  }
}

async function openPhase(
  { training }: OpenedData,
  { checkpoint: { pooling }, use: { normalize }, encoder, saved }: OpenedModel,
  { config, onNotice = () => undefined }: OpenRunOptions,
): Promise<OpenedPhase> {
  const phases = freezingPhases(config, encoderParameters(encoder, pooling));
  const phase = phaseAt(phases, saved?.state.step ?? 0);
  const dimension = embeddingDimension(encoder, pooling);
  const objectives = await runObjectives(config, { dimension, normalize, training, onNotice });
  const auxiliary = objectives.flatMap(({ parameters = [] }) => parameters);
  const specs = [...phase.specs, ...auxiliary.map(({ spec }) => spec)];
  const skipped = skippedBefore(phase, saved?.state);
  const optimizer = { ...toOptimizer(config), updatesBefore: countedBefore(phase, skipped) };
  const { end, updatesBefore } = phase;
  return { end, updatesBefore, objectives, auxiliary, specs, optimizer, skipped };
}
