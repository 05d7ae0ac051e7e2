/** One Transformer layer, post-norm, as in BERT: attention, then a GELU feed-forward block. */
import type { Tensor } from '@synglot/gpu';
import type { Activation, Graph } from '../graph.js';
import { attention } from '../ops/attention.js';
import { gelu } from '../ops/elementwise.js';
import { residualLayerNorm } from '../ops/layer-norm.js';
import { linear } from '../ops/linear.js';
import type { EncoderConfig } from './config.js';

export interface EncoderLayer {
  readonly output: Activation;
  backward(dOutput: Activation): Activation;
}

/** Emits layer `index`; `bounds` keeps attention within sequences. */
export function encoderLayer(
  g: Graph,
  x: Activation,
  bounds: Tensor,
  config: EncoderConfig,
  index: number,
): EncoderLayer {
  const name = `encoder.layer.${index}`;
  const label = `layer ${index}`;
  const norm = { epsilon: config.layerNormEpsilon, dropoutRate: config.hiddenDropout };

  const query = linear(g, x, `${name}.attention.self.query`, `${label} query`);
  const key = linear(g, x, `${name}.attention.self.key`, `${label} key`);
  const value = linear(g, x, `${name}.attention.self.value`, `${label} value`);
  const mixed = attention(g, { q: query.output, k: key.output, v: value.output }, bounds, {
    heads: config.heads,
    dropoutRate: config.attentionDropout,
    label: `${label} attention`,
  });
  const attended = linear(g, mixed.output, `${name}.attention.output.dense`, `${label} attention output`);
  const middle = residualLayerNorm(g, attended.output, x, {
    ...norm,
    name: `${name}.attention.output.LayerNorm`,
    label: `${label} attention norm`,
  });

  const expanded = linear(g, middle.output, `${name}.intermediate.dense`, `${label} intermediate`);
  const activated = gelu(g, expanded.output, `${label} gelu`);
  const contracted = linear(g, activated.output, `${name}.output.dense`, `${label} output`);
  const end = residualLayerNorm(g, contracted.output, middle.output, {
    ...norm,
    name: `${name}.output.LayerNorm`,
    label: `${label} output norm`,
  });

  return {
    output: end.output,
    backward(dOutput) {
      const outer = end.backward(dOutput);
      const dActivated = contracted.backward(outer.dX);
      const dExpanded = activated.backward(dActivated);
      // The residual's gradient and the block's meet in one tensor, here and below.
      const dMiddle = expanded.backward(dExpanded, outer.dResidual);

      const inner = middle.backward(dMiddle);
      const dMixed = attended.backward(inner.dX);
      const { dQ, dK, dV } = mixed.backward(dMixed);
      query.backward(dQ, inner.dResidual);
      key.backward(dK, inner.dResidual);
      return value.backward(dV, inner.dResidual);
    },
  };
}
