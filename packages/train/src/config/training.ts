/** `training`: how long, how fast, with what seed. */
import { z } from 'zod';
import { count, fraction } from './common.js';

export const trainingSection = z
  .strictObject({
    steps: count,
    warmup: z.number().min(0).default(0.1),
    schedule: z.enum(['constant', 'linear', 'cosine']).default('linear'),
    accumulation: count.default(1),
    /** Token budget of a chunk; turns gradient caching on. */
    cache_tokens: count.optional(),
    seed: z.number().int().default(0),
    dropout: fraction.optional(),
  })
  .strict();
