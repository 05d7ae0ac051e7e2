/** One Transformer layer, post-norm, as in BERT: attention, then a GELU feed-forward block. */
import type { Tensor } from '@synglot/gpu';
import { adaptedResidualLayerNorm } from '../adapters/bottleneck.js';
import { adaptedLinear } from '../adapters/lora.js';
import type { Activation, Graph } from '../graph.js';
import { gelu } from '../ops/elementwise.js';
import type { EncoderConfig } from './config.js';
import { selfAttention } from './self-attention.js';

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

  const { adapter } = config;
  const linear = (input: Activation, module: string, what: string) =>
    adaptedLinear(g, input, `${name}.${module}`, `${label} ${what}`, adapter);

  const mixed = selfAttention(g, x, bounds, config, index);
  const attended = linear(mixed.output, 'attention.output.dense', 'attention output');
  const end = (input: Activation, residual: Activation, place: string, what: string) =>
    adaptedResidualLayerNorm(
      g,
      input,
      residual,
      { ...norm, name: `${name}.${place}.LayerNorm`, label: `${label} ${what} norm` },
      adapter,
      `${name}.${place}`,
    );
  const middle = end(attended.output, x, 'attention.output', 'attention');

  const expanded = linear(middle.output, 'intermediate.dense', 'intermediate');
  const activated = gelu(g, expanded.output, `${label} gelu`);
  const contracted = linear(activated.output, 'output.dense', 'output');
  const last = end(contracted.output, middle.output, 'output', 'output');

  return {
    output: last.output,
    backward(dOutput) {
      const outer = last.backward(dOutput);
      const dActivated = contracted.backward(outer.dX);
      const dExpanded = activated.backward(dActivated);
      // The residual's gradient and the block's meet in one tensor, here and below.
      const dMiddle = expanded.backward(dExpanded, outer.dResidual);

      const inner = middle.backward(dMiddle);
      const dMixed = attended.backward(inner.dX);
      return mixed.backward(dMixed, inner.dResidual);
    },
  };
}
