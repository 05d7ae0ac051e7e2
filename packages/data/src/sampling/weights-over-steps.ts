/**
 * Weights of data sets and domains that change over the steps: what they are at one step, and at which steps
 * they must be looked at to know that every batch can be filled. Not the schedule of modes; see `options.ts`.
 */
import {
  interpolated,
  knots,
  type NamedWeights,
  type ResolvedOptions,
  type SourceWeighting,
} from './options.js';

/** Whether the weights of data sets or domains change over the steps. */
export function changesOverSteps({ datasets, domains }: ResolvedOptions): boolean {
  return isSchedule(datasets) || isSchedule(domains);
}

/** The options with the weights that hold at one step. */
export function optionsAt(options: ResolvedOptions, step: number): ResolvedOptions {
  return {
    ...options,
    datasets: at('datasets', options.datasets, step),
    domains: at('domains', options.domains, step),
  };
}

/** Steps that stand for all: every set of sources with a weight above 0 occurs at one of them. */
export function tellingSteps({ datasets, domains }: ResolvedOptions): number[] {
  const steps = [datasets, domains].flatMap((weighting) =>
    isSchedule(weighting) ? knots('weights', weighting.weights).map(([step]) => step) : [],
  );
  const sorted = [...new Set(steps)].sort((a, b) => a - b);
  const between = sorted.slice(1).map((step, i) => (step + sorted[i]!) / 2);
  return [...sorted, ...between].sort((a, b) => a - b);
}

type Schedule = { readonly weights: readonly (readonly [number, NamedWeights])[] };

function isSchedule(weighting: SourceWeighting): weighting is Schedule {
  return typeof weighting === 'object' && 'weights' in weighting && Array.isArray(weighting.weights);
}

/** Weights are normalised, so that between two knots the share of each name is linear. */
function at(option: string, weighting: SourceWeighting, step: number): SourceWeighting {
  if (!isSchedule(weighting)) return weighting;
  const list = knots(`${option}.weights`, weighting.weights);
  const names = Object.keys(list[0]![1]).sort();
  const schedule = list.map(([knot, weights]) => {
    const sum = names.reduce((total, name) => total + weights[name]!, 0);
    return { step: knot, weights: names.map((name) => weights[name]! / sum) };
  });
  const weights = interpolated(schedule, step);
  return { weights: Object.fromEntries(names.map((name, i) => [name, weights[i]!])) };
}
