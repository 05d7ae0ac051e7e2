/** `synglot eval`: a model, or existing embeddings, on a benchmark, a suite of them, or a user's own data. */
import { benchmarks, readBenchmark, xtremeTatoebaLanguages } from '@synglot/data/files';
import { EvaluationError, measureNamed, profileNamed, profiles } from '@synglot/eval';
import { checkTrecIds } from '@synglot/eval/files';
import type { Executor } from '@synglot/gpu';
import type { Checkpoint } from '@synglot/models';
import { Command, Option } from 'commander';
import { checkAdHocRuns, evaluateAdHoc, evaluateBitexts, evaluatePredictions } from './eval-ad-hoc.js';
import { openModel } from './eval-encoder.js';
import { checkDepth, checkKept, refuseIdle, refuseOthers, requireEmbeddings } from './eval-options.js';
import { readOwn } from './eval-own.js';
import { evaluateParallel, evaluateSuite } from './eval-parallel.js';
import { type RunEvalOptions, runEvalCommand, withRunOptions } from './eval-run.js';
import {
  checkNotInput,
  checkOutputFile,
  type DeviceOptions,
  dimensionSize,
  languageList,
  openDevice,
  orDeviceOf,
  settingsOption,
  wholeNumber,
  withDeviceOptions,
} from './options.js';

export interface EvalOptions extends DeviceOptions {
  readonly task?: keyof typeof benchmarks;
  readonly suite?: 'mmm';
  readonly data?: string;
  readonly model?: string;
  /** The model, once its files are open. */
  readonly opened?: Checkpoint;
  readonly queryEmbeddings?: string;
  readonly passageEmbeddings?: string;
  readonly predictions?: string;
  readonly langs?: string[];
  readonly set?: readonly string[];
  readonly split?: string;
  readonly corpusLang?: string;
  readonly json?: string;
  readonly perQuery?: true;
  readonly rankCorrelation?: true;
  readonly saveRun?: string;
  readonly saveEmbeddings?: string;
  readonly store?: string;
  readonly context?: 'none' | 'paragraph';
  readonly profile?: string;
  readonly measures?: string[];
  readonly intervals: boolean;
  readonly depth?: number;
  readonly queryPrefix?: string;
  readonly passagePrefix?: string;
  readonly maxLength?: number;
  /** Of questions, where it differs. */
  readonly queryMaxLength?: number;
  readonly dimension?: number;
  /** Of the intervals. */
  readonly seed?: number;
}

export function evalCommand(): Command {
  const command = new Command('eval')
    .description('a model on a benchmark: in one language, across two, in a mixed pool, with language bias')
    .argument('[config]', 'YAML file of a training run: what its hold_out keeps from training, or --data')
    .option(...settingsOption)
    .addOption(new Option('--task <name>', 'benchmark').choices(Object.keys(benchmarks)))
    .addOption(
      new Option('--suite <name>', 'every parallel benchmark below --data, in one table').choices(['mmm']),
    )
    .option(
      '--data <folder>',
      "the benchmark's files as published; with a configuration, a file of pairs like its own",
    )
    .option('--model <folder or hub id>', 'checkpoint')
    .option(
      '--query-embeddings <file>',
      'instead of a model: .npy, .safetensors or .parquet, in the order of the data',
    )
    .option('--passage-embeddings <file>', 'instead of a model, likewise')
    .option('--predictions <file>', 'mewsli-x: instead of a model, entity ids by example id')
    .option('--langs <list>', 'languages, as in en,de,ar,zh; default: all', languageList)
    .option('--split <name>', "queries and judgments, as in dev; default: the benchmark's own")
    .option('--corpus-lang <code>', "mmarco: language of the passages; default: the questions'")
    .option('--json <file>', 'write the whole report, every language pair or query included')
    .option(
      '--per-query',
      'parallel benchmarks: --json has the values of every question too, for synglot compare',
    )
    .option(
      '--rank-correlation',
      'parallel benchmarks: how alike translations of a question rank the mixed pool; orders all of it for each',
    )
    .option(
      '--save-run <file>',
      'write the rankings as a TREC run; a folder of them where there are several collections or languages',
    )
    .option(
      '--save-embeddings <folder>',
      'parallel benchmarks: keep the embeddings of the candidates, for the report page',
    )
    .option('--store <folder>', "keep the passages' embeddings here; run again, it goes on where it stopped")
    .addOption(
      new Option(
        '--context <what>',
        'parallel benchmarks: encode a sentence alone, the default, or together with its paragraph, as LAReQA does',
      ).choices(['none', 'paragraph']),
    )
    .addOption(
      new Option(
        '--profile <name>',
        "how ties and measures are defined; default: the benchmark's own",
      ).choices(Object.keys(profiles)),
    )
    .option('--measures <list>', 'as in nDCG@10,Recall@100; default: those of the benchmark', languageList)
    .option('--no-intervals', 'leave out the 95% bootstrap intervals')
    .option('--depth <count>', "passages retrieved for each query; default: the benchmark's", wholeNumber(1))
    .option('--query-prefix <text>', "put in front of questions; default: the model's")
    .option('--passage-prefix <text>', "put in front of candidates; default: the model's")
    .option('--max-length <tokens>', 'longest text in tokens', wholeNumber(3))
    .option('--dimension <size>', 'first numbers of the embeddings, normalised again', dimensionSize);
  return withDeviceOptions(withRunOptions(command)).action(evaluate);
}

async function evaluate(
  path: string | undefined,
  options: EvalOptions & RunEvalOptions,
  command: Command,
): Promise<void> {
  const { data, task, suite } = options;
  const ofRuns = options.qrels !== undefined || options.run !== undefined;
  if (ofRuns && [path, options.model, task, suite].some((given) => given !== undefined)) {
    throw new EvaluationError(
      'INPUT_TREC',
      'give either --qrels and --run, or --task or --suite with a model; see synglot eval --help',
    );
  }
  refuseOthers(command, ofRuns);
  // Hours of encoding must not end with a wrong name or a missing folder.
  const { qrels, run = [], queryEmbeddings, passageEmbeddings, predictions } = options;
  const inputs = [path, data, qrels, ...run, queryEmbeddings, passageEmbeddings, predictions];
  if (options.json !== undefined) {
    await checkOutputFile(options.json);
    await checkNotInput(options.json, inputs, '--json');
  }
  if (options.saveRun !== undefined) await checkNotInput(options.saveRun, inputs, '--save-run');
  if (ofRuns) return runEvalCommand(options);
  for (const name of options.measures ?? []) {
    measureNamed(name, profileNamed(options.profile ?? 'trec_eval'));
  }
  checkKept(options);
  if (path !== undefined) return evaluateOwn(path, options);
  if (options.set !== undefined) {
    throw new EvaluationError('INPUT_COLLECTION', '--set is for a configuration; name its YAML file');
  }
  if (data === undefined) {
    throw new EvaluationError('INPUT_COLLECTION', 'give --data, a configuration, or --qrels and --run');
  }
  if (suite !== undefined && task === undefined) {
    requireEmbeddings(options);
    refuseIdle('--suite', 'suite', options);
    return withDevice(options, (executor, options) => evaluateSuite(executor, data, options));
  }
  if (task !== undefined && suite === undefined) return evaluateBenchmark(task, data, options);
  throw new EvaluationError(
    'INPUT_COLLECTION',
    "give one of --task, --suite and a training run's configuration; see synglot eval --help",
  );
}

/** What the configuration of a training run keeps from training, or other pairs of its user's. */
async function evaluateOwn(path: string, options: EvalOptions): Promise<void> {
  requireEmbeddings(options);
  checkDepth(path, options);
  const { config, collection } = await readOwn(path, options);
  const { query_prefix, passage_prefix, query_max_length, passage_max_length } = config.text;
  return withDevice(orDeviceOf(options, config), (executor, options) =>
    evaluateParallel(executor, collection, {
      ...(query_prefix === undefined ? {} : { queryPrefix: query_prefix }),
      ...(passage_prefix === undefined ? {} : { passagePrefix: passage_prefix }),
      ...(options.maxLength ? {} : { queryMaxLength: query_max_length, maxLength: passage_max_length }),
      ...options,
    }),
  );
}

async function evaluateBenchmark(
  task: keyof typeof benchmarks,
  data: string,
  options: EvalOptions,
): Promise<void> {
  if (options.predictions === undefined) requireEmbeddings(options);
  else refuseIdle('--predictions', 'predictions', options);
  const langs =
    task === 'tatoeba' && options.langs?.join() === 'xtreme' ? xtremeTatoebaLanguages : options.langs;
  const benchmark = await readBenchmark(task, data, {
    ...(langs ? { langs } : {}),
    ...(options.split ? { split: options.split } : {}),
    ...(options.corpusLang ? { corpusLang: options.corpusLang } : {}),
  });
  refuseIdle(`--task ${task}`, benchmark.kind, options);
  if (benchmark.kind === 'parallel') checkDepth(`--task ${task}`, options);
  if (options.predictions !== undefined) return evaluatePredictions(benchmark, options);
  const work = (executor: Executor, options: EvalOptions) => {
    switch (benchmark.kind) {
      case 'parallel':
        return evaluateParallel(executor, benchmark.collection, options);
      case 'ad-hoc':
        return evaluateAdHoc(executor, benchmark.collections, options);
      case 'bitext':
        return evaluateBitexts(executor, benchmark.bitexts, options);
    }
  };
  const { saveRun } = options;
  return withDevice(options, work, async () => {
    if (saveRun === undefined) return;
    if (benchmark.kind === 'ad-hoc') await checkAdHocRuns(benchmark.collections, saveRun);
    if (benchmark.kind !== 'parallel') return;
    const { name, queries, candidates } = benchmark.collection;
    for (const items of [queries, candidates]) await checkTrecIds(items, name);
  });
}

async function withDevice(
  options: EvalOptions,
  work: (executor: Executor, options: EvalOptions) => Promise<void>,
  check?: () => Promise<void>,
): Promise<void> {
  // A model that is not there is told without a device.
  const opened = options.model === undefined ? {} : { opened: await openModel(options.model) };
  await check?.();
  const executor = await openDevice(options);
  try {
    await work(executor, { ...options, ...opened });
  } finally {
    executor.destroy();
  }
}
