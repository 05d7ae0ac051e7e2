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
  return percentiles(resample(sample, options, 1000), options);
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
  const p = (asLarge + 1) / (resampled.length + 1);
  return { difference, p, method: 'bootstrap', ...percentiles(resampled, options) };
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

/** How many resamples are asked for. @throws EvaluationError `INPUT_SIGNIFICANCE` */
export function resampleCount({ resamples }: ResampleOptions, standard: number): number {
  const count = resamples ?? standard;
  if (Number.isSafeInteger(count) && count >= 1) return count;
  throw new EvaluationError('INPUT_SIGNIFICANCE', `resamples is ${count}, expected a whole number from 1.`);
}

function resample(sample: MacroSample, options: ResampleOptions, standard: number): Float64Array {
  const resamples = resampleCount(options, standard);
  const random = seededRandom(options.seed ?? 0);
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

/** Sorts the values. */
function percentiles(values: Float64Array, { confidence = 0.95 }: IntervalOptions): Interval {
  if (!(confidence > 0 && confidence < 1)) {
    throw new EvaluationError('INPUT_SIGNIFICANCE', `confidence is ${confidence}, expected between 0 and 1.`);
  }
  values.sort();
  return { low: quantile(values, (1 - confidence) / 2), high: quantile(values, (1 + confidence) / 2) };
}

/** Quantile of ascending values, linear between neighbours (numpy's default). */
function quantile(sorted: Float64Array, share: number): number {
  const at = (sorted.length - 1) * share;
  const below = Math.floor(at);
  const low = sorted[below]!;
  return low + (at - below) * ((sorted[below + 1] ?? low) - low);
}
