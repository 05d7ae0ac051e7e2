/** `hold_out`: passages that are neither trained nor validated on, for an evaluation afterwards. */
import { z } from 'zod';
import { count, fraction } from './common.js';

export const holdOutSection = z
  .strictObject({
    fraction,
    /** Not that of the run: runs with different seeds are compared on the same passages. */
    seed: z.number().int().default(0),
    /** Questions evaluated; default all. */
    questions: count.optional(),
  })
  .optional();
