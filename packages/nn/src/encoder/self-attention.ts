/**
 * Queries, keys and values of a layer and the attention over them. One product makes all three if their
 * weights lie side by side and none has a low-rank update; otherwise each has a product of its own.
 */
import type { Tensor } from '@synglot/gpu';
import { hasLora } from '../adapters/config.js';
import { adaptedLinear } from '../adapters/lora.js';
import type { Activation, Graph } from '../graph.js';
import { attention, jointAttention } from '../ops/attention.js';
import { stackable, stackedLinear } from '../ops/linear.js';
import type { EncoderConfig } from './config.js';

export interface SelfAttention {
  /** [tokens, hidden], before the output projection. */
  readonly output: Activation;
  /** Adds the input's gradient to `into` and returns it. */
  backward(dOutput: Activation, into: Activation): Activation;
}

/** Emits the attention of layer `index`; `bounds` keeps it within sequences. */
export function selfAttention(
  g: Graph,
  x: Activation,
  bounds: Tensor,
  config: EncoderConfig,
  index: number,
): SelfAttention {
  const { adapter } = config;
  const prefix = `encoder.layer.${index}.attention.self`;
  const modules = ['query', 'key', 'value'].map((what) => `${prefix}.${what}`);
  const label = `layer ${index}`;
  const options = {
    heads: config.heads,
    dropoutRate: config.attentionDropout,
    label: `${label} attention`,
  };
  if (!modules.some((module) => hasLora(adapter, module)) && stackable(g, modules)) {
    const projected = stackedLinear(g, x, modules, `${label} query, key, value`);
    const mixed = jointAttention(g, projected.output, bounds, options);
    return {
      output: mixed.output,
      backward: (dOutput, into) => projected.backward(mixed.backward(dOutput), into),
    };
  }
  const project = (what: string) => adaptedLinear(g, x, `${prefix}.${what}`, `${label} ${what}`, adapter);
  const query = project('query');
  const key = project('key');
  const value = project('value');
  const mixed = attention(g, { q: query.output, k: key.output, v: value.output }, bounds, options);
  return {
    output: mixed.output,
    backward(dOutput, into) {
      const { dQ, dK, dV } = mixed.backward(dOutput);
      query.backward(dQ, into);
      key.backward(dK, into);
      return value.backward(dV, into);
    },
  };
}
