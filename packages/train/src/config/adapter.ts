/** `adapter`: train an adapter instead of the whole model. What belongs to which kind: run-adapter.ts. */
import { z } from 'zod';
import { count, positive } from './common.js';

const rate = z.number().min(0).lt(1);
const state = z.enum(['frozen', 'trained']);

export const adapterSection = z
  .strictObject({
    kind: z.enum(['lora', 'houlsby', 'pfeiffer']),
    rank: count.optional(),
    alpha: positive.optional(),
    dropout: rate.optional(),
    rank_stabilized: z.boolean().optional(),
    targets: z.union([z.literal('all-linear'), z.array(z.string()).min(1)]).optional(),
    size: count.optional(),
    activation: z.enum(['gelu', 'relu', 'swish']).optional(),
    layers: z.array(z.number().int().min(0)).min(1).optional(),
    embeddings: state.default('frozen'),
    layer_norms: state.default('frozen'),
    /** LoRA: the run's `model` is the merged one; the adapter is beside it in `adapter`. */
    merge: z.boolean().default(false),
  })
  .optional();
