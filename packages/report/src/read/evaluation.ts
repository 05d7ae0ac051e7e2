/** Reads what `synglot eval --json` and `synglot demo` write. Knows no folders: see `find.ts`. */
import { basename } from 'node:path';
import { z } from 'zod';
import type { BiasModel, IntervalsModel, PairMatrixModel, RunModel } from '../model.js';
import { checked } from './text-file.js';

const value = z.number().nullable();
const settings = z.object({ monolingual: value, cross_lingual: value, multilingual: value });
const means = z.record(z.string(), value);
const shares = z.record(z.string(), z.number());

const worstQuery = z.object({
  id: z.coerce.string(),
  lang: z.string(),
  text: z.string().default(''),
  setting: z.string(),
  value,
  ranking: z.array(
    z.object({
      rank: z.number(),
      id: z.coerce.string(),
      lang: z.string(),
      text: z.string().default(''),
      score: value.default(null),
      relevant: z.boolean(),
    }),
  ),
});

const summary = z.object({
  map: settings,
  rank_distance: value.default(null),
  measures: z.record(z.string(), settings).default({}),
});

const firstPassage = z.object({
  relevant_own: z.number(),
  relevant_other: z.number(),
  wrong_own: z.number(),
  wrong_other: z.number(),
});
const languagePreference = z.object({ own_language_first: value, first_passage: firstPassage });

const interval = z.tuple([z.number(), z.number()]).nullable();
const intervals = z.object({
  confidence: z.number(),
  measures: z.record(
    z.string(),
    z.object({ monolingual: interval, cross_lingual: interval, multilingual: interval }),
  ),
  rank_distance: interval,
});

const evaluation = z.object({
  label: z.string().optional(),
  task: z.string().optional(),
  collection: z.string().optional(),
  model: z.string().optional(),
  series: z.string().optional(),
  alpha: value.default(null),
  device: z.string().optional(),
  profile: z.string().optional(),
  context: z.string().optional(),
  map_measure: z.string().optional(),
  langs: z.array(z.string()).default([]),
  counts: z.unknown().optional(),
  content: z.string().optional(),
  summary,
  monolingual: z.record(z.string(), means).default({}),
  cross_lingual: z.record(z.string(), z.record(z.string(), means)).default({}),
  multilingual: z.record(z.string(), means).default({}),
  language_share: z
    .object({ top_1: z.record(z.string(), shares), top_10: z.record(z.string(), shares) })
    .optional(),
  worst_queries: z.array(worstQuery).default([]),
  max_rank: z.record(z.string(), z.number()).optional(),
  language_preference: z.record(z.string(), languagePreference).optional(),
  language_gap: z
    .record(z.string(), z.object({ multilingual: z.object({ gap: z.number() }).nullable() }))
    .optional(),
  equal_expected_rank: z
    .record(z.string(), z.object({ relevant: z.number().nullable(), other: z.number() }))
    .optional(),
  rank_correlation: z.object({ mean: z.number() }).nullable().optional(),
  intervals: intervals.optional(),
});
type Evaluation = z.output<typeof evaluation>;

const demo = z.object({
  device: z.string().optional(),
  steps: z.number().optional(),
  chance: z.object({ map: settings, rank_distance: value }).optional(),
  runs: z.array(
    summary.extend({
      mode: z.string(),
      seed: z.number(),
      alpha: value.optional(),
      last_loss: value.optional(),
      training_seconds: value.optional(),
    }),
  ),
});

/** What a run's folder knows that its evaluation does not. */
export interface TrainedWith {
  readonly alpha: number | null;
  readonly series: string;
  readonly label: string;
}

/** Whether the JSON is an evaluation, by its keys; the rest is checked when it is read. */
export function isEvaluation(json: unknown): boolean {
  return isObject(json) && isObject(json.summary) && 'map' in json.summary;
}

/** Whether the JSON holds the evaluations of a suite. */
export function isSuite(json: unknown): boolean {
  return (
    isObject(json) &&
    Array.isArray(json.reports) &&
    json.reports.length > 0 &&
    json.reports.every(isEvaluation)
  );
}

/** Every run of a suite: one model, each benchmark. What the file says once for all of them goes to each. */
export function readSuite(json: unknown, file: string, training?: TrainedWith): RunModel[] {
  const { reports, suite: _, ...common } = json as { reports: object[]; suite?: unknown };
  return reports.map((report) => readEvaluation({ ...common, ...report }, file, training));
}

/** Whether the JSON is the report of a demo. */
export function isDemo(json: unknown): boolean {
  return isObject(json) && Array.isArray(json.runs) && ('chance' in json || isObject(json.encoder));
}

export function isObject(json: unknown): json is Record<string, unknown> {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

/**
 * A run of an evaluation.
 *
 * @throws ReportError `INPUT_RUN` that names the key which is missing or wrong
 */
export function readEvaluation(json: unknown, file: string, training?: TrainedWith): RunModel {
  const report = checked(evaluation, json, file);
  const name = basename(file).replace(/\.json$/i, '');
  const facts: [string, string][] = [];
  for (const key of ['model', 'profile', 'context', 'device'] as const) {
    if (report[key]) facts.push([key, report[key]]);
  }
  const inFolder = training && (/^(eval(uation)?|report|results?)$/i.test(name) ? '' : `: ${name}`);
  const matrices = pairMatrices(report);
  const bias = toBias(report);
  return {
    label: report.label ?? (training ? `${training.label}${inFolder}` : name),
    file,
    task: report.collection ?? report.task ?? 'unnamed',
    asked: { langs: report.langs, counts: report.counts, content: report.content },
    series: report.series ?? training?.series ?? '',
    alpha: report.alpha ?? training?.alpha ?? null,
    mapMeasure: report.map_measure ?? null,
    measures: measuresOf(report.summary),
    rankDistance: report.summary.rank_distance,
    ...(report.intervals ? { intervals: toIntervals(report) } : {}),
    ...(matrices.length > 0 ? { pairs: { langs: report.langs, matrices } } : {}),
    ...(bias ? { bias } : {}),
    worstQueries: report.worst_queries,
    facts,
  };
}

/** Every run of a demo, and chance beside them. */
export function readDemo(json: unknown, file: string): RunModel[] {
  const report = checked(demo, json, file);
  const many = new Set(report.runs.map(({ seed }) => seed)).size > 1;
  const facts: [string, string][] = [];
  if (report.device) facts.push(['device', report.device]);
  if (report.steps !== undefined) facts.push(['updates', String(report.steps)]);
  // The demo's hybrid draws both modes alike: its α is the sampler's default.
  const alphas = new Map<string, number>([
    ['monolingual', 1],
    ['cross-lingual', 0],
    ['hybrid', 0.5],
  ]);
  const common = { file, task: 'demo symbols', mapMeasure: null, worstQueries: [] };
  const runs = report.runs.map((run): RunModel => {
    return {
      ...common,
      label: many ? `${run.mode}, seed ${run.seed}` : run.mode,
      series: file,
      alpha: run.alpha ?? alphas.get(run.mode) ?? null,
      measures: measuresOf(run),
      rankDistance: run.rank_distance,
      facts: run.last_loss == null ? facts : [...facts, ['last loss', run.last_loss.toFixed(4)]],
    };
  });
  if (report.chance) {
    const { map, rank_distance } = report.chance;
    runs.push({
      ...common,
      label: 'chance',
      series: '',
      alpha: null,
      measures: { mAP: map },
      rankDistance: rank_distance,
      facts: [],
    });
  }
  return runs;
}

/** Undefined if the evaluation has none of these figures. */
function toBias(report: Evaluation): BiasModel | undefined {
  const { max_rank, language_preference, language_gap, rank_correlation, map_measure } = report;
  if (!max_rank && !language_preference && !language_gap && !rank_correlation) return undefined;
  const preferences = Object.values(language_preference ?? {});
  const equalRanks = Object.values(report.equal_expected_rank ?? {});
  const share = (name: keyof z.output<typeof firstPassage>) =>
    mean(preferences.map(({ first_passage }) => first_passage[name])) ?? 0;
  const gaps = Object.entries(language_gap ?? {}).flatMap(([name, { multilingual }]) =>
    multilingual ? [[name, multilingual.gap] as const] : [],
  );
  const mapGap = gaps.find(([name]) => name === map_measure);
  return {
    maxRank: mean(Object.values(max_rank ?? {})),
    ownLanguageFirst: mean(preferences.flatMap(({ own_language_first }) => own_language_first ?? [])),
    first:
      preferences.length === 0
        ? null
        : {
            relevant_own: share('relevant_own'),
            relevant_other: share('relevant_other'),
            wrong_own: share('wrong_own'),
            wrong_other: share('wrong_other'),
          },
    equalRank:
      equalRanks.length === 0
        ? null
        : {
            relevant: mean(equalRanks.flatMap(({ relevant }) => relevant ?? [])),
            other: mean(equalRanks.map(({ other }) => other)),
          },
    rankCorrelation: rank_correlation?.mean ?? null,
    gaps: Object.fromEntries([...(mapGap ? [['mAP', mapGap[1]] as const] : []), ...gaps]),
  };
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, each) => sum + each, 0) / values.length;
}

/** mAP has the interval of the measure that it is. */
function toIntervals({ intervals, map_measure }: Evaluation): IntervalsModel {
  const { confidence, measures, rank_distance } = intervals!;
  const map = map_measure === undefined ? undefined : measures[map_measure];
  return { confidence, measures: { ...measures, ...(map ? { mAP: map } : {}) }, rankDistance: rank_distance };
}

/** As they are: rounded twice, a figure may end in another digit than in the tables of `synglot eval`. */
function measuresOf({
  map,
  measures: { mAP: _, ...others },
}: z.output<typeof summary>): RunModel['measures'] {
  return { mAP: map, ...others };
}

function pairMatrices(report: Evaluation): PairMatrixModel[] {
  const { langs } = report;
  const names = new Set<string>(report.map_measure ? [report.map_measure] : []);
  for (const row of Object.values(report.monolingual)) for (const name of Object.keys(row)) names.add(name);
  const matrices = [...names].map((name): PairMatrixModel => {
    const at = (query: string, pool: string) =>
      (query === pool ? report.monolingual[query] : report.cross_lingual[query]?.[pool])?.[name];
    return {
      name,
      values: langs.map((query) => langs.map((pool) => at(query, pool) ?? null)),
      mixed: langs.map((query) => report.multilingual[query]?.[name] ?? null),
    };
  });
  for (const [key, name] of [
    ['top_1', 'language of the first passage'],
    ['top_10', 'language of the first 10 passages'],
  ] as const) {
    const rows = report.language_share?.[key];
    if (!rows || Object.keys(rows).length === 0) continue;
    const values = langs.map((query) => langs.map((pool) => rows[query]?.[pool] ?? 0));
    matrices.push({ name, values });
  }
  return langs.length === 0 ? [] : matrices;
}
