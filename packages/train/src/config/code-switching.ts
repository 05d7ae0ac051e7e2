/** `code_switching`: words replaced from bilingual lexicons. See `codeSwitching` of @synglot/data. */
import { z } from 'zod';
import { fraction, paths } from './common.js';

const lexicon = z.union([
  z.string(),
  z.strictObject({ path: paths, from: z.string().optional(), to: z.string().optional() }),
]);

export const codeSwitchingSection = z
  .strictObject({
    lexicons: z.array(lexicon).min(1),
    rate: fraction.default(0.5),
    side: z.enum(['query', 'passage', 'both']).default('both'),
    languages: z.array(z.string()).optional(),
    language: z.enum(['per-word', 'per-text']).default('per-word'),
    /** Default: the seed of training. */
    seed: z.number().int().optional(),
  })
  .optional();
