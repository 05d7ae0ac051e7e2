/** `data`: where training pairs come from. A format's own options are checked against its reader, in `problems.ts`. */
import { z } from 'zod';
import { count, paths } from './common.js';

/** One source of training pairs; a format's own options are passed to its reader. */
export const dataSource = z
  .object({
    format: z.string(),
    /** A file or folder; for formats that read rows or lines also several files: a list, or a glob with `*` and `?`. */
    path: paths,
    langs: z.array(z.string()).optional(),
    limit: count.optional(),
    dataset: z.string().optional(),
    domain: z.string().optional(),
  })
  .catchall(z.unknown());
