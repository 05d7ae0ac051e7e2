/**
 * `sweep.json`: means and intervals over seeds, the rate chosen for each method, paired tests between
 * settings. Not a table: see `tables.ts`.
 */
import {
  askedTheSame,
  type Comparison,
  compareSystems,
  type PerQueryValues,
  type RetrievalReport,
  type System,
  systemOfReport,
} from '@synglot/eval';
import { type MeanInterval, meanInterval } from './interval.js';
import type { PlannedRun, Setting, SweepPlan } from './plan.js';
import type { RunRecord } from './run-sweep.js';

/** Names of the figures that every setting has, in the order of the table. */
export const figures = ['mAP monolingual', 'mAP cross-lingual', 'mAP multilingual', 'rank distance'] as const;
export type Figure = (typeof figures)[number];

export interface SettingSummary {
  readonly label: string;
  readonly config: string;
  readonly values: readonly string[];
  readonly runs: readonly RunRecord[];
  /** Over seeds; null where a run of the setting diverged or the figure does not exist. */
  readonly figures: Readonly<Record<Figure, MeanInterval | null>>;
  /** Of every other measure: mean over seeds by name and setting. */
  readonly measures: Readonly<Record<string, Readonly<Record<string, MeanInterval | null>>>>;
  readonly validation_loss: MeanInterval | null;
  /** Whether it has the lowest validation loss of its method's learning rates; absent without such a sweep. */
  readonly chosen?: boolean;
}

/** A paired comparison: over questions with the mean of the seeds, and over seeds. */
export interface SweepComparison extends Comparison {
  /** Differences of the figure by seed, their mean and its interval. */
  readonly over_seeds: MeanInterval | null;
}

export interface SweepSummary {
  readonly settings: readonly SettingSummary[];
  readonly seeds: readonly number[];
  readonly collection: string;
  readonly queries: number;
  readonly langs: readonly string[];
  readonly map_measure: string;
  readonly baseline: string;
  /** Labels of settings that were asked other questions than the baseline, and are not compared with it. */
  readonly other_questions: readonly string[];
  readonly test: string;
  readonly comparisons: readonly SweepComparison[];
}

/**
 * Puts finished runs together.
 *
 * @param perQuery of a run that did not fail
 * @param baseline label of the setting that the others are compared with, or the method whose best rate is; default, and
 *   where that takes no part, the first
 */
export async function summarise(
  plan: SweepPlan,
  records: ReadonlyMap<PlannedRun, RunRecord>,
  perQuery: (run: PlannedRun) => Promise<PerQueryValues>,
  baseline?: string,
): Promise<SweepSummary> {
  const chosen = chooseRates(plan, records);
  const settings = plan.settings.map((setting) => {
    const summary = summaryOf(setting, runsOf(plan, setting), records);
    return chosen ? { ...summary, chosen: chosen.has(setting) } : summary;
  });
  const compared = plan.settings.filter(
    (setting) =>
      (chosen?.has(setting) ?? true) && runsOf(plan, setting).every((run) => !records.get(run)!.failed),
  );
  const first = compared.find((setting) => isNamed(setting, baseline)) ?? compared[0];
  const ordered = first ? [first, ...compared.filter((setting) => setting !== first)] : [];
  const asked = await askedAs(plan, ordered, perQuery);
  const some = [...records.values()].find(({ failed }) => !failed);
  return {
    settings,
    seeds: plan.seeds,
    collection: some?.collection ?? '',
    queries: some?.queries ?? 0,
    langs: some?.langs ?? [],
    map_measure: some?.map_measure ?? '',
    baseline: first?.label ?? '',
    other_questions: ordered.filter((setting) => !asked.has(setting)).map(({ label }) => label),
    test: 'paired randomisation over questions, per-question values averaged over seeds; Holm over all comparisons',
    comparisons: first && asked.has(first) ? compareSettings(plan, asked, records) : [],
  };
}

/** Whether a setting is meant: by its label, or as one of a method's learning rates. */
export function isNamed({ label, method }: Setting, name: string | undefined): boolean {
  return name === label || name === method;
}

function runsOf({ runs }: SweepPlan, setting: Setting): PlannedRun[] {
  return runs.filter((run) => run.setting === setting);
}

function summaryOf(
  { label, config, values }: Setting,
  runs: readonly PlannedRun[],
  all: ReadonlyMap<PlannedRun, RunRecord>,
): SettingSummary {
  const records = runs.map((run) => all.get(run)!);
  const over = (value: (record: RunRecord) => number | null | undefined) => {
    const found = records.map(value);
    return found.every((each) => typeof each === 'number') ? meanInterval(found as number[]) : null;
  };
  const names = Object.keys(records[0]?.summary?.measures ?? {});
  const three = ['monolingual', 'cross_lingual', 'multilingual'] as const;
  return {
    label,
    config,
    values,
    runs: records,
    figures: Object.fromEntries(
      figures.map((figure) => [figure, over((record) => figureOf(record, figure))]),
    ) as Record<Figure, MeanInterval | null>,
    measures: Object.fromEntries(
      names.map((name) => [
        name,
        Object.fromEntries(
          three.map((setting) => [setting, over(({ summary }) => summary?.measures[name]?.[setting])]),
        ),
      ]),
    ),
    validation_loss: over((record) => record.validation_loss),
  };
}

function figureOf({ summary }: RunRecord, figure: Figure): number | null | undefined {
  switch (figure) {
    case 'mAP monolingual':
      return summary?.map.monolingual;
    case 'mAP cross-lingual':
      return summary?.map.cross_lingual;
    case 'mAP multilingual':
      return summary?.map.multilingual;
    case 'rank distance':
      return summary?.rank_distance;
  }
}

/** For each method, the setting with the lowest mean validation loss; undefined where no rate was swept. */
function chooseRates(
  plan: SweepPlan,
  records: ReadonlyMap<PlannedRun, RunRecord>,
): ReadonlySet<Setting> | undefined {
  if (plan.settings.every(({ label, method }) => label === method)) return undefined;
  const best = new Map<string, { readonly setting: Setting; readonly loss: number }>();
  for (const setting of plan.settings) {
    const own = runsOf(plan, setting).map((run) => records.get(run)!);
    if (own.some(({ failed }) => failed)) continue;
    const loss = meanInterval(own.map((record) => record.validation_loss ?? Number.POSITIVE_INFINITY))!.mean;
    if (loss < (best.get(setting.method)?.loss ?? Number.POSITIVE_INFINITY)) {
      best.set(setting.method, { setting, loss });
    }
  }
  return new Set([...best.values()].map(({ setting }) => setting));
}

/** Means over seeds of the settings all of whose runs were asked what the first one's first run was. */
async function askedAs(
  plan: SweepPlan,
  settings: readonly Setting[],
  perQuery: (run: PlannedRun) => Promise<PerQueryValues>,
): Promise<ReadonlyMap<Setting, PerQueryValues>> {
  const found = new Map<Setting, PerQueryValues>();
  let first: PerQueryValues | undefined;
  for (const setting of settings) {
    const runs = await Promise.all(runsOf(plan, setting).map(perQuery));
    const expected = first ?? runs[0]!;
    first = expected;
    if (runs.every((run) => askedTheSame(run, expected))) found.set(setting, meanOverSeeds(runs));
  }
  return found;
}

function compareSettings(
  plan: SweepPlan,
  asked: ReadonlyMap<Setting, PerQueryValues>,
  records: ReadonlyMap<PlannedRun, RunRecord>,
): SweepComparison[] {
  const systems: System[] = [];
  for (const [setting, values] of asked) {
    const measure = records.get(runsOf(plan, setting)[0]!)!.map_measure;
    const report = { map_measure: measure, collection: '', per_query: values } as unknown as RetrievalReport;
    const { samples } = systemOfReport(setting.label, report);
    const named = [...samples].map(([name, sample]) => [name.replace(measure, 'mAP'), sample] as const);
    systems.push({ label: setting.label, samples: new Map(named) });
  }
  return compareSystems(systems).map((comparison) => {
    const values = (label: string) => {
      const setting = plan.settings.find((each) => each.label === label)!;
      return runsOf(plan, setting).map((run) => figureOf(records.get(run)!, comparison.figure as Figure));
    };
    const [a, b] = [values(comparison.system), values(comparison.baseline)];
    const differences = a.map((value, index) => (value ?? Number.NaN) - (b[index] ?? Number.NaN));
    return { ...comparison, over_seeds: differences.some(Number.isNaN) ? null : meanInterval(differences) };
  });
}

/** Value by value, of runs that were asked the same. */
function meanOverSeeds(runs: readonly PerQueryValues[]): PerQueryValues {
  const [first] = runs as [PerQueryValues, ...PerQueryValues[]];
  const mean = (column: (run: PerQueryValues) => readonly (number | null)[]) => {
    const columns = runs.map(column);
    return columns[0]!.map((value, query) =>
      value === null ? null : columns.reduce((sum, each) => sum + each[query]!, 0) / runs.length,
    );
  };
  const byName = (columns: (run: PerQueryValues) => Record<string, (number | null)[]>) =>
    Object.fromEntries(Object.keys(columns(first)).map((name) => [name, mean((run) => columns(run)[name]!)]));
  return {
    ...first,
    pools: Object.fromEntries(
      Object.keys(first.pools).map((lang) => [lang, byName((run) => run.pools[lang]!)]),
    ),
    multilingual: byName((run) => run.multilingual),
    rank_distance: mean((run) => run.rank_distance),
  };
}
