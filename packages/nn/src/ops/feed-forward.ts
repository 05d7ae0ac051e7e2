/** A feed-forward block whose GELU is fused into the products around it, forward and backward. */
import type { Accumulating, Activation, DeviceTraits, Graph } from '../graph.js';
import { linear, linearInputGradient, linearParameterGradients } from './linear.js';
import { matmulNn, matmulNt } from './matmul.js';

/**
 * Whether a fused GELU pays on a device. On software devices it only makes compilation slower: there the
 * products are bound by arithmetic, and a pass over memory is cheap in comparison.
 */
export function fusesGelu({ type }: DeviceTraits): boolean {
  return type !== 'cpu';
}

/**
 * GELU(x · Uᵀ + u) · Dᵀ + d, with parameters `${up}.weight` [wide, columns], `${down}.weight` [columns, wide]
 * and their biases. The GELU's input is kept for backward.
 */
export function feedForward(
  g: Graph,
  x: Activation,
  { up, down }: { readonly up: string; readonly down: string },
  label: string,
): Accumulating {
  const [wide] = g.shape(`${up}.weight`) as [number, number];
  const frozen = g.frozen([x], [`${up}.weight`, `${up}.bias`]);
  const before = g.activation(`${label} intermediate output`, x.axis, wide, frozen);
  const activated = g.activation(`${label} gelu output`, x.axis, wide, frozen);
  const upWeight = g.weight(`${up}.weight`, x);
  matmulNt(g, x.tensor, upWeight, activated.tensor, {
    m: x.axis,
    n: { capacity: wide, slot: 'all' },
    k: { capacity: x.columns, slot: 'all' },
    label: `${label} intermediate`,
    bias: g.parameter(`${up}.bias`),
    beforeGelu: before.tensor,
  });
  const contracted = linear(g, activated, down, `${label} output`);
  return {
    output: contracted.output,
    backward(dOutput, into) {
      linearParameterGradients(g, activated, parametersOf(down), dOutput);
      const dBefore = g.activation(`d ${label} gelu input`, x.axis, wide);
      if (!frozen) {
        matmulNn(g, dOutput.tensor, g.weight(`${down}.weight`, activated), dBefore.tensor, {
          m: x.axis,
          n: { capacity: wide, slot: 'all' },
          k: { capacity: dOutput.columns, slot: 'all' },
          label: `d ${label} output input and gelu`,
          accumulate: false,
          beforeGelu: before.tensor,
        });
      }
      if (!frozen) linearParameterGradients(g, x, parametersOf(up), dBefore);
      return linearInputGradient(g, x, upWeight, dBefore, `${label} intermediate`, into);
    },
  };
}

const parametersOf = (name: string) => ({ weights: [`${name}.weight`], biases: [`${name}.bias`] });
