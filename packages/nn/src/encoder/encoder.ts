/** The encoder: embeddings, layers, pooling head. From packed tokens to one vector per sequence. */
import type { Axis } from '../axis.js';
import type { Activation, Differentiable, Graph } from '../graph.js';
import { dropout, tanh } from '../ops/elementwise.js';
import { tokenEmbeddings } from '../ops/embedding.js';
import { residualLayerNorm } from '../ops/layer-norm.js';
import { linear } from '../ops/linear.js';
import { type Perturbation, perturb } from '../ops/perturbation.js';
import { normalize, pool } from '../ops/pooling.js';
import type { EncoderFeeds } from './batch.js';
import type { EncoderConfig, PoolingConfig } from './config.js';
import { encoderLayer } from './layer.js';

/** An emitted encoder. */
export interface Encoder {
  /** Token vectors of the last layer [tokens, hidden]. */
  readonly hidden: Activation;
  /** Returns the gradient of the word embeddings, computed only if they are trained or `attack` is set. */
  backward(dHidden: Activation): Activation;
}

/** How the word embeddings are perturbed; `gradient`: not at all, but their gradient is wanted. */
export type EmbeddingAttack = 'gradient' | Perturbation;

/** How an encoder is emitted for training. */
export interface EncoderOptions {
  /**
   * Keeps only each layer's input from forward to backward and recomputes the rest: less memory for one
   * more forward pass, and the same bits (Chen et al. 2016, arXiv 1604.06174).
   */
  readonly recompute?: boolean;
  readonly attack?: EmbeddingAttack | undefined;
}

/** Emits embeddings and all layers. */
export function encoder(
  g: Graph,
  config: EncoderConfig,
  feeds: EncoderFeeds,
  { attack, recompute = false }: EncoderOptions = {},
): Encoder {
  const embedded = tokenEmbeddings(g, feeds.embedding, feeds.tokenAxis);
  const words = attack ? attacked(g, embedded.words, feeds, attack) : embedded.words;
  const normed = residualLayerNorm(g, words, embedded.positionsAndTypes, {
    name: 'embeddings.LayerNorm',
    epsilon: config.layerNormEpsilon,
    dropoutRate: 0,
    label: 'embedding norm',
  });
  const dropped = dropout(g, normed.output, config.hiddenDropout, 'embedding dropout');
  let hidden = dropped.output;
  const layers = Array.from({ length: config.layers }, (_, index) => {
    const [input, site] = [hidden, g.nextSite];
    const emit = () => encoderLayer(g, input, feeds.bounds, config, index);
    const layer = emit();
    hidden = layer.output;
    // Backward begins right after the last layer, so there is nothing to gain there; a frozen layer has no backward.
    const again = recompute && index < config.layers - 1 && !hidden.frozen;
    return again ? { backward: (dOutput: Activation) => g.replayFrom(site, emit).backward(dOutput) } : layer;
  });
  return {
    hidden,
    backward(dHidden) {
      let gradient = dHidden;
      for (const layer of layers.toReversed()) gradient = layer.backward(gradient);
      const { dResidual } = normed.backward(dropped.backward(gradient));
      embedded.backward(dResidual);
      return dResidual;
    },
  };
}

/** Word embeddings whose gradient is computed even if their table is frozen. */
function attacked(g: Graph, words: Activation, feeds: EncoderFeeds, attack: EmbeddingAttack): Activation {
  const open = { ...words, frozen: false };
  return attack === 'gradient' ? open : perturb(g, open, feeds.pooling, attack);
}

/** The embeddings of some sequences. */
export interface SentenceEmbeddings {
  /** One vector per sequence [rows, dimension]. */
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
