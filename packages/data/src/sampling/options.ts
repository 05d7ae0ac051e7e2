/**
 * The options of a batch sampler and their checks. Not the sampler itself.
 */
import { DataError } from '../errors.js';
import { expectOption } from '../expect-option.js';
import { normaliseLanguage } from '../languages.js';
import { didYouMean } from '../nearest.js';

/**
 * How the languages of a batch relate.
 *
 * - `monolingual`: all questions and passages in one language (X-X-mono).
 * - `cross-lingual`: question and passage of each pair in different languages (X-Y).
 * - `multilingual`: each pair in languages of its own, the same or different ones.
 */
export type BatchMode = 'monolingual' | 'cross-lingual' | 'multilingual';

/** All batch modes. */
export const batchModes: readonly BatchMode[] = ['monolingual', 'cross-lingual', 'multilingual'];

/** Relative weights of the modes, one at least above 0; a mode not named weighs 0. */
export type ModeWeights = Readonly<Partial<Record<BatchMode, number>>>;

/**
 * One value, or values at steps (batch indices): `[[0, 1], [1000, 0.5]]` goes linearly from 1 at
 * step 0 to 0.5 at step 1000, with the first value before and the last one after.
 */
export type Scheduled<T> = T | readonly (readonly [step: number, value: T])[];

/**
 * Chances of languages (or language pairs) with `n` items: all equal, p ∝ n, or p ∝ n^tau, as in
 * multilingual BERT (tau 0.7) and XLM-R (tau 0.3).
 */
export type LanguageWeighting = 'uniform' | 'proportional' | { readonly smoothed: number };

/** Relative weights of data sets or domains by name. */
export type NamedWeights = Readonly<Record<string, number>>;

/**
 * Chances of data sets or domains with `n` items: p ∝ n, p ∝ n^tau, or given for each by name; the weights may
 * change over the steps, as in training on one domain first and then on another with some replay of the first.
 */
export type SourceWeighting =
  | 'proportional'
  | { readonly smoothed: number }
  | { readonly weights: Scheduled<NamedWeights> };

/** Options of a {@link BatchSampler}. */
export interface SamplerOptions {
  /** Pairs in a batch. */
  readonly batchSize: number;
  /** Any safe integer. */
  readonly seed: number;
  /** `hybrid` draws the mode of each batch. */
  readonly mode: BatchMode | 'hybrid';
  /** For `hybrid`: the chance that a batch is monolingual, else it is cross-lingual. Default 0.5. */
  readonly alpha?: Scheduled<number>;
  /** For `hybrid`, instead of `alpha`: weights of all three modes. */
  readonly modeWeights?: Scheduled<ModeWeights>;
  /** Chances of languages in monolingual batches and of language pairs in others. Default `uniform`. */
  readonly languages?: LanguageWeighting;
  /** Default `proportional`. */
  readonly datasets?: SourceWeighting;
  /** Chances of the domains within a data set. Default `proportional`. */
  readonly domains?: SourceWeighting;
  /** Draw all pairs of a batch from one data set. Default false. */
  readonly homogeneousDataset?: boolean;
  /**
   * Draw all pairs of a batch from one domain, and the domain before the languages, so that shares of domains
   * are kept whatever languages each of them has. Default false.
   */
  readonly homogeneousDomain?: boolean;
  /** Whether a cross-lingual batch draws its two languages for each pair or once. Default `per-row`. */
  readonly languagePair?: 'per-row' | 'per-batch';
  /** Restricts cross-lingual and multilingual batches to these [question, passage] languages. */
  readonly onlyPairs?: readonly (readonly [query: string, passage: string])[];
  /** Most negatives for each question, drawn anew each time. Default all there are. */
  readonly negatives?: number;
  /**
   * What to do with a language, pair or data set that has too few items for a whole batch of its own:
   * refuse it (default), or leave it out and list it in {@link BatchSampler.leftOut}.
   */
  readonly onTooFew?: 'error' | 'leave-out';
}

/** {@link SamplerOptions} checked and with every default filled in. */
export interface ResolvedOptions {
  readonly batchSize: number;
  readonly seed: number;
  /** Sorted by step; between two steps the weights are interpolated. Weights in the order of `batchModes`. */
  readonly schedule: readonly { readonly step: number; readonly weights: readonly number[] }[];
  readonly languages: LanguageWeighting;
  readonly datasets: SourceWeighting;
  readonly domains: SourceWeighting;
  readonly homogeneousDataset: boolean;
  /** Absent unless wanted: states of samplers from before there was this option have a fingerprint without it. */
  readonly homogeneousDomain?: true;
  readonly languagePair: 'per-row' | 'per-batch';
  readonly onlyPairs: readonly (readonly [string, string])[] | null;
  /** null: all. */
  readonly negatives: number | null;
  readonly onTooFew: 'error' | 'leave-out';
}

/**
 * Checks options and fills in defaults.
 *
 * @throws DataError `INPUT_OPTION`, naming the option, what was expected and what came
 */
export function resolveSampling(options: SamplerOptions): ResolvedOptions {
  const { batchSize, seed, negatives } = options;
  expectOption(
    Number.isSafeInteger(batchSize) && batchSize >= 1,
    'batchSize',
    'a whole number from 1',
    batchSize,
  );
  expectOption(Number.isSafeInteger(seed), 'seed', 'a whole number', seed);
  expectOption(
    negatives === undefined || (Number.isSafeInteger(negatives) && negatives >= 0),
    'negatives',
    'a whole number from 0',
    negatives,
  );
  oneOf('languagePair', options.languagePair, ['per-row', 'per-batch']);
  oneOf('onTooFew', options.onTooFew, ['error', 'leave-out']);
  checkWeighting('languages', options.languages, ['uniform', 'proportional']);
  checkWeighting('datasets', options.datasets, ['proportional']);
  checkWeighting('domains', options.domains, ['proportional']);
  return {
    batchSize,
    seed,
    schedule: resolveSchedule(options),
    languages: options.languages ?? 'uniform',
    datasets: options.datasets ?? 'proportional',
    domains: options.domains ?? 'proportional',
    homogeneousDataset: options.homogeneousDataset ?? false,
    ...(options.homogeneousDomain ? { homogeneousDomain: true } : {}),
    languagePair: options.languagePair ?? 'per-row',
    onlyPairs:
      options.onlyPairs?.map(([x, y]) => [normaliseLanguage(x), normaliseLanguage(y)] as const) ?? null,
    negatives: negatives ?? null,
    onTooFew: options.onTooFew ?? 'error',
  };
}

/** The weights at a step, interpolated linearly between the knots. */
export function interpolated(
  schedule: readonly { readonly step: number; readonly weights: readonly number[] }[],
  step: number,
): readonly number[] {
  const after = schedule.findIndex((knot) => knot.step > step);
  if (after === -1) return schedule.at(-1)!.weights;
  if (after === 0) return schedule[0]!.weights;
  const from = schedule[after - 1]!;
  const to = schedule[after]!;
  const part = (step - from.step) / (to.step - from.step);
  return from.weights.map((weight, i) => weight + (to.weights[i]! - weight) * part);
}

function resolveSchedule(options: SamplerOptions): ResolvedOptions['schedule'] {
  const { mode, alpha, modeWeights } = options;
  // Without types it may be missing.
  oneOf('mode', String(mode), [...batchModes, 'hybrid']);
  if (mode !== 'hybrid') {
    const given = alpha !== undefined ? 'alpha' : modeWeights !== undefined ? 'modeWeights' : undefined;
    if (given !== undefined) {
      throw new DataError(
        'INPUT_OPTION',
        `\`${given}\` is only for mode 'hybrid', but the mode is '${mode}'`,
      );
    }
    return [{ step: 0, weights: batchModes.map((other) => (other === mode ? 1 : 0)) }];
  }
  if (alpha !== undefined && modeWeights !== undefined) {
    throw new DataError('INPUT_OPTION', 'give `alpha` or `modeWeights`, not both');
  }
  if (modeWeights !== undefined) {
    return knots('modeWeights', modeWeights).map(([step, weights]) => ({
      step,
      weights: checkedModes(weights),
    }));
  }
  return knots('alpha', alpha ?? 0.5).map(([step, value]) => {
    expectOption(
      typeof value === 'number' && value >= 0 && value <= 1,
      'alpha',
      'a number from 0 to 1',
      value,
    );
    return { step, weights: [value, 1 - value, 0] };
  });
}

/**
 * A schedule's knots are normalised weights, so that between two of them the share of each mode is linear,
 * too.
 */
function checkedModes(weights: ModeWeights): number[] {
  for (const name of Object.keys(weights)) {
    if (!(batchModes as readonly string[]).includes(name)) {
      const list = batchModes.join(', ');
      throw new DataError(
        'INPUT_OPTION',
        `\`modeWeights\`: unknown mode '${name}'${didYouMean(name, batchModes)}; there are ${list}`,
      );
    }
  }
  const values = batchModes.map((mode) => weights[mode] ?? 0);
  const sum = values.reduce((a, b) => a + b, 0);
  expectOption(
    values.every(isWeight) && sum > 0,
    'modeWeights',
    'weights from 0, one of them above 0',
    weights,
  );
  return values.map((value) => value / sum);
}

/** A schedule as a list of knots. @throws DataError `INPUT_OPTION` */
export function knots<T>(name: string, value: Scheduled<T>): (readonly [number, T])[] {
  if (!Array.isArray(value)) return [[0, value as T]];
  const list = value as readonly (readonly [number, T])[];
  const ascending = list.every(
    (knot, i) =>
      Array.isArray(knot) && knot.length === 2 && knot[0] >= 0 && (i === 0 || knot[0] > list[i - 1]![0]),
  );
  expectOption(list.length > 0 && ascending, name, 'a list of [step, value] with rising steps from 0', value);
  return [...list];
}

function checkWeighting(
  name: string,
  value: LanguageWeighting | SourceWeighting | undefined,
  words: readonly string[],
): void {
  if (value === undefined) return;
  const expected = `${words.map((word) => `'${word}'`).join(', ')} or {smoothed: tau}`;
  if (typeof value === 'string') expectOption(words.includes(value), name, expected, value);
  else if ('smoothed' in value) expectOption(isWeight(value.smoothed), name, 'a tau from 0', value.smoothed);
  else if ('weights' in value && name !== 'languages') {
    for (const [, byName] of knots(`${name}.weights`, value.weights)) {
      const weights = Object.values(byName);
      expectOption(
        weights.every(isWeight) && weights.some((weight) => weight > 0),
        `${name}.weights`,
        'numbers from 0, one of them above 0',
        byName,
      );
    }
  } else expectOption(false, name, expected, value);
}

function isWeight(value: number): boolean {
  return Number.isFinite(value) && value >= 0;
}

function oneOf(name: string, value: string | undefined, allowed: readonly string[]): void {
  if (value === undefined || allowed.includes(value)) return;
  throw new DataError(
    'INPUT_OPTION',
    `\`${name}\`: expected one of ${allowed.join(', ')} but received '${value}'${didYouMean(value, allowed)}`,
  );
}
