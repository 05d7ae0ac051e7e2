/** `data`: where training pairs come from; what else a format takes is checked against its reader. */
import { z } from 'zod';
import { count } from './common.js';

/** One source of training pairs; what else a format takes is passed to its reader. */
export const dataSource = z
  .object({
    format: z.string(),
    /** A file or folder; of formats that read rows or lines also files: a list, or a glob with `*` and `?`. */
    path: z.union(
      [z.string(), z.array(z.string()).min(1)],
      'expected a path, a list of paths, or a glob such as data/train-*.parquet',
    ),
    langs: z.array(z.string()).optional(),
    limit: count.optional(),
    dataset: z.string().optional(),
    domain: z.string().optional(),
  })
  .catchall(z.unknown());
