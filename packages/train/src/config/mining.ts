/** `mining`: hard negatives mined with the model that is being trained. See `MiningOptions` of @synglot/data. */
import { z } from 'zod';
import { count, paths } from './common.js';

/** Passages beside those of the training pairs. */
const corpus = z.strictObject({ path: paths, lang: z.string(), dataset: z.string().optional() });
const whole = z.number().int().min(0);

export const miningSection = z
  .strictObject({
    /** Updates between two rounds. */
    every: count.default(500),
    /** Updates before the first round. */
    start: whole.default(0),
    negatives: count.default(4),
    absolute_margin: z.number().optional(),
    relative_margin: z.number().optional(),
    max_score: z.number().optional(),
    min_score: z.number().optional(),
    range_min: whole.default(0),
    range_max: count.default(100),
    sampling: z.enum(['top', 'random']).default('top'),
    languages: z.enum(['within', 'across']).default('within'),
    corpus: z.array(corpus).optional(),
    /** Default: the seed of training. */
    seed: z.number().int().optional(),
  })
  .optional();
