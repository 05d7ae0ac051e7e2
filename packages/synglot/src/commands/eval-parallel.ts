/** `synglot eval` on parallel collections: the three settings and language bias; and the suite of them. */
import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { ParallelCollection } from '@synglot/data';
import { type benchmarks, readBenchmark } from '@synglot/data/files';
import {
  DeviceScorer,
  decimal,
  EvaluationError,
  evaluateRetrieval,
  intervalsTable,
  mmmTable,
  onlyMeasures,
  type PerQueryValues,
  type ProfileName,
  pairMatrix,
  profileNamed,
  publishedRows,
  type RetrievalReport,
  type SettingsRow,
  settingsTable,
  type WorstQuery,
  worstQueries,
} from '@synglot/eval';
import { readMatrix, writeJson } from '@synglot/eval/files';
import type { Executor } from '@synglot/gpu';
import { checkWritable, makeFolders, type TextInput, writeNpy } from '@synglot/models';
import { progressBar } from '../progress.js';
import type { EvalOptions } from './eval.js';
import { openEncoder } from './eval-encoder.js';
import { saveParallelRuns } from './eval-save-runs.js';

/** One benchmark: a table, the matrix of language pairs, and the whole report as JSON. */
export async function evaluateParallel(
  executor: Executor,
  collection: ParallelCollection,
  options: EvalOptions,
): Promise<void> {
  for (const folder of [options.saveRun, options.saveEmbeddings]) if (folder) checkWritable(folder);
  const { report, perQuery, worst, embeddings } = await reportOf(executor, collection, options);
  const counts = collection.langs.map((lang) => `${lang} ${report.counts.candidates[lang]}`);
  console.log(`candidates: ${counts.join(', ')}`);
  const label = options.model ?? options.passageEmbeddings!;
  console.log(
    settingsTable([{ label, summary: report.summary }], options.measures ?? ['Recall@1', 'Recall@10']),
  );
  if (collection.langs.length > 1) console.log(pairMatrix(report));
  if (report.intervals) console.log(intervalsTable(report));
  if (report.rank_correlation) {
    const { mean, questions } = report.rank_correlation;
    console.log(`mean rank correlation of translations: ${decimal(mean, 4)}, ${questions} questions`);
  }
  if (!options.json) return;
  const { task, model, context = 'none', data, maxLength } = options;
  const { device } = executor;
  await writeJson(options.json, {
    task: task ?? collection.name,
    model,
    context,
    data,
    max_length: maxLength,
    device: device.name,
    executor: executor.kind,
    ...report,
    ...(options.perQuery ? { per_query: perQuery } : {}),
    worst_queries: worst,
    ...(options.saveEmbeddings
      ? { embeddings: await saveEmbeddings(options.saveEmbeddings, options.json, collection, embeddings) }
      : {}),
  });
  console.log(`${options.json} written`);
}

/** Writes the candidates' embeddings where the report page finds them: names relative to the JSON file. */
async function saveEmbeddings(
  folder: string,
  json: string,
  { candidates }: ParallelCollection,
  { candidateEmbeddings, dimension }: Embeddings,
) {
  await makeFolders(folder);
  const file = join(folder, 'candidates.npy');
  await writeNpy(file, candidates.length, dimension, [candidateEmbeddings]);
  const from = (path: string) => relative(dirname(json), path);
  return {
    file: from(file),
    langs: candidates.map(({ lang }) => lang),
    texts: candidates.map(({ text }) => text),
  };
}

/** Folders of the parallel benchmarks below `--data`, and what reads them. */
const mmmFolders = [
  { folder: 'xquad-r', task: 'xquad-r' },
  { folder: 'mlqa-r', task: 'mlqa-r' },
  { folder: 'mlqa-dev-r', task: 'mlqa-r' },
  { folder: 'mlqa', task: 'mlqa' },
] as const satisfies readonly { readonly folder: string; readonly task: keyof typeof benchmarks }[];

/** `--suite mmm`: every parallel benchmark that is there, in one table; with all languages, beside the published rows. */
export async function evaluateSuite(executor: Executor, data: string, options: EvalOptions): Promise<void> {
  const present = mmmFolders.filter(({ folder }) => existsSync(join(data, folder)));
  if (present.length === 0) {
    throw new EvaluationError(
      'INPUT_COLLECTION',
      `${data}: no parallel benchmark in it; expected a folder called ${mmmFolders.map(({ folder }) => folder).join(', ')}`,
    );
  }
  const reports: RetrievalReport[] = [];
  for (const { folder, task } of present) {
    const benchmark = await readBenchmark(task, join(data, folder));
    if (benchmark.kind !== 'parallel') continue;
    const { langs } = benchmark.collection;
    const wanted = options.langs?.filter((lang) => langs.includes(lang)) ?? langs;
    if (wanted.length === 0) continue;
    reports.push((await reportOf(executor, benchmark.collection.subset(wanted), options)).report);
  }
  console.log(mmmTable(reports));
  // Published figures are of all languages: beside some of them they would mislead.
  const published: SettingsRow[] = (options.langs === undefined ? publishedRows : [])
    .filter(({ task }) => reports.some(({ collection }) => collection === task))
    .map(({ task, model, training, map, rank_distance }) => ({
      label: `${task} ${model} ${training} (published)`,
      summary: { map, rank_distance },
    }));
  if (published.length > 0) console.log(settingsTable(published));
  if (!options.json) return;
  await writeJson(options.json, {
    suite: 'mmm',
    model: options.model,
    device: executor.device.name,
    executor: executor.kind,
    reports,
  });
  console.log(`${options.json} written`);
}

interface Evaluated {
  readonly report: RetrievalReport;
  /** Of the measures that were asked for, else of the profile's mAP. */
  readonly perQuery: PerQueryValues;
  readonly worst: readonly WorstQuery[];
  readonly embeddings: Embeddings;
}

async function reportOf(
  executor: Executor,
  collection: ParallelCollection,
  options: EvalOptions,
): Promise<Evaluated> {
  const embeddings = await embeddingsOf(executor, collection, options);
  const scorer = new DeviceScorer(executor);
  const profile = (options.profile ?? (collection.name === 'lareqa' ? 'lareqa' : 'trec_eval')) as ProfileName;
  const shared = { collection, ...embeddings, scorer, profile };
  try {
    const bar = progressBar('ranking', collection.queries.length, 'questions');
    const { per_query: perQuery, ...report } = await evaluateRetrieval({
      ...shared,
      perQuery: true,
      onProgress: (done) => bar.update(done),
      ...(options.measures ? { measures: options.measures } : {}),
      ...(options.intervals ? { intervals: { seed: options.seed ?? 0 } } : {}),
      ...(options.rankCorrelation ? { rankCorrelation: true } : {}),
    });
    bar.stop();
    const { saveRun: folder, depth } = options;
    if (folder !== undefined) {
      const { ties } = profileNamed(profile);
      const runs = await saveParallelRuns({ ...shared, folder, ties, ...(depth ? { depth } : {}) });
      console.log(`${folder}: ${runs} runs with their judgments, such as ${collection.langs[0]}-all.run`);
    }
    const worst = perQuery ? await worstQueries({ ...shared, perQuery, measure: report.map_measure }) : [];
    const kept = [report.map_measure, ...(options.measures ?? [])];
    return { report, perQuery: onlyMeasures(perQuery!, kept), worst, embeddings };
  } finally {
    scorer.destroy();
  }
}

interface Embeddings {
  readonly queryEmbeddings: Float32Array;
  readonly candidateEmbeddings: Float32Array;
  readonly dimension: number;
}

async function embeddingsOf(
  executor: Executor,
  collection: ParallelCollection,
  options: EvalOptions,
): Promise<Embeddings> {
  if (options.model === undefined) {
    const candidates = await readMatrix(options.passageEmbeddings!);
    const queries = await readMatrix(options.queryEmbeddings!, candidates.dimension);
    return {
      queryEmbeddings: queries.data,
      candidateEmbeddings: candidates.data,
      dimension: candidates.dimension,
    };
  }
  const encoder = await openEncoder(executor, { ...options, model: options.model });
  const queries = collection.queries.map(({ text }) => text);
  const candidates = collection.candidates.map(
    ({ text, context }): TextInput => (options.context === 'paragraph' && context ? { text, context } : text),
  );
  return {
    queryEmbeddings: await encoder.queries(queries),
    candidateEmbeddings: await encoder.passages(candidates),
    dimension: encoder.dimension,
  };
}
