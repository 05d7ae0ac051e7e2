/** `distillation` and `margin_mse`: learning from a teacher, beside the contrastive loss. See docs/methods.md. */
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
    /** Where margins come from: a teacher's stored embeddings, or scores in the data. */
    margins: z.enum(['teacher', 'scores']).default('teacher'),
    /** Folder that `synglot distill-teacher` wrote: margins are differences of its dot products. */
    teacher: z.string().optional(),
    /** Multiplies the margins: a cross-encoder's are larger than those of cosines. */
    scale: positive.default(1),
    weight: positive.default(1),
  })
  .refine(({ margins, teacher }) => margins !== 'teacher' || teacher !== undefined, {
    message: "name a folder of a teacher's embeddings, or set margins: scores",
    path: ['teacher'],
  })
  .refine(({ margins, teacher }) => margins !== 'scores' || teacher === undefined, {
    message: 'margins: scores takes no teacher; leave it out',
    path: ['teacher'],
  })
  .optional();
