/** `optimizer`: the update. */
import { z } from 'zod';
import { positive } from './common.js';

/** Parameters by patterns of their names, with a learning rate of their own or a factor of the run's. */
const group = z
  .strictObject({
    parameters: z.union([z.string().transform((pattern) => [pattern]), z.array(z.string()).min(1)]),
    learning_rate: z.number().min(0).optional(),
    learning_rate_scale: z.number().min(0).optional(),
    weight_decay: z.number().min(0).optional(),
  })
  .refine((entry) => entry.learning_rate === undefined || entry.learning_rate_scale === undefined, {
    message: 'give learning_rate or learning_rate_scale, not both',
  });

/** A share below 1: with 1, no new gradient would ever count. */
const share = z.number().min(0).lt(1);

export const optimizerSection = z
  .strictObject({
    name: z.enum(['adamw', 'sgd']).default('adamw'),
    learning_rate: positive.default(3e-5),
    weight_decay: z.number().min(0).default(0.01),
    betas: z.tuple([share, share]).default([0.9, 0.999]),
    /** f32 holds it: at 0 what has no gradient, such as words that a batch lacks, would become 0 / 0. */
    epsilon: z.number().min(1e-30).default(1e-8),
    decay: z.enum(['all', 'matrices']).default('matrices'),
    max_gradient_norm: z.number().min(0).default(1),
    layer_decay: positive.max(1).optional(),
    groups: z.array(group).optional(),
  })
  .prefault({});
