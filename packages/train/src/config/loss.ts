/** `loss`: the contrastive loss. */
import { z } from 'zod';
import { positive } from './common.js';

export const lossSection = z
  .strictObject({
    temperature: positive.default(0.05),
    direction: z.enum(['query-to-passage', 'passage-to-query', 'both']).default('query-to-passage'),
  })
  .prefault({});
