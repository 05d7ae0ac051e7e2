/**
 * The plans that encode one chunk of a batch, and send the gradients of its embeddings backward.
 *
 * A chunk is any run of sequences: whether they are queries or candidates matters only to the loss. Its
 * tokens draw the dropout masks that they would draw in the whole batch (`Step.begins`), so a chunk can be
 * encoded twice, and chunking does not change the results.
 */
import type { Plan } from '@synglot/gpu';
import { type BatchCapacity, declareFeeds } from '../encoder/batch.js';
import type { EncoderConfig, PoolingConfig } from '../encoder/config.js';
import { encoder, sentenceEmbeddings } from '../encoder/encoder.js';
import { type DeviceTraits, Graph, type Precision } from '../graph.js';
import { embeddingGradientsExternal, embeddingsExternal } from '../loss/info-nce-tile.js';
import { readRows, writeRows } from '../ops/copy-rows.js';
import type { ParameterLayout } from '../parameters.js';

/** Options of {@link buildChunkPlan}. */
export interface ChunkPlanOptions {
  readonly config: EncoderConfig;
  readonly pooling: PoolingConfig;
  readonly layout: ParameterLayout;
  /** The device that kernels are chosen for; by default those that run everywhere. */
  readonly device?: DeviceTraits;
  /** `mixed` needs a device with `shader-f16` and the weights' copies (`buildCastPlan`). Default `f32`. */
  readonly precision?: Precision;
  /** Largest chunk. */
  readonly tokens: number;
  readonly sequences: number;
  /** For `backward`: keeps only the inputs of layers. */
  readonly recompute?: boolean;
  /** Capacity of the whole batch, in sequences. */
  readonly rows: number;
  /**
   * - `evaluate`: forward, no dropout; the embeddings are kept
   * - `encode`: the same with dropout
   * - `backward`: forward with dropout, then backward; adds to the parameters' gradients
   */
  readonly mode: 'evaluate' | 'encode' | 'backward';
}

/** Every sequence is fed as a query; the returned capacity is what `packBatch` needs. */
export function buildChunkPlan(options: ChunkPlanOptions): { plan: Plan; capacity: BatchCapacity } {
  const { config, pooling, layout, tokens, sequences, rows, mode } = options;
  const capacity = { tokens, queries: sequences, candidates: 0 };
  const label = `${mode} chunk of ${tokens} tokens`;
  const g = new Graph(label, layout, mode !== 'evaluate', options.device, options.precision);
  const feeds = declareFeeds(g, config, capacity);
  const encoded = encoder(g, config, feeds, { recompute: options.recompute ?? false });
  const { hidden } = encoded;
  const head = { rows: feeds.queryAxis, slotBegin: 0, label: 'sentence' };
  const sentences = sentenceEmbeddings(g, hidden, pooling, feeds, head);
  const { output } = sentences;
  if (mode === 'backward') {
    const whole = g.plan.external(embeddingGradientsExternal, [rows, output.columns]);
    const dOutput = g.activation('d chunk embeddings', output.axis, output.columns);
    readRows(g, whole, 'second', dOutput, 'd chunk embeddings');
    const dHidden = g.activation('d hidden', hidden.axis, hidden.columns);
    sentences.backward(dOutput, dHidden);
    encoded.backward(dHidden);
  } else {
    const whole = g.plan.external(embeddingsExternal, [rows, output.columns]);
    writeRows(g, output, whole, 'second', { accumulate: false, label: 'chunk embeddings' });
  }
  return { plan: g.plan.build(), capacity };
}
