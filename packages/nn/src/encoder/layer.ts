/** One Transformer layer, post-norm, as in BERT: attention, then a GELU feed-forward block. */
import type { Tensor } from '@synglot/gpu';
import { adaptedResidualLayerNorm } from '../adapters/bottleneck.js';
import { hasLora } from '../adapters/config.js';
import { adaptedLinear } from '../adapters/lora.js';
import type { Accumulating, Activation, Graph } from '../graph.js';
import { gelu } from '../ops/elementwise.js';
import { feedForward, fusesGelu } from '../ops/feed-forward.js';
import type { EncoderConfig } from './config.js';
import { selfAttention } from './self-attention.js';

/** An emitted layer; all matrices are [tokens, hidden]. */
export interface EncoderLayer {
  readonly output: Activation;
  /** Emits the gradients of parameters and returns the one of the input. */
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

  const block = feedForwardBlock(g, middle.output, config, index);
  const last = end(block.output, middle.output, 'output', 'output');

  return {
    output: last.output,
    backward(dOutput) {
      const outer = last.backward(dOutput);
      // The block adds its gradient to the residual's, in the same tensor; so does attention below.
      const dMiddle = block.backward(outer.dX, outer.dResidual);

      const inner = middle.backward(dMiddle);
      const dMixed = attended.backward(inner.dX);
      return mixed.backward(dMixed, inner.dResidual);
    },
  };
}

/** Linear, GELU, linear; the GELU is fused into the two products where that pays and LoRA adapts neither. */
function feedForwardBlock(g: Graph, x: Activation, { adapter }: EncoderConfig, index: number): Accumulating {
  const up = `encoder.layer.${index}.intermediate.dense`;
  const down = `encoder.layer.${index}.output.dense`;
  const label = `layer ${index}`;
  if (fusesGelu(g.device) && !hasLora(adapter, up) && !hasLora(adapter, down)) {
    return feedForward(g, x, { up, down }, label);
  }
  const expanded = adaptedLinear(g, x, up, `${label} intermediate`, adapter);
  const activated = gelu(g, expanded.output, `${label} gelu`);
  const contracted = adaptedLinear(g, activated.output, down, `${label} output`, adapter);
  return {
    output: contracted.output,
    backward: (dOutput, into) => expanded.backward(activated.backward(contracted.backward(dOutput)), into),
  };
}
