/** `training`: how long, how fast, with what seed. */
import { z } from 'zod';
import { count } from './common.js';

/** Patterns of names, frozen throughout or while `from` to `until` updates are done. */
const freezeEntry = z.union([
  z.string().transform((pattern) => ({ parameters: [pattern], from: 0, until: undefined })),
  z.strictObject({
    parameters: z.union([z.string().transform((pattern) => [pattern]), z.array(z.string()).min(1)]),
    from: z.number().int().min(0).default(0),
    until: count.optional(),
  }),
]);

export const trainingSection = z.strictObject({
  steps: count,
  warmup: z
    .number()
    .min(0)
    .refine((warmup) => warmup < 1 || Number.isInteger(warmup), {
      message: 'expected a share of the steps below 1, or a whole number of steps',
    })
    .default(0.1),
  schedule: z.enum(['constant', 'linear', 'cosine']).default('linear'),
  accumulation: count.default(1),
  /** Updates whose batches are prepared ahead. */
  prefetch: count.default(2),
  /** Token budget of a chunk; turns gradient caching on. */
  cache_tokens: count.optional(),
  /** Keeps only the inputs of layers for backward and recomputes the rest. */
  recompute: z.boolean().default(false),
  seed: z.number().int().default(0),
  dropout: z.number().min(0).lt(1).optional(),
  freeze: z.array(freezeEntry).optional(),
  /** `mixed` stores matrices over tokens as f16, on devices with shader-f16. */
  precision: z.enum(['f32', 'mixed']).default('f32'),
  /** The first factor that mixed precision multiplies the loss by; it then adapts to overflows. */
  loss_scale: z
    .number()
    .min(2 ** -10)
    .max(2 ** 40)
    .refine((scale) => Number.isInteger(Math.log2(scale)), 'expected a power of two')
    .default(65_536),
});
