/** The language discriminator of a run: its parameters, its feeds, the schedule of the gradient reversal. */
import { candidatesOf, type Row } from '@synglot/data';
import {
  freshMatrix,
  languageDiscriminator,
  languageDiscriminatorParameters,
  languagesFeed,
  reversalFeed,
  rowWeightsFeed,
} from '@synglot/nn';
import type { TrainObjective } from './objectives.js';

/** How strong the gradient reversal is, and when. */
export interface ReversalOptions {
  /** The greatest λ. */
  readonly lambda: number;
  readonly schedule: 'ganin' | 'linear' | 'constant';
  readonly gamma: number;
}

/** Options of {@link adversarialObjectives}. */
export interface AdversarialOptions extends ReversalOptions {
  readonly hidden: number;
  readonly learningRateScale: number;
  /** Of the embeddings. */
  readonly dimension: number;
  /** Of the training data. */
  readonly languages: readonly string[];
  /** Of the discriminator's first weights. */
  readonly seed: number;
}

/**
 * Strength of the gradient reversal after a share of the run.
 *
 * Ganin et al. 2016 (arXiv 1505.07818, section 5.2.2): λ(p) = 2 / (1 + exp(-γ p)) - 1, γ = 10.
 *
 * @param progress share of the updates that are done: 0 … 1
 */
export function reversalStrength({ lambda, schedule, gamma }: ReversalOptions, progress: number): number {
  if (schedule === 'constant') return lambda;
  if (schedule === 'linear') return lambda * progress;
  return lambda * (2 / (1 + Math.exp(-gamma * progress)) - 1);
}

/** Two objectives: the discriminator against the encoder, and its accuracy. */
export function adversarialObjectives(options: AdversarialOptions): TrainObjective[] {
  const { languages, dimension, hidden, learningRateScale, seed } = options;
  const shape = { languages: languages.length, dimension, hidden, learningRateScale };
  const [entropy, accuracy] = languageDiscriminator(shape);
  const numbers = new Map(languages.map((lang, index) => [lang, index]));
  const parameters = languageDiscriminatorParameters(shape).map((spec) => ({
    spec,
    initial: freshMatrix(spec, seed),
  }));
  return [
    {
      objective: entropy,
      parameters,
      feeds({ batch: { pairs }, progress }) {
        const sides = { queries: pairs.map(({ query }) => query), candidates: candidatesOf(pairs) };
        const known = (row: Row) => numbers.has(row.lang);
        const count = [...sides.queries, ...sides.candidates].filter(known).length;
        const feeds: Record<string, ArrayBufferView> = {
          [reversalFeed]: Float32Array.of(reversalStrength(options, progress), 0, 0, 0),
        };
        for (const side of ['queries', 'candidates'] as const) {
          const rows = sides[side];
          feeds[languagesFeed(side)] = Uint32Array.from(rows, ({ lang }) => numbers.get(lang) ?? 0);
          feeds[rowWeightsFeed('language_discriminator', side)] = Float32Array.from(rows, (row) =>
            known(row) ? 1 / count : 0,
          );
        }
        return feeds;
      },
    },
    { objective: accuracy },
  ];
}
