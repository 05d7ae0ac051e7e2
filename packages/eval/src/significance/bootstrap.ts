/**
 * The bootstrap (Efron 1979), for an interval of one system's figure and for a paired comparison of two (as
 * Sakai 2006 uses it in retrieval). Units are drawn with replacement, within their stratum.
 */
import { EvaluationError } from '../errors.js';
import { seededRandom } from './random.js';
import { differences, type MacroSample, macroMean } from './sample.js';

/** Options of all resampling. */
export interface ResampleOptions {
  /** Number of resamples. Default 1000 for intervals, 10000 for tests. */
  readonly resamples?: number;
  /** Default 0: the same figures at every run. */
  readonly seed?: number;
}

/** Options of {@link bootstrapInterval}. */
export interface IntervalOptions extends ResampleOptions {
  /** Coverage, between 0 and 1. Default 0.95. */
  readonly confidence?: number;
}

/** An interval: percentiles of the resampled figure. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Result of a paired comparison of a with b. */
export interface PairedResult {
  /** Figure of a minus figure of b. */
  readonly difference: number;
  /** Two-sided. */
  readonly p: number;
  readonly method: 'bootstrap' | 'randomisation' | 'exact randomisation';
}

/** Percentile interval of the sample's figure. */
export function bootstrapInterval(sample: MacroSample, options: IntervalOptions = {}): Interval {
  const { confidence = 0.95 } = options;
  if (!(confidence > 0 && confidence < 1)) {
    throw new EvaluationError('INPUT_SIGNIFICANCE', `confidence is ${confidence}, expected between 0 and 1.`);
  }
  const resampled = resample(sample, options, 1000).sort();
  return { low: quantile(resampled, (1 - confidence) / 2), high: quantile(resampled, (1 + confidence) / 2) };
}

/**
 * Two-sided paired bootstrap test that a and b have the same figure: how often the resampled difference,
 * shifted to a mean of 0, is as large as the one seen. At least 1 / (resamples + 1).
 */
export function pairedBootstrap(
  a: MacroSample,
  b: MacroSample,
  options: IntervalOptions = {},
): PairedResult & Interval {
  const sample = differences(a, b);
  const difference = macroMean(sample);
  const resampled = resample(sample, options, 10_000);
  const seen = asLargeAs(difference, macroMean(magnitudes(sample)));
  let asLarge = 0;
  for (const value of resampled) if (Math.abs(value - difference) >= seen) asLarge++;
  const { confidence = 0.95 } = options;
  resampled.sort();
  return {
    difference,
    p: (asLarge + 1) / (resampled.length + 1),
    method: 'bootstrap',
    low: quantile(resampled, (1 - confidence) / 2),
    high: quantile(resampled, (1 + confidence) / 2),
  };
}

/**
 * The size from which on a figure counts as large as `difference`: sums of the same values in another order differ in
 * their last bits, by no more than a share of the values' `magnitude`, however small the difference itself is.
 */
export function asLargeAs(difference: number, magnitude: number): number {
  return Math.abs(difference) - 1e-12 * magnitude;
}

function magnitudes(sample: MacroSample): MacroSample {
  return { ...sample, cells: sample.cells.map((cell) => ({ ...cell, values: cell.values.map(Math.abs) })) };
}

function resample(sample: MacroSample, options: ResampleOptions, standard: number): Float64Array {
  const { resamples = standard, seed = 0 } = options;
  if (!Number.isSafeInteger(resamples) || resamples < 1) {
    throw new EvaluationError(
      'INPUT_SIGNIFICANCE',
      `resamples is ${resamples}, expected a whole number from 1.`,
    );
  }
  const random = seededRandom(seed);
  const weights = new Float64Array(sample.units);
  const results = new Float64Array(resamples);
  for (let round = 0; round < resamples; round++) {
    weights.fill(0);
    for (const members of sample.strata) {
      for (let i = 0; i < members.length; i++) weights[members[Math.floor(random() * members.length)]!]!++;
    }
    results[round] = macroMean(sample, weights);
  }
  return results;
}

/** Quantile of ascending values, linear between neighbours (numpy's default). */
function quantile(sorted: Float64Array, share: number): number {
  const at = (sorted.length - 1) * share;
  const below = Math.floor(at);
  const low = sorted[below]!;
  return low + (at - below) * ((sorted[below + 1] ?? low) - low);
}
