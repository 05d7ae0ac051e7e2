/**
 * The loop of a sweep: each planned run is trained, evaluated and recorded in a folder of its own. What is
 * recorded is never done again; what was begun is resumed.
 */
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ParallelCollection } from '@synglot/data';
import { readLines } from '@synglot/data/files';
import {
  EvaluationError,
  onlyMeasures,
  type PerQueryValues,
  type RetrievalReport,
  type RetrievalSummary,
} from '@synglot/eval';
import { writeJson } from '@synglot/eval/files';
import type { Executor } from '@synglot/gpu';
import { makeFolders } from '@synglot/models';
import {
  checkFolder,
  dataKey,
  heldOutOf,
  inTermsOfConfig,
  type RunData,
  readData,
  runTraining,
  type StepMetrics,
  type TrainConfig,
  TrainError,
} from '@synglot/train';
import { mineForTraining } from '../mining/mine-for-training.js';
import { evaluateModel } from './evaluate.js';
import type { PlannedRun, SweepPlan } from './plan.js';

/** What every model is evaluated on: a benchmark, or each configuration's own held-out passages. */
export interface SweepTask {
  /** Equal keys, equal evaluations: a finished run is evaluated again where this changes. */
  readonly key: string;
  /** Absent: held-out passages. */
  readonly collection?: ParallelCollection;
}

export interface SweepRunOptions {
  readonly executor: Executor;
  readonly plan: SweepPlan;
  readonly task: SweepTask;
  readonly output: string;
  readonly signal?: AbortSignal;
  readonly onNotice?: (line: string) => void;
  readonly onStep?: (run: PlannedRun, metrics: StepMetrics) => void;
  readonly onRun?: (run: PlannedRun, result: RunRecord, fresh: boolean) => void;
}

/** `run.json`: a finished run. */
export interface RunRecord {
  readonly label: string;
  readonly seed: number;
  readonly evaluated: string;
  readonly collection: string;
  readonly map_measure: string;
  readonly queries: number;
  readonly langs: readonly string[];
  /** How many of the held-out texts were trained on too; absent where a benchmark is evaluated. */
  readonly seen_in_training?: NonNullable<RunData['seenInTraining']>;
  readonly steps: number;
  readonly loss: number | null;
  readonly validation_loss: number | null;
  readonly training_seconds: number;
  readonly summary: RetrievalSummary | null;
  /** Why there is no summary: the training diverged. */
  readonly failed?: string;
}

const recordFile = 'run.json';
const perQueryFile = 'per-query.json';

/** Runs what is not done yet; undefined if it was stopped before the end. */
export async function runSweep(
  given: SweepRunOptions,
): Promise<ReadonlyMap<PlannedRun, RunRecord> | undefined> {
  const records = new Map<PlannedRun, RunRecord>();
  // What every run would say again is said once.
  const told = new Set<string>();
  const onNotice = (line: string) => {
    if (!told.has(line)) given.onNotice?.(line);
    told.add(line);
  };
  const options = { ...given, onNotice };
  const data = new DataCache(onNotice);
  for (const run of options.plan.runs) {
    if (options.signal?.aborted) return undefined;
    const folder = join(options.output, run.name);
    await checkFolder({ config: run.config, output: folder, resume: true });
    const done = await readRecord(folder);
    const fresh = done?.evaluated !== options.task.key;
    const record = fresh ? await doRun(run, folder, options, data, done).catch(ofRun(run)) : done;
    if (record === undefined) return undefined;
    records.set(run, record);
    options.onRun?.(run, record, fresh);
  }
  return records;
}

/** Per-query values of a finished run. */
export async function readPerQuery(output: string, { name }: PlannedRun): Promise<PerQueryValues> {
  return readOwn<PerQueryValues>(join(output, name, perQueryFile));
}

/** What only a run's own data and model show says whose they are; that it was stopped is no error. */
function ofRun({ setting, seed }: PlannedRun): (error: unknown) => undefined {
  return (error) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code === 'STOPPED') return undefined;
    if (error instanceof Error && code.startsWith('INPUT_'))
      error.message = `${setting.label}, seed ${seed}: ${error.message}`;
    throw error;
  };
}

async function doRun(
  run: PlannedRun,
  folder: string,
  options: SweepRunOptions,
  cache: DataCache,
  done: RunRecord | undefined,
): Promise<RunRecord | undefined> {
  const { config, setting, seed } = run;
  const { executor, task } = options;
  const data = await cache.read(config, options.signal);
  const collection = task.collection ?? heldOut(config, data, setting.config);
  await makeFolders(folder);
  const common = {
    label: setting.label,
    seed,
    evaluated: task.key,
    collection: collection.name,
    queries: collection.queries.length,
    langs: collection.langs,
    ...(task.collection || !data.seenInTraining ? {} : { seen_in_training: data.seenInTraining }),
  };
  const conclude = async (model: string, trained: Awaited<ReturnType<typeof trainedFor>>) => {
    const report = await evaluateModel(executor, model, collection, config);
    await writeReport(folder, report, run, executor);
    const record = { ...common, map_measure: report.map_measure, ...trained, summary: report.summary };
    await finish(folder, record);
    return record;
  };
  if (done?.failed) return done;
  if (done) {
    // Trained and evaluated on something else: the model is there, and its checkpoints are not.
    const { steps, loss, validation_loss, training_seconds } = done;
    return conclude(join(folder, 'model'), { steps, loss, validation_loss, training_seconds });
  }
  try {
    const { model, best } = await runTraining({
      executor,
      config,
      output: folder,
      resume: true,
      data,
      mine: mineForTraining,
      ...(options.signal ? { signal: options.signal } : {}),
      ...(options.onNotice ? { onNotice: options.onNotice } : {}),
      onStep: (metrics) => options.onStep?.(run, metrics),
    });
    if (model === undefined) return undefined;
    return await conclude(
      model,
      await trainedFor(folder, config.checkpoint.keep_best ? best?.step : undefined),
    );
  } catch (error) {
    if (!hasDiverged(error)) throw error;
    options.onNotice?.(`${setting.label}, seed ${seed}: ${error.message}`);
    const failed = { map_measure: '', ...(await trainedFor(folder)), summary: null, failed: error.message };
    const record = { ...common, ...failed };
    await finish(folder, record);
    return record;
  }
}

/** After the last update no loss is computed that would show what it did: embeddings that are not finite do. */
function hasDiverged(error: unknown): error is Error {
  return (
    (error instanceof TrainError && error.code === 'TRAIN_DIVERGED') ||
    (error instanceof EvaluationError && error.code === 'INPUT_EMBEDDINGS')
  );
}

/** The record comes last: with it the run is done, and its checkpoints are no longer needed. */
async function finish(folder: string, record: RunRecord): Promise<void> {
  await writeJson(join(folder, recordFile), record);
  await rm(join(folder, 'checkpoints'), { recursive: true, force: true });
}

async function writeReport(
  folder: string,
  { per_query: perQuery, ...report }: RetrievalReport,
  { setting, config, seed }: PlannedRun,
  executor: Executor,
): Promise<void> {
  await writeJson(join(folder, perQueryFile), onlyMeasures(perQuery!, [report.map_measure]));
  await writeJson(join(folder, 'evaluation.json'), {
    label: `${setting.label}, seed ${seed}`,
    task: report.collection,
    model: config.model,
    device: executor.device.name,
    executor: executor.kind,
    ...report,
  });
}

async function readRecord(folder: string): Promise<RunRecord | undefined> {
  const file = join(folder, recordFile);
  return existsSync(file) ? readOwn<RunRecord>(file) : undefined;
}

/** What a sweep wrote itself, whole; what became of it since is not repaired without being asked. */
async function readOwn<T extends object>(file: string): Promise<T> {
  const value: unknown = await readFile(file, 'utf8')
    .then(JSON.parse)
    .catch(() => undefined);
  if (typeof value === 'object' && value !== null) return value as T;
  throw new TrainError(
    'INPUT_RESUME',
    `${file}: missing or damaged; remove the folder of this run, and the same command does it again`,
  );
}

/**
 * What `metrics.jsonl` says of a run's training, over all its parts.
 *
 * @param kept the step of the model that is the result, where it is not the last one: the validation is its own
 */
async function trainedFor(folder: string, kept = Number.POSITIVE_INFINITY) {
  let [steps, seconds] = [0, 0];
  let loss: number | null = null;
  let validationLoss: number | null = null;
  for await (const { text } of readLines(join(folder, 'metrics.jsonl'))) {
    const entry = JSON.parse(text) as Partial<Record<string, number>>;
    steps = Math.max(steps, entry.step ?? 0);
    seconds += entry.seconds ?? 0;
    loss = entry.loss ?? loss;
    if ((entry.step ?? 0) <= kept) validationLoss = entry.validation_loss ?? validationLoss;
  }
  return { steps, loss, validation_loss: validationLoss, training_seconds: seconds };
}

function heldOut(config: TrainConfig, data: RunData, path: string): ParallelCollection {
  const collection = heldOutOf(config, data);
  if (collection) return collection;
  throw nothingHeldOut(path, `hold_out.fraction ${config.hold_out?.fraction} holds out nothing`);
}

/** Checks that every run has something to be evaluated on. @throws TrainError `INPUT_CONFIG` */
export function checkEvaluation({ runs }: SweepPlan, { collection }: SweepTask): void {
  const without = collection ? undefined : runs.find(({ config }) => !config.hold_out);
  if (without) throw nothingHeldOut(without.setting.config, 'no hold_out');
}

function nothingHeldOut(path: string, problem: string): TrainError {
  return new TrainError(
    'INPUT_CONFIG',
    `${path}: ${problem}, so there is nothing to evaluate on: add \`hold_out: { fraction: 0.1 }\`, or name a benchmark with --task and --data`,
  );
}

/** Keeps the last data read, for a next run that reads the same; only the last, because it may be large. */
class DataCache {
  readonly #onNotice: (line: string) => void;
  #last: { readonly key: string; readonly data: RunData } | undefined;

  constructor(onNotice: (line: string) => void) {
    this.#onNotice = onNotice;
  }

  async read(config: TrainConfig, signal: AbortSignal | undefined): Promise<RunData> {
    const key = dataKey(config);
    if (this.#last?.key !== key) {
      this.#last = { key, data: await inTermsOfConfig('', () => readData(config, this.#onNotice, signal)) };
    }
    return this.#last.data;
  }
}
