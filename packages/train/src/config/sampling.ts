/** `sampling`: what a batch is made of. See `SamplerOptions` of @synglot/data. */
import { z } from 'zod';
import { count, fraction, scheduled } from './common.js';

const languageWeighting = z.union([
  z.enum(['uniform', 'proportional']),
  z.strictObject({ smoothed: z.number().min(0) }),
]);
const sourceWeighting = z.union([
  z.literal('proportional'),
  z.strictObject({ smoothed: z.number().min(0) }),
  z.strictObject({ weights: scheduled(z.record(z.string(), z.number().min(0))) }),
]);
const modeWeights = z.strictObject({
  monolingual: z.number().min(0).optional(),
  'cross-lingual': z.number().min(0).optional(),
  multilingual: z.number().min(0).optional(),
});

export const samplingSection = z
  .strictObject({
    mode: z.enum(['monolingual', 'cross-lingual', 'multilingual', 'hybrid']).default('hybrid'),
    alpha: scheduled(fraction).optional(),
    mode_weights: scheduled(modeWeights).optional(),
    batch_size: count.default(32),
    languages: languageWeighting.default('uniform'),
    datasets: sourceWeighting.default('proportional'),
    domains: sourceWeighting.default('proportional'),
    homogeneous_dataset: z.boolean().default(false),
    homogeneous_domain: z.boolean().optional(),
    language_pair: z.enum(['per-row', 'per-batch']).default('per-row'),
    only_pairs: z.array(z.tuple([z.string(), z.string()])).optional(),
    negatives: z.number().int().min(0).optional(),
    on_too_few: z.enum(['error', 'leave-out']).default('error'),
  })
  .prefault({});
