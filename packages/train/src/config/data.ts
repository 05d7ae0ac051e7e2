/** `data`: where training pairs come from; what else a format takes is checked against its reader. */
import { z } from 'zod';
import { count, paths } from './common.js';

/** One source of training pairs; what else a format takes is passed to its reader. */
export const dataSource = z
  .object({
    format: z.string(),
    /** A file or folder; of formats that read rows or lines also files: a list, or a glob with `*` and `?`. */
    path: paths,
    langs: z.array(z.string()).optional(),
    limit: count.optional(),
    dataset: z.string().optional(),
    domain: z.string().optional(),
  })
  .catchall(z.unknown());
