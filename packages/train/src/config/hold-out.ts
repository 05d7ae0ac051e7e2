/** `hold_out`: passages that are used neither for training nor for validation, for an evaluation afterwards. */
import { z } from 'zod';
import { count, fraction } from './common.js';

export const holdOutSection = z
  .strictObject({
    fraction,
    /** Independent of the run's seed, so that runs with different seeds are compared on the same passages. */
    seed: z.number().int().default(0),
    /** Questions evaluated; default all. */
    questions: count.optional(),
  })
  .optional();
