/** `optimizer`: the update. */
import { z } from 'zod';
import { fraction, positive } from './common.js';

export const optimizerSection = z
  .strictObject({
    name: z.enum(['adamw', 'sgd']).default('adamw'),
    learning_rate: positive.default(3e-5),
    weight_decay: z.number().min(0).default(0.01),
    betas: z.tuple([fraction, fraction]).default([0.9, 0.999]),
    epsilon: positive.default(1e-8),
    decay: z.enum(['all', 'matrices']).default('matrices'),
    max_gradient_norm: z.number().min(0).default(1),
  })
  .prefault({});
