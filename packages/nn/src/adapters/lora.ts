/** Linear layers with a low-rank update beside them. */
import type { Accumulating, Activation, Graph } from '../graph.js';
import { addInto, dropout, scale } from '../ops/elementwise.js';
import { linear } from '../ops/linear.js';
import { matmulNn, matmulNt, matmulTn } from '../ops/matmul.js';
import { type AdapterConfig, hasLora, type LoraConfig, loraScale } from './config.js';

/** `linear`, with the low-rank update that `adapter` has for it, if any. */
export function adaptedLinear(
  g: Graph,
  x: Activation,
  name: string,
  label: string,
  adapter: AdapterConfig | undefined,
): Accumulating {
  const base = linear(g, x, name, label);
  return hasLora(adapter, name) ? lora(g, x, base, name, label, adapter) : base;
}

/** y += s · (dropout(x) · Aᵀ) · B in place, A being [rank, in] and B [rank, out]. */
function lora(
  g: Graph,
  x: Activation,
  base: Accumulating,
  name: string,
  label: string,
  adapter: LoraConfig,
): Accumulating {
  const [rank, out] = g.shape(`${name}.lora_B.weight`) as [number, number];
  const factor = loraScale(adapter);
  const weight = `${name}.lora_B.weight`;
  const dropped = dropout(g, x, adapter.dropout, `${label} LoRA dropout`);
  const down = linear(g, dropped.output, `${name}.lora_A`, `${label} LoRA A`, { bias: false });
  const scaled = scale(g, down.output, factor, `${label} LoRA scale`);
  const axes = {
    rank: { capacity: rank, slot: 'all' },
    out: { capacity: out, slot: 'all' },
  } as const;
  matmulNn(g, scaled.output.tensor, g.weight(weight, x), base.output.tensor, {
    m: x.axis,
    n: axes.out,
    k: axes.rank,
    label: `${label} LoRA B`,
    accumulate: true,
  });
  const frozen = g.frozen([base.output, scaled.output], [weight]);
  return {
    output: { ...base.output, frozen },
    backward(dOutput, into) {
      const dX = base.backward(dOutput, into);
      if (g.trains(weight)) {
        matmulTn(g, scaled.output.tensor, dOutput.tensor, g.gradient(weight), {
          m: axes.rank,
          n: axes.out,
          k: x.axis,
          label: `d ${weight}`,
          accumulate: true,
        });
      }
      if (down.output.frozen) return dX;
      const dScaled = g.activation(`d ${label} LoRA B input`, x.axis, rank);
      matmulNt(g, dOutput.tensor, g.weight(weight, x), dScaled.tensor, {
        m: x.axis,
        n: axes.rank,
        k: axes.out,
        label: `d ${label} LoRA B input`,
      });
      const dDown = scaled.backward(dScaled);
      if (dropped.output === x) return down.backward(dDown, dX);
      const dDropped = dropped.backward(down.backward(dDown));
      if (!x.frozen) addInto(g, dDropped, dX, `d ${label} LoRA input`);
      return dX;
    },
  };
}
