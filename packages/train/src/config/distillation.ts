/** `distillation` and `margin_mse`: what a teacher says, beside the contrastive loss. See docs/methods.md. */
import { z } from 'zod';
import { positive } from './common.js';

export const distillationSection = z
  .strictObject({
    /** Folder that `synglot distill-teacher` wrote. */
    teacher: z.string(),
    measure: z.enum(['mse', 'cosine']).default('mse'),
    weight: positive.default(1),
  })
  .optional();

export const marginMseSection = z
  .strictObject({
    /** Folder that `synglot distill-teacher` wrote: margins are differences of its dot products. */
    teacher: z.string(),
    weight: positive.default(1),
  })
  .optional();
