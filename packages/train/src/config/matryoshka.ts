/** `matryoshka`: the contrastive loss at several dimensions at once. */
import { z } from 'zod';
import { count, positive } from './common.js';

export const matryoshkaSection = z
  .strictObject({
    dimensions: z.array(count).min(1),
    /** One for each dimension; default 1 each. */
    weights: z.array(positive).optional(),
  })
  .refine(({ dimensions, weights }) => !weights || weights.length === dimensions.length, {
    message: 'give as many weights as dimensions',
    path: ['weights'],
  })
  .refine(({ dimensions }) => new Set(dimensions).size === dimensions.length, {
    message: 'a dimension is named twice',
    path: ['dimensions'],
  })
  .optional();
