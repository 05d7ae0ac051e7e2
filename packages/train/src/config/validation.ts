/** `validation` and `checkpoint`: what is measured and saved during a run. */
import { z } from 'zod';
import { count, fraction } from './common.js';

export const validationSection = z
  .strictObject({
    fraction: fraction.default(0.02),
    every: count.default(100),
    batches: count.default(8),
    /** Only pairs of these languages are used for validation; the paper stops early on an English loss. */
    langs: z.array(z.string()).min(1).optional(),
    /** `loss`, `rank-distance`, `mAP` or a measure of @synglot/eval such as `Recall@10`. */
    measure: z.string().optional(),
    setting: z.enum(['monolingual', 'cross-lingual', 'multilingual', 'mean']).optional(),
    /** Most questions that the measure is computed on. */
    questions: count.optional(),
    patience: count.optional(),
    min_delta: z.number().min(0).optional(),
  })
  .optional();

export const checkpointSection = z
  .strictObject({ every: count.default(100), keep: count.default(2), keep_best: z.boolean().optional() })
  .prefault({});
