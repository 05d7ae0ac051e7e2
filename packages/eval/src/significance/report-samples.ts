/** The macro figures of a retrieval report as samples, and their intervals. */
import { areParallel } from '../bias/questions.js';
import { EvaluationError } from '../errors.js';
import type { MacroIntervals, PerQueryValues, RetrievalReport, SettingMeans } from '../report.js';
import { bootstrapInterval, type IntervalOptions } from './bootstrap.js';
import { type MacroSample, type Observation, sampleOf } from './sample.js';

/** The three settings. */
export const settings = ['monolingual', 'cross_lingual', 'multilingual'] as const;

/** The per-query values of a report. @throws EvaluationError `INPUT_SIGNIFICANCE` when it was made without them. */
export function perQueryOf(report: RetrievalReport): PerQueryValues {
  if (report.per_query === undefined) {
    throw new EvaluationError(
      'INPUT_SIGNIFICANCE',
      `The report of ${report.collection} has no per-query values; evaluate again with them.`,
    );
  }
  return report.per_query;
}

/**
 * The sample behind one macro mean, or null where nothing was measured. Translations of one question are one
 * unit; where no question is asked in two languages, queries are drawn within their language.
 */
export function settingSample(
  values: PerQueryValues,
  measure: string,
  setting: keyof SettingMeans,
): MacroSample | null {
  const { langs, pools, multilingual } = values;
  const observations: Observation[] = [];
  const add = observer(values, observations);
  if (setting === 'multilingual') {
    multilingual[measure]?.forEach((value, query) => {
      add(query, langs[query]!, value);
    });
  } else {
    for (const [pool, columns] of Object.entries(pools)) {
      columns[measure]?.forEach((value, query) => {
        if ((langs[query] === pool) === (setting === 'monolingual')) {
          add(query, `${langs[query]} ${pool}`, value);
        }
      });
    }
  }
  return observations.length === 0 ? null : sampleOf(observations);
}

/** The sample behind the mean rank distance, or null. */
export function rankDistanceSample(values: PerQueryValues): MacroSample | null {
  const observations: Observation[] = [];
  const add = observer(values, observations);
  values.rank_distance.forEach((value, query) => {
    add(query, values.langs[query]!, value);
  });
  return observations.length === 0 ? null : sampleOf(observations);
}

function observer({ questions, langs }: PerQueryValues, observations: Observation[]) {
  const parallel = areParallel(questions, langs);
  return (query: number, cell: string, value: number | null): void => {
    if (value === null) return;
    const unit = questions[query]!;
    observations.push(parallel ? { value, cell, unit } : { value, cell, unit, stratum: langs[query]! });
  };
}

/** Bootstrap intervals of every macro figure. */
export function macroIntervals(
  values: PerQueryValues,
  measures: readonly string[],
  options: IntervalOptions = {},
): MacroIntervals {
  const { confidence = 0.95, resamples = 1000, seed = 0 } = options;
  const interval = (sample: MacroSample | null): [number, number] | null => {
    if (sample === null) return null;
    const { low, high } = bootstrapInterval(sample, { confidence, resamples, seed });
    return [low, high];
  };
  return {
    method: 'percentile bootstrap',
    resampled: areParallel(values.questions, values.langs) ? 'questions' : 'queries within a language',
    confidence,
    resamples,
    seed,
    measures: Object.fromEntries(
      measures.map((measure) => [
        measure,
        {
          monolingual: interval(settingSample(values, measure, 'monolingual')),
          cross_lingual: interval(settingSample(values, measure, 'cross_lingual')),
          multilingual: interval(settingSample(values, measure, 'multilingual')),
        },
      ]),
    ),
    rank_distance: interval(rankDistanceSample(values)),
  };
}

/**
 * Bootstrap intervals of means over queries, macro-averaged over the queries' languages where they have
 * several: [low, high] by measure.
 *
 * @param perQuery - by query id, then measure, as `AdHocReport.per_query`
 * @param langOf - language of a query; by default all are in one
 */
export function meanIntervals(
  perQuery: Readonly<Record<string, Readonly<Record<string, number>>>>,
  options: IntervalOptions = {},
  langOf: (query: string) => string = () => 'all',
): Record<string, [number, number]> {
  const queries = Object.entries(perQuery);
  const measures = Object.keys(queries[0]?.[1] ?? {});
  return Object.fromEntries(
    measures.map((measure) => {
      const sample = sampleOf(
        queries.map(([unit, values]) => {
          const lang = langOf(unit);
          return { value: values[measure]!, cell: lang, unit, stratum: lang };
        }),
      );
      const { low, high } = bootstrapInterval(sample, options);
      return [measure, [low, high]] as const;
    }),
  );
}
