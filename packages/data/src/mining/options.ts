/**
 * Which passages may be hard negatives: the options of mining and their checks. The rules are applied in
 * `select.ts`.
 */
import { expectOption } from '../expect-option.js';
import { didYouMean } from '../nearest.js';

/** Options of mining. */
export interface MiningOptions {
  /** Negatives for each question. Default 4. */
  readonly negatives?: number;
  /**
   * Keep a passage only if its score ≤ the answer's − this (TopK-MarginPos of NV-Retriever, arXiv 2407.15831,
   * and `absolute_margin` of sentence-transformers' `mine_hard_negatives`). Default: no such rule.
   */
  readonly absoluteMargin?: number;
  /**
   * Keep a passage only if its score ≤ the answer's − this · |the answer's|: 0.05 is TopK-PercPos of
   * NV-Retriever at 95%, its best, and `relative_margin` of `mine_hard_negatives`. Default: no such rule.
   */
  readonly relativeMargin?: number;
  /** Keep a passage only if its score ≤ this. Default: no such rule. */
  readonly maxScore?: number;
  /** Keep a passage only if its score ≥ this. Default: no such rule. */
  readonly minScore?: number;
  /** How many of the best-ranked passages that are no answer to skip. Default 0. */
  readonly rangeMin?: number;
  /** Looks no further than this rank, counted without answers. Default 100. */
  readonly rangeMax?: number;
  /** Of those that are left, the best ones or random ones. Default `top`. */
  readonly sampling?: 'top' | 'random';
  /** Passages in the language of the answer, or in all languages. Default `within`. */
  readonly languages?: 'within' | 'across';
  /** For `random`: any safe integer. Default 0. */
  readonly seed?: number;
}

/** {@link MiningOptions} with every default filled in; a rule that is not wanted is infinite. */
export type ResolvedMining = Required<MiningOptions>;

const bounds = ['absoluteMargin', 'relativeMargin', 'maxScore', 'minScore'] as const;

/**
 * Checks options of mining and fills in the defaults.
 *
 * @throws DataError `INPUT_OPTION`, naming the option, what was expected and what came
 */
export function resolveMining(options: MiningOptions): ResolvedMining {
  const { negatives = 4, rangeMin = 0, rangeMax = 100, seed = 0 } = options;
  const { sampling = 'top', languages = 'within' } = options;
  const whole = (value: number, least: number) => Number.isSafeInteger(value) && value >= least;
  expectOption(whole(negatives, 1), 'negatives', 'a whole number from 1', negatives);
  expectOption(whole(rangeMin, 0), 'rangeMin', 'a whole number from 0', rangeMin);
  expectOption(
    whole(rangeMax, rangeMin + negatives),
    'rangeMax',
    `a whole number from ${rangeMin + negatives} (\`rangeMin\` ${rangeMin} + ${negatives} negatives)`,
    rangeMax,
  );
  expectOption(Number.isSafeInteger(seed), 'seed', 'a whole number', seed);
  for (const name of bounds) {
    const value = options[name];
    expectOption(value === undefined || Number.isFinite(value), name, 'a number', value);
  }
  for (const [name, value, allowed] of [
    ['sampling', sampling, ['top', 'random']],
    ['languages', languages, ['within', 'across']],
  ] as const) {
    const hint = didYouMean(String(value), allowed);
    expectOption(
      (allowed as readonly string[]).includes(value),
      name,
      `${allowed.join(' or ')}${hint}`,
      value,
    );
  }
  return {
    negatives,
    rangeMin,
    rangeMax,
    sampling,
    languages,
    seed,
    absoluteMargin: options.absoluteMargin ?? Number.NEGATIVE_INFINITY,
    relativeMargin: options.relativeMargin ?? Number.NEGATIVE_INFINITY,
    maxScore: options.maxScore ?? Number.POSITIVE_INFINITY,
    minScore: options.minScore ?? Number.NEGATIVE_INFINITY,
  };
}
