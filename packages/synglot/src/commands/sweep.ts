/** `synglot sweep`: a configuration trained and evaluated over settings and seeds. */
import { join } from 'node:path';
import { readBenchmark } from '@synglot/data/files';
import { decimal } from '@synglot/eval';
import { writeJson } from '@synglot/eval/files';
import type { Executor } from '@synglot/gpu';
import { makeFolders, writeFileAtomic } from '@synglot/models';
import type { DeviceTraits } from '@synglot/nn';
import { checkPrecision, TrainError } from '@synglot/train';
import { Command } from 'commander';
import { progressBar, tell } from '../progress.js';
import { curvesOf } from '../sweep/curve.js';
import { parseAxis, parseSeeds } from '../sweep/grid.js';
import { learningRateKey, planSweep, type SweepPlan } from '../sweep/plan.js';
import { checkEvaluation, readPerQuery, runSweep, type SweepTask } from '../sweep/run-sweep.js';
import { isNamed, type SweepSummary, summarise } from '../sweep/summary.js';
import { sweepComparisonTable, sweepCsv, sweepLatex, sweepTable } from '../sweep/tables.js';
import { readTuning, runTuningFile, writeTuning } from '../tuning.js';
import {
  collect,
  type DeviceOptions,
  languageList,
  openDevice,
  wholeNumber,
  withDeviceOptions,
} from './options.js';

interface SweepOptions extends DeviceOptions {
  readonly over?: readonly string[];
  readonly seeds: number;
  readonly seedsList?: string;
  readonly learningRates?: string;
  readonly set?: readonly string[];
  readonly task?: string;
  readonly data?: string;
  readonly langs?: readonly string[];
  readonly baseline?: string;
  readonly output: string;
}

const help = `
  synglot sweep recipes/hybrid-from-scratch.yaml --over sampling.alpha=0:1:0.1 --seeds 3 --output runs/alpha
  synglot sweep full.yaml lora.yaml --learning-rates 1e-5,3e-5,1e-4 --seeds 3 --output runs/methods

Every combination of the --over values is trained with every seed, one run after another, each in a folder
of its own, and evaluated on the passages that the configuration's hold_out sets aside, or on --task. The
same command again does what is left: a finished run is never redone, one that was begun is resumed. With
--learning-rates every method is compared at its own best rate, chosen by the validation loss.`;

export function sweepCommand(): Command {
  const command = new Command('sweep')
    .description('train and evaluate over settings and seeds: table, intervals, paired tests, curve')
    .argument('<configs...>', 'YAML files; several are several methods')
    .option('--over <key=values>', 'a key with from:to:step or a,b,c; may be repeated', collect)
    .option('--seeds <n>', 'seeds 0 … n - 1', wholeNumber(1), 3)
    .option('--seeds-list <list>', 'these seeds instead: 3,14,15')
    .option(
      '--learning-rates <list>',
      'train each method with each of these rates and keep its best: 1e-5,3e-5',
    )
    .option('--set <key=value>', 'a setting of every run; may be repeated', collect)
    .option(
      '--task <name>',
      'evaluate on a parallel benchmark (xquad-r, mlqa-r, lareqa), not on held-out data',
    )
    .option('--data <folder>', 'folder of the benchmark')
    .option('--langs <list>', 'languages of the benchmark', languageList)
    .option(
      '--baseline <setting>',
      'the setting that the others are tested against, with --learning-rates also a method; default: the first',
    )
    .requiredOption('--output <folder>', 'folder of the sweep')
    .addHelpText('after', help);
  return withDeviceOptions(command).action(async (configs: string[], options: SweepOptions) => {
    const plan = await planSweep({
      configs,
      axes: (options.over ?? []).map(parseAxis),
      ...(options.learningRates
        ? { learningRates: parseAxis(`${learningRateKey}=${options.learningRates}`).values }
        : {}),
      seeds: options.seedsList
        ? parseSeeds(options.seedsList)
        : Array.from({ length: options.seeds }, (_, seed) => seed),
      ...(options.set ? { set: options.set } : {}),
    });
    const device = deviceOf(plan, options);
    checkBaseline(plan, options.baseline);
    const task = await taskOf(options);
    checkEvaluation(plan, task);
    await makeFolders(options.output);
    await trainAll(plan, task, { ...options, ...(device ? { device } : {}) });
  });
}

async function trainAll(plan: SweepPlan, task: SweepTask, options: SweepOptions): Promise<void> {
  const stop = new AbortController();
  const onSignal = () => {
    stop.abort();
    tell('stopping after this update, or this evaluation; again: at once');
  };
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  const bar = progressBar('sweep', plan.runs.length, 'runs');
  let executor: Executor | undefined;
  let done = 0;
  try {
    // All runs compute alike, also those that are resumed or added when there is another table.
    const kept = join(options.output, runTuningFile);
    const table = await readTuning(kept);
    executor = await openDevice(options, table);
    for (const { config } of plan.runs) checkPrecision(config.training.precision, executor);
    if (!table) {
      const { kernelChoices = {} } = executor.device as DeviceTraits;
      await writeTuning(kept, executor.device, kernelChoices);
    }
    const records = await runSweep({
      executor,
      plan,
      task,
      output: options.output,
      signal: stop.signal,
      onNotice: tell,
      onStep: (run, { step, loss }) =>
        bar.update(done, `· ${run.setting.label}, seed ${run.seed}: step ${step}, loss ${loss.toFixed(3)}`),
      onRun: ({ setting, seed }, { summary, failed }, fresh) => {
        done += 1;
        bar.update(done, '');
        const map = summary?.map;
        const figures = [map?.monolingual, map?.cross_lingual, map?.multilingual].map((value) =>
          decimal(value, 4),
        );
        const outcome = failed
          ? 'diverged'
          : `mAP ${figures.join(' / ')}, rank distance ${decimal(summary?.rank_distance, 1)}`;
        tell(
          `${done}/${plan.runs.length} ${setting.label}, seed ${seed}: ${outcome}${fresh ? '' : ' (was done)'}`,
        );
      },
    });
    bar.stop();
    if (records === undefined) {
      console.log(`stopped after ${done} of ${plan.runs.length} runs; the same command continues`);
      process.exitCode = 130;
      return;
    }
    const perQuery = (run: SweepPlan['runs'][number]) => readPerQuery(options.output, run);
    const summary = await summarise(plan, records, perQuery, options.baseline);
    const taken = plan.settings.find(({ label }) => label === summary.baseline);
    if (options.baseline !== undefined && taken && !isNamed(taken, options.baseline)) {
      console.error(
        `--baseline '${options.baseline}' diverged, or has not the learning rate chosen; '${summary.baseline}' is instead`,
      );
    }
    await report(summary, executor, options);
  } finally {
    bar.stop();
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    executor?.destroy();
  }
}

async function report(summary: SweepSummary, executor: Executor, options: SweepOptions): Promise<void> {
  console.log(sweepTable(summary));
  if (summary.settings.some(({ chosen }) => chosen)) console.log('\n* lowest validation loss of its method');
  const { baseline, other_questions: apart } = summary;
  if (apart.length > 0) {
    console.log(`\nAsked other questions than ${baseline}, so not compared with it: ${apart.join('; ')}`);
    console.log('(their data or hold_out are not the same; with --task all are asked the same)');
  }
  if (summary.comparisons.length > 0) {
    console.log(`\nAgainst ${summary.baseline}: ${summary.test}\n`);
    console.log(sweepComparisonTable(summary));
  }
  const file = join(options.output, 'sweep.json');
  const { device, kind } = executor;
  await writeJson(file, { command: commandOf(options), device: device.name, executor: kind, ...summary });
  const write = (path: string, text: string) => writeFileAtomic(path, (handle) => handle.writeFile(text));
  await write(join(options.output, 'sweep.csv'), `${sweepCsv(summary)}\n`);
  await write(join(options.output, 'sweep.tex'), `${sweepLatex(summary)}\n`);
  console.log(`\n${file}, sweep.csv, sweep.tex written`);
  for (const text of options.over ?? []) {
    const { key } = parseAxis(text);
    for (const [index, { svg }] of curvesOf(summary, key).entries()) {
      const curve = join(options.output, `curve-${key}${index === 0 ? '' : `-${index + 1}`}.svg`);
      await write(curve, svg);
      console.log(`${curve} written`);
    }
  }
}

/** What was asked for, without where results go. */
function commandOf({ over, seeds, seedsList, learningRates, set, task }: SweepOptions): object {
  return { over, seeds: seedsList ?? seeds, learning_rates: learningRates, set, task };
}

async function taskOf({ task, data, langs }: SweepOptions): Promise<SweepTask> {
  if (task === undefined) {
    if (data !== undefined || langs !== undefined)
      throw new TrainError('INPUT_CONFIG', '--data and --langs belong to --task; name one, such as xquad-r');
    return { key: 'held-out' };
  }
  if (data === undefined)
    throw new TrainError('INPUT_CONFIG', `--task ${task} needs --data, the benchmark's folder`);
  const benchmark = await readBenchmark(task, data, langs ? { langs } : {});
  if (benchmark.kind !== 'parallel') {
    throw new TrainError(
      'INPUT_CONFIG',
      `--task ${task}: not a parallel benchmark; a sweep evaluates on xquad-r, lareqa, mlqa-r or mlqa`,
    );
  }
  const { collection } = benchmark;
  return { key: JSON.stringify([task, data, langs ?? null]), collection };
}

/** The device of all runs: the option's, else that of the configurations. */
function deviceOf({ runs }: SweepPlan, { device }: DeviceOptions): string | undefined {
  const named = [...new Set(runs.flatMap(({ config }) => config.device ?? []))];
  if (device || named.length < 2) return device ?? named[0];
  throw new TrainError(
    'INPUT_CONFIG',
    `a sweep computes on one device but its configurations name ${named.map((name) => `'${name}'`).join(', ')}; choose with --device`,
  );
}

function checkBaseline({ settings }: SweepPlan, baseline: string | undefined): void {
  if (baseline === undefined || settings.some((setting) => isNamed(setting, baseline))) return;
  const labels = settings.map(({ label }) => `'${label}'`);
  throw new TrainError(
    'INPUT_CONFIG',
    `--baseline '${baseline}' is none of the settings ${labels.join(', ')}`,
  );
}
