/** `text`: prefixes and lengths. */
import { z } from 'zod';
import { count } from './common.js';

export const textSection = z
  .strictObject({
    query_prefix: z.string().default(''),
    passage_prefix: z.string().default(''),
    query_max_length: count.default(64),
    passage_max_length: count.default(256),
  })
  .prefault({});
