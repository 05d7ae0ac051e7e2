/** The encoder: embeddings, layers, pooling head. From packed tokens to one vector a sequence. */
import type { Axis } from '../axis.js';
import type { Activation, Differentiable, Graph } from '../graph.js';
import { dropout, tanh } from '../ops/elementwise.js';
import { tokenEmbeddings } from '../ops/embedding.js';
import { residualLayerNorm } from '../ops/layer-norm.js';
import { linear } from '../ops/linear.js';
import { normalize, pool } from '../ops/pooling.js';
import type { EncoderFeeds } from './batch.js';
import type { EncoderConfig, PoolingConfig } from './config.js';
import { encoderLayer } from './layer.js';

export interface Encoder {
  /** Token vectors of the last layer [tokens, hidden]. */
  readonly hidden: Activation;
  backward(dHidden: Activation): void;
}

/** Emits embeddings and all layers. */
export function encoder(g: Graph, config: EncoderConfig, feeds: EncoderFeeds): Encoder {
  const embedded = tokenEmbeddings(g, feeds.embedding, feeds.tokenAxis);
  const normed = residualLayerNorm(g, embedded.words, embedded.positionsAndTypes, {
    name: 'embeddings.LayerNorm',
    epsilon: config.layerNormEpsilon,
    dropoutRate: 0,
    label: 'embedding norm',
  });
  const dropped = dropout(g, normed.output, config.hiddenDropout, 'embedding dropout');
  let hidden = dropped.output;
  const layers = Array.from({ length: config.layers }, (_, index) => {
    const layer = encoderLayer(g, hidden, feeds.bounds, config, index);
    hidden = layer.output;
    return layer;
  });
  return {
    hidden,
    backward(dHidden) {
      let gradient = dHidden;
      for (const layer of layers.toReversed()) gradient = layer.backward(gradient);
      embedded.backward(normed.backward(dropped.backward(gradient)).dResidual);
    },
  };
}

export interface SentenceEmbeddings {
  /** One vector a sequence [rows, dimension]. */
  readonly output: Activation;
  /** Writes into `dHidden` the gradients of the tokens of these sequences. */
  backward(dOutput: Activation, dHidden: Activation): void;
}

/** Emits the pooling head for the sequences in slots from `slotBegin` on. */
export function sentenceEmbeddings(
  g: Graph,
  hidden: Activation,
  pooling: PoolingConfig,
  feeds: EncoderFeeds,
  options: { readonly rows: Axis; readonly slotBegin: number; readonly label: string },
): SentenceEmbeddings {
  const { label } = options;
  const pooled = pool(g, hidden, feeds.pooling, {
    ...options,
    mode: pooling.mode,
    label: `${label} pooling`,
  });
  const head: Differentiable[] = [];
  let output = pooled.output;
  const then = (op: Differentiable) => {
    head.push(op);
    output = op.output;
  };
  if (pooling.dense) {
    then(linear(g, output, 'dense', `${label} dense`, { bias: pooling.dense.bias }));
    if (pooling.dense.activation === 'tanh') then(tanh(g, output, `${label} tanh`));
  }
  if (pooling.normalize) then(normalize(g, output, `${label} normalize`));
  return {
    output,
    backward(dOutput, dHidden) {
      let gradient = dOutput;
      for (const op of head.toReversed()) gradient = op.backward(gradient);
      pooled.backward(gradient, dHidden);
    },
  };
}
