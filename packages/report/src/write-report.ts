/** The work of `synglot report`: paths in, one HTML file out. */
import { rename, rm, writeFile } from 'node:fs/promises';
import { publishedRows } from '@synglot/eval';
import { ReportError } from './errors.js';
import { reportHtml } from './html.js';
import type { PublishedModel, ReportModel } from './model.js';
import { benchmarksApart } from './read/benchmarks.js';
import { findRuns, uniqueLabels } from './read/find.js';

/** What goes on the page. */
export interface ReportOptions {
  /** Evaluations, demo reports, training folders, embeddings, or folders of these. */
  readonly paths: readonly string[];
  readonly title?: string;
  readonly onNotice?: (line: string) => void;
}

/**
 * Reads every path into what the page shows.
 *
 * @throws ReportError `INPUT_RUN` or `INPUT_EMBEDDINGS`, one line with file and remedy
 */
export async function readReport(options: ReportOptions): Promise<ReportModel> {
  const found = await findRuns(options.paths, options.onNotice);
  const { trainings, embeddings, collections } = found;
  const runs = benchmarksApart(found.runs);
  // Published figures are of all languages: beside some of them they would mislead.
  const isPublished = ({ task, langs }: (typeof publishedRows)[number]) =>
    runs.some((run) => run.task === task && (run.asked?.langs.length || langs) === langs);
  return {
    title: options.title ?? 'Retrieval in many languages',
    runs: uniqueLabels(runs),
    trainings: uniqueLabels(trainings),
    embeddings: uniqueLabels(embeddings),
    collections: uniqueLabels(collections),
    published: publishedRows.filter(isPublished).map(toPublished),
  };
}

/**
 * Writes the page to `output`, whole or not at all.
 *
 * @throws ReportError `INPUT_OUTPUT` where it cannot be written; else as {@link readReport}
 */
export async function writeReport(output: string, options: ReportOptions): Promise<ReportModel> {
  const model = await readReport(options);
  const html = await reportHtml(model);
  const temporary = `${output}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, html);
    await rename(temporary, output);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new ReportError(
      'INPUT_OUTPUT',
      `${output}: cannot be written (${code}); check that its folder exists, is writable and has space`,
      { cause },
    );
  }
  return model;
}

function toPublished(row: (typeof publishedRows)[number]): PublishedModel {
  const { task, model, training, map, source } = row;
  return { label: `${model} ${training}`, task, map, rankDistance: row.rank_distance, source };
}
