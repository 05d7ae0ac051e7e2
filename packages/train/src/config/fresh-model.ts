/** `fresh_model`: the shape of a model with random weights, for `model: fresh`. */
import { z } from 'zod';
import { count, positive } from './common.js';

/** The value of `model:` that starts training from random weights. */
export const freshModel = 'fresh';

/** Without the section, everything has its default. */
export const freshModelSection = z
  .strictObject({
    vocabulary_size: count.default(12_000),
    tokenizer: z.enum(['unigram', 'bpe', 'wordpiece']).default('unigram'),
    lowercase: z.boolean().default(true),
    hidden_size: count.multipleOf(4).default(64),
    layers: count.default(1),
    heads: count.default(4),
    intermediate_size: count.multipleOf(4).default(128),
    max_positions: count.default(256),
    initializer_range: positive.default(0.05),
  })
  .refine(({ hidden_size, heads }) => hidden_size % heads === 0, {
    message: 'hidden_size must be a multiple of heads',
    path: ['heads'],
  })
  .optional();
