/** `text`: prefixes and lengths. */
import { z } from 'zod';
import { count } from './common.js';

export const textSection = z
  .strictObject({
    query_prefix: z.string().optional(),
    passage_prefix: z.string().optional(),
    query_max_length: count.default(64),
    passage_max_length: count.default(256),
  })
  .prefault({});
