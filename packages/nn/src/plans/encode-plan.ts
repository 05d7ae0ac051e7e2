/** The plan that turns packed tokens into embeddings, without gradients. */
import type { Plan } from '@synglot/gpu';
import { type BatchCapacity, declareFeeds } from '../encoder/batch.js';
import type { EncoderConfig, PoolingConfig } from '../encoder/config.js';
import { encoder, sentenceEmbeddings } from '../encoder/encoder.js';
import { type DeviceTraits, Graph } from '../graph.js';
import type { ParameterLayout } from '../parameters.js';

/** Result with the embeddings [queries, dimension]. */
export const embeddingsResult = 'embeddings';

/** Options of {@link buildEncodePlan}; `tokens` and `sequences` are the most that a pass takes. */
export interface EncodePlanOptions {
  readonly config: EncoderConfig;
  readonly pooling: PoolingConfig;
  readonly layout: ParameterLayout;
  /** The device that kernels are chosen for; by default those that run everywhere. */
  readonly device?: DeviceTraits;
  readonly tokens: number;
  readonly sequences: number;
}

/** Length of the vectors that a pooling makes. */
export function embeddingDimension(config: EncoderConfig, pooling: PoolingConfig): number {
  return pooling.dense?.outFeatures ?? config.hiddenSize;
}

/** Every sequence is fed as a query; the returned capacity is what `packBatch` needs. */
export function buildEncodePlan(options: EncodePlanOptions): { plan: Plan; capacity: BatchCapacity } {
  const { config, pooling, layout, tokens, sequences } = options;
  const capacity = { tokens, queries: sequences, candidates: 0 };
  const g = new Graph(`encode ${tokens} tokens`, layout, false, options.device);
  const feeds = declareFeeds(g, config, capacity);
  const { hidden } = encoder(g, config, feeds);
  const head = { rows: feeds.queryAxis, slotBegin: 0, label: 'sentence' };
  const { output } = sentenceEmbeddings(g, hidden, pooling, feeds, head);
  g.plan.copy(output.tensor, g.plan.result(embeddingsResult, [sequences, output.columns]));
  return { plan: g.plan.build(), capacity };
}
