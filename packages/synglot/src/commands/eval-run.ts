/**
 * `synglot eval --qrels Q --run R`: measures rankings that are there already, with trec_eval's flags, and
 * compares several of them. Needs no model, no data folder and no device.
 */
import { basename } from 'node:path';
import {
  type Correction,
  compareSystems,
  comparisonTable,
  type EvaluateRunOptions,
  EvaluationError,
  evaluateRun,
  figuresTable,
  mtebMeasures,
  mtebResult,
  profileNamed,
  type RunEvaluation,
  runTable,
  type System,
  systemsOfRuns,
  topicValues,
  trecLines,
} from '@synglot/eval';
import { readQrels, readRun, writeJson } from '@synglot/eval/files';
import { type Command, Option } from 'commander';
import { wholeNumber } from './options.js';

/** Options of `synglot eval` for files of judgments and rankings. */
export interface RunEvalOptions {
  readonly qrels?: string;
  readonly run?: string[];
  readonly format?: 'table' | 'trec_eval' | 'json' | 'mteb' | 'csv' | 'latex';
  readonly profile?: string;
  /** Of `-m`, each as the user wrote it. */
  readonly measure?: string[];
  /** Of `--measures`, a list. */
  readonly measures?: string[];
  readonly perTopic?: boolean;
  readonly complete?: boolean;
  readonly summary?: boolean;
  readonly relevanceLevel?: number;
  readonly maxRanked?: number;
  readonly judgedOnly?: boolean;
  readonly test?: 'randomisation' | 'bootstrap';
  readonly correction?: Correction;
  readonly seed?: number;
  readonly mtebTask?: string;
  readonly split?: string;
  readonly langs?: string[];
  readonly json?: string;
}

/** Adds the options of {@link runEvalCommand}; short ones are trec_eval's. */
export function withRunOptions(command: Command): Command {
  const collect = (value: string, before: string[] | undefined) => [...(before ?? []), value];
  return command
    .option('--qrels <file>', 'TREC judgments, to measure runs instead of a model')
    .option('--run <file>', 'TREC run; give several to compare them with the first', collect)
    .addOption(
      new Option(
        '--format <name>',
        'of the figures of runs: a table, what another tool prints, or a table for other programs',
      ).choices(['table', 'trec_eval', 'json', 'mteb', 'csv', 'latex']),
    )
    .option(
      '-m, --measure <name>',
      'of runs: map, ndcg_cut.10, official, all_trec, nDCG@10; repeat it',
      collect,
    )
    .option('-q, --per-topic', 'of runs, as trec_eval prints them: figures of every topic too')
    .option('-n, --no-summary', 'of runs, as trec_eval prints them: no figures over all topics')
    .option('-c, --complete', 'of runs: judged topics that the run lacks count as 0')
    .option('-l, --relevance-level <grade>', 'of runs: least grade that is relevant', wholeNumber(0))
    .option('-M, --max-ranked <count>', 'of runs: documents of a topic that are looked at', wholeNumber(1))
    .option('-J, --judged-only', 'of runs: take out documents that were not judged')
    .addOption(
      new Option('--test <name>', 'of several runs: test of significance')
        .choices(['randomisation', 'bootstrap'])
        .default('randomisation'),
    )
    .addOption(
      new Option('--correction <name>', 'of several runs: for many comparisons')
        .choices(['holm', 'benjamini-hochberg', 'none'])
        .default('holm'),
    )
    .option('--seed <number>', 'of intervals and tests', wholeNumber(0), 0)
    .option('--mteb-task <name>', "with --format mteb: MTEB's name of the task");
}

/** Evaluates the runs that the options name and prints their figures; notes go to standard error. */
export async function runEvalCommand(options: RunEvalOptions): Promise<void> {
  const { qrels: qrelsFile, run: runFiles = [], format = 'table' } = options;
  if (qrelsFile === undefined || runFiles.length === 0) {
    throw new EvaluationError(
      'INPUT_TREC',
      'give both --qrels and --run, or neither; see synglot eval --help',
    );
  }
  const single = format === 'trec_eval' || format === 'mteb';
  if (single && runFiles.length > 1) {
    throw new EvaluationError(
      'INPUT_TREC',
      `--format ${format} takes one --run; give --format table for several`,
    );
  }
  const profile = profileNamed(options.profile ?? (format === 'mteb' ? 'beir' : 'trec_eval'));
  if (format === 'trec_eval' && !profile.runs.trecNames) {
    throw new EvaluationError(
      'INPUT_PROFILE',
      `--format trec_eval goes with the profiles trec_eval and beir; give --format table or json for ${profile.name}`,
    );
  }
  const qrels = await readQrels(qrelsFile, { profile: profile.name });
  const settings: EvaluateRunOptions = {
    profile: profile.name,
    ...measuresOf(options, runFiles.length > 1),
    ...(options.complete ? { complete: true } : {}),
    ...(options.relevanceLevel === undefined ? {} : { relevanceLevel: options.relevanceLevel }),
    ...(options.maxRanked === undefined ? {} : { depth: options.maxRanked }),
    ...(options.judgedOnly ? { judgedOnly: true } : {}),
  };
  const evaluated: { label: string; evaluation: RunEvaluation }[] = [];
  for (const file of runFiles) {
    const run = await readRun(file, { profile: profile.name });
    const evaluation = inFile(file, () => evaluateRun(qrels, run, settings));
    for (const note of evaluation.notes) console.error(`${file}: ${note}`);
    evaluated.push({ label: labelOf(file, runFiles), evaluation });
  }
  console.log(printed(evaluated, format, options));
  if (options.json !== undefined) {
    await writeJson(options.json, evaluated.map(plainResult));
    console.error(`${options.json} written`);
  }
}

/** What is wrong with a run, with the file that it is in. */
function inFile<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof EvaluationError) || error.code !== 'INPUT_TREC') throw error;
    throw new EvaluationError(error.code, `${file}: ${error.message}`, { cause: error });
  }
}

type Evaluated = readonly { readonly label: string; readonly evaluation: RunEvaluation }[];

function printed(evaluated: Evaluated, format: string, options: RunEvalOptions): string {
  const { evaluation } = evaluated[0]!;
  switch (format) {
    case 'trec_eval': {
      const { perTopic = false, summary = true } = options;
      return [...trecLines(evaluation, { perTopic, summary })].join('\n');
    }
    case 'json': {
      const values = evaluated.map(({ label, evaluation }) => [label, topicValues(evaluation)] as const);
      return JSON.stringify(values.length === 1 ? values[0]![1] : Object.fromEntries(values), null, 2);
    }
    case 'mteb': {
      const { mtebTask, split, langs, qrels } = options;
      const task = mtebTask ?? basename(qrels!).replace(/\..*$/, '');
      const result = mtebResult(evaluation, {
        task,
        ...(split === undefined ? {} : { split }),
        ...(langs === undefined ? {} : { languages: langs }),
      });
      return JSON.stringify(result, null, 2);
    }
    case 'csv':
    case 'latex': {
      const { test = 'randomisation', correction = 'holm', seed = 0 } = options;
      const systems = systemsOfRuns(evaluated);
      if (systems[0]!.samples.size === 0) {
        throw new EvaluationError(
          'INPUT_MEASURE',
          `--format ${format} has means over topics alone, and no measure given is one; add one such as -m nDCG@10, or give --format table`,
        );
      }
      const note = sharedTopics(evaluated, systems);
      if (note) console.error(`figures are means over ${note}`);
      return figuresTable(systems, format, { test, correction, seed });
    }
    default:
      return tables(evaluated, options);
  }
}

function tables(evaluated: Evaluated, options: RunEvalOptions): string {
  const { test = 'randomisation', correction = 'holm', seed = 0 } = options;
  const table = runTable(evaluated, { seed });
  if (evaluated.length === 1) return table;
  const systems = systemsOfRuns(evaluated);
  const comparisons = compareSystems(systems, { test, correction, seed });
  if (comparisons.length === 0) return table;
  const note = sharedTopics(evaluated, systems);
  return `${table}\n\n${note ? `compared on ${note}\n` : ''}${comparisonTable(comparisons, correction)}`;
}

/** What is compared, where a run has topics that another lacks. */
function sharedTopics(evaluated: Evaluated, systems: readonly System[]): string | undefined {
  const shared = [...systems[0]!.samples.values()][0]?.units ?? 0;
  const all = Math.max(...evaluated.map(({ evaluation }) => evaluation.topics.length));
  return shared < all ? `the ${shared} topics that all runs have` : undefined;
}

/** The measures asked for; by default the tool's own set, or the main figures when runs are compared. */
function measuresOf(options: RunEvalOptions, comparing: boolean): { measures?: readonly string[] } {
  if (options.format === 'mteb') return { measures: mtebMeasures };
  const asked = [...(options.measure ?? []), ...(options.measures ?? [])];
  if (asked.length > 0) return { measures: asked };
  return comparing ? { measures: ['AP', 'nDCG@10', 'RR@10', 'Recall@100'] } : {};
}

/** The file's name, or its path where two files have the same name. */
function labelOf(file: string, all: readonly string[]): string {
  const name = basename(file);
  return all.filter((other) => basename(other) === name).length > 1 ? file : name;
}

function plainResult({ label, evaluation }: Evaluated[number]) {
  const { profile, tag, columns, summary, notes } = evaluation;
  return {
    run: label,
    profile,
    tag,
    summary: Object.fromEntries(columns.map(({ name }, index) => [name, summary[index] ?? null])),
    per_topic: topicValues(evaluation),
    notes,
  };
}
