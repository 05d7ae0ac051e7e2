/** Compares systems with a baseline, figure by figure, and corrects for the number of comparisons. */
import { EvaluationError } from '../errors.js';
import type { RetrievalReport } from '../report.js';
import type { RunEvaluation } from '../trec/evaluate-run.js';
import { type IntervalOptions, pairedBootstrap } from './bootstrap.js';
import { adjusted, type Correction } from './correction.js';
import { randomisationTest } from './randomisation.js';
import { perQueryOf, rankDistanceSample, settingSample, settings } from './report-samples.js';
import { type MacroSample, macroMean, sampleOf } from './sample.js';

/** A system by its figures. */
export interface System {
  readonly label: string;
  readonly samples: ReadonlyMap<string, MacroSample>;
}

/** Options of {@link compareSystems}. */
export interface CompareOptions extends IntervalOptions {
  /** Default `randomisation`. */
  readonly test?: 'randomisation' | 'bootstrap';
  /** Default `holm`. */
  readonly correction?: Correction;
}

/** One system against the baseline in one figure. */
export interface Comparison {
  readonly system: string;
  readonly baseline: string;
  readonly figure: string;
  readonly value: number;
  readonly baseline_value: number;
  readonly difference: number;
  /** Bootstrap interval of the difference. */
  readonly low: number;
  readonly high: number;
  readonly p: number;
  /** `p` corrected for all comparisons made in this call. */
  readonly p_adjusted: number;
}

/**
 * Compares every system but the first with the first, in every figure that both have.
 *
 * @throws EvaluationError `INPUT_SIGNIFICANCE` when two systems were measured on different queries
 */
export function compareSystems(systems: readonly System[], options: CompareOptions = {}): Comparison[] {
  const [baseline, ...others] = systems;
  if (baseline === undefined) return [];
  const { test = 'randomisation', correction = 'holm' } = options;
  const rows = others.flatMap(({ label, samples }) =>
    [...samples].flatMap(([figure, sample]) => {
      const reference = baseline.samples.get(figure);
      if (reference === undefined) return [];
      const { difference, low, high, p } = pairedBootstrap(sample, reference, options);
      return {
        system: label,
        baseline: baseline.label,
        figure,
        value: macroMean(sample),
        baseline_value: macroMean(reference),
        difference,
        low,
        high,
        p: test === 'bootstrap' ? p : randomisationTest(sample, reference, options).p,
      };
    }),
  );
  const corrected = adjusted(
    rows.map(({ p }) => p),
    correction,
  );
  return rows.map((row, index) => ({ ...row, p_adjusted: corrected[index]! }));
}

/** A retrieval report as a system: each measure in each setting, and rank distance. */
export function systemOfReport(
  label: string,
  report: RetrievalReport,
  measures: readonly string[] = [report.map_measure],
): System {
  const values = perQueryOf(report);
  const samples = new Map<string, MacroSample>();
  for (const measure of measures) {
    for (const setting of settings) {
      const sample = settingSample(values, measure, setting);
      if (sample !== null) samples.set(`${measure} ${setting.replace('_', '-')}`, sample);
    }
  }
  const distance = rankDistanceSample(values);
  if (distance !== null) samples.set('rank distance', distance);
  return { label, samples };
}

/**
 * Evaluated runs as systems: each mean over topics, on the topics that all of them have.
 *
 * @throws EvaluationError `INPUT_SIGNIFICANCE` when they share no topic
 */
export function systemsOfRuns(runs: readonly { label: string; evaluation: RunEvaluation }[]): System[] {
  const sets = runs.map(({ evaluation }) => new Set(evaluation.topics.map(({ topic }) => topic)));
  const shared = (topic: string) => sets.every((set) => set.has(topic));
  return runs.map(({ label, evaluation }) => {
    const topics = evaluation.topics.filter(({ topic }) => shared(topic));
    if (topics.length === 0) {
      throw new EvaluationError('INPUT_SIGNIFICANCE', 'The runs share no topic, so they cannot be compared.');
    }
    const samples = new Map<string, MacroSample>();
    for (const [index, { name, summary }] of evaluation.columns.entries()) {
      if (summary !== 'mean') continue;
      const values = topics.map(({ topic, values: row }) => ({
        value: row[index] as number,
        cell: 'all',
        unit: topic,
      }));
      samples.set(name, sampleOf(values));
    }
    return { label, samples };
  });
}
