/** Reads what `synglot eval --json` and `synglot sweep` write as systems to compare. Computes nothing. */
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { EvaluationError } from '../errors.js';
import type { PerQueryValues, RetrievalReport } from '../report.js';
import { type System, systemOfReport } from '../significance/compare.js';
import { sampleOf } from '../significance/sample.js';
import type { AdHocReport } from '../suites/ad-hoc.js';

interface Read {
  readonly system: System;
  /** What was measured: systems of different queries cannot be compared. */
  readonly queries: readonly string[];
  readonly content?: string | undefined;
}

/**
 * Reports as systems, each with the values of its single questions.
 *
 * @param paths - reports of parallel benchmarks written with `--per-query`, reports of judged collections, or folders
 *   of a sweep's runs
 * @throws EvaluationError `INPUT_SIGNIFICANCE` for a file that cannot be read, has no values of single questions, or
 *   others than the first
 */
export async function readSystems(paths: readonly string[]): Promise<System[]> {
  const read: Read[] = [];
  for (const path of paths) {
    const one = await readOne(path);
    const first = read[0]?.queries ?? one.queries;
    const length = Math.max(first.length, one.queries.length);
    const at = Array.from({ length }).findIndex((_, index) => first[index] !== one.queries[index]);
    if (at !== -1) {
      const [theirs = 'nothing more', own = 'nothing more'] = [first[at], one.queries[at]];
      throw mistake(
        path,
        `was measured on other queries than ${paths[0]}, which has ${theirs} where it has ${own}; compare reports of one benchmark in the same languages and profile`,
      );
    }
    const other = read.findIndex(({ content }) => content !== undefined);
    if (other !== -1 && one.content !== undefined && one.content !== read[other]!.content) {
      throw mistake(
        path,
        `was measured on other questions or passages than ${paths[other]}, though under the same ids; compare reports of the same data`,
      );
    }
    read.push(one);
  }
  const labels = read.map(({ system }) => system.label);
  const distinct = new Set(labels).size === labels.length;
  return read.map(({ system }, index) => (distinct ? system : { ...system, label: paths[index]! }));
}

async function readOne(path: string): Promise<Read> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const file = isFolder ? join(path, 'evaluation.json') : path;
  if (isFolder) await checkRun(path, file);
  const json = await readJson(file);
  const name = basename(file, extname(file));
  const label = json.label ?? (name === 'evaluation' ? basename(dirname(resolve(file))) : name);
  if (json.summary && json.profile) {
    const values = json.per_query ?? (await perQueryBeside(file));
    if (!isParallel(values)) {
      throw mistake(file, 'has no values of single questions; evaluate again with --per-query');
    }
    const report = { ...(json as unknown as RetrievalReport), per_query: values };
    const measures = Object.keys(values.multilingual);
    const queries = values.queries.map((id, index) => `query ${id}${measuredIn(values, index)}`);
    return {
      system: systemOfReport(label, report, measures),
      content: values.content,
      queries: [`collection ${report.collection}`, `profile ${report.profile}`, ...queries],
    };
  }
  const reports = Array.isArray(json.reports) ? json.reports.filter(isJudged) : [];
  if (reports.length === 0) {
    throw mistake(
      file,
      "is no report of 'synglot eval --json' on a parallel benchmark or a judged collection",
    );
  }
  return { system: { label, samples: samplesOf(file, reports) }, queries: reports.flatMap(queriesOf) };
}

/** @throws EvaluationError `INPUT_SIGNIFICANCE` for a folder of something else, and for a run without an evaluation */
async function checkRun(folder: string, evaluation: string): Promise<void> {
  if (await stat(evaluation).catch(() => undefined)) return;
  const record = (await readJson(join(folder, 'run.json')).catch(() => undefined)) as Json | undefined;
  if (typeof record?.failed === 'string') {
    throw mistake(folder, 'has no figures, because its training diverged; leave it out');
  }
  throw mistake(
    folder,
    "is not the folder of a finished run of a sweep; name one, or a report of 'synglot eval --per-query --json'",
  );
}

/** The pools in which a query was measured, where these are not all. */
function measuredIn({ pools }: PerQueryValues, query: number): string {
  const names = Object.keys(pools);
  const measured = names.filter((name) =>
    Object.values(pools[name]!).some((column) => column[query] !== null),
  );
  return measured.length === names.length ? '' : ` in ${measured.join(', ') || 'no language'}`;
}

/** A figure for each collection and measure: plain means over queries. */
function samplesOf(file: string, reports: readonly AdHocReport[]): System['samples'] {
  const several = reports.find((report) => Object.keys(report.by_query_lang ?? {}).length > 1);
  if (several) {
    throw mistake(
      file,
      `${several.collection} is a mean over languages, which the report has not by query; compare runs of single languages with synglot eval --run`,
    );
  }
  return new Map(
    reports.flatMap(({ collection, per_query: perQuery }) =>
      Object.keys(Object.values(perQuery)[0] ?? {}).map((measure) => [
        reports.length === 1 ? measure : `${collection} ${measure}`,
        sampleOf(
          Object.entries(perQuery).map(([unit, values]) => ({ value: values[measure]!, cell: 'all', unit })),
        ),
      ]),
    ),
  );
}

function queriesOf({ collection, documents, profile, per_query: perQuery }: AdHocReport): string[] {
  return [
    `collection ${collection}`,
    `${documents} documents`,
    `profile ${profile}`,
    ...Object.keys(perQuery).map((id) => `query ${id}`),
  ];
}

interface Json {
  readonly label?: string;
  readonly summary?: unknown;
  readonly profile?: unknown;
  readonly per_query?: unknown;
  readonly reports?: unknown;
  readonly failed?: unknown;
}

async function readJson(file: string): Promise<Json> {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (typeof value === 'object' && value !== null) return value;
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? `(${String(cause.code)})` : 'as JSON';
    throw new EvaluationError('INPUT_SIGNIFICANCE', `${file}: cannot be read ${code}.`, { cause });
  }
  throw mistake(file, 'is no report');
}

/** As a sweep keeps them. */
async function perQueryBeside(file: string): Promise<unknown> {
  const beside = join(dirname(file), 'per-query.json');
  return basename(file) === 'evaluation.json' ? readJson(beside).catch(() => undefined) : undefined;
}

function isParallel(value: unknown): value is PerQueryValues {
  const found = value as Partial<PerQueryValues> | undefined;
  return [found?.queries, found?.langs, found?.questions, found?.rank_distance].every(Array.isArray);
}

function isJudged(value: unknown): value is AdHocReport {
  const { collection, per_query: perQuery } = (value ?? {}) as Partial<AdHocReport>;
  return typeof collection === 'string' && typeof perQuery === 'object' && perQuery !== null;
}

function mistake(file: string, problem: string): EvaluationError {
  return new EvaluationError('INPUT_SIGNIFICANCE', `${file}: ${problem}.`);
}
