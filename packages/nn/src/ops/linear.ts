/** y = x · Wᵀ + b, with weights stored [out, in] as in PyTorch. */
import type { Tensor } from '@synglot/gpu';
import type { Accumulating, Activation, Graph } from '../graph.js';
import { matmulNn, matmulNt, matmulTn } from './matmul.js';
import { biasGradient } from './reductions.js';

/** Linear layer with parameters `${name}.weight` [out, in] and, unless `bias` is false, `${name}.bias`. */
export function linear(
  g: Graph,
  x: Activation,
  name: string,
  label: string,
  options: { readonly bias?: boolean } = {},
): Accumulating {
  return stackedLinear(g, x, [name], label, options);
}

/** Whether the parameters of linear layers lie side by side, so that `stackedLinear` can serve them. */
export function stackable(g: Graph, names: readonly string[]): boolean {
  return ['weight', 'bias'].every((what) => g.layout.adjacent(names.map((name) => `${name}.${what}`)));
}

/** Linear layers with one input as one product: their outputs lie side by side in the columns of one matrix. */
export function stackedLinear(
  g: Graph,
  x: Activation,
  names: readonly string[],
  label: string,
  options: { readonly bias?: boolean } = {},
): Accumulating {
  const weights = names.map((name) => `${name}.weight`);
  const biases = (options.bias ?? true) ? names.map((name) => `${name}.bias`) : [];
  const weight = g.stackedWeight(weights, x);
  const [out, into] = weight.shape as [number, number];
  if (into !== x.columns) {
    throw new RangeError(
      `${label}: expected ${into} input columns for '${weights.join("', '")}' but received ${x.columns}`,
    );
  }
  const output = g.activation(`${label} output`, x.axis, out, g.frozen([x], [...weights, ...biases]));
  matmulNt(g, x.tensor, weight, output.tensor, {
    m: x.axis,
    n: { capacity: out, slot: 'all' },
    k: { capacity: into, slot: 'all' },
    label,
    ...(biases.length > 0 ? { bias: g.stacked('parameter', biases) } : {}),
  });
  return {
    output,
    backward(dOutput, accumulateInto) {
      const dX = linearInputGradient(g, x, weight, dOutput, label, accumulateInto);
      linearParameterGradients(g, x, { weights, biases }, dOutput);
      return dX;
    },
  };
}

/** The gradient of a linear layer's input, dOutput · W, added to `into` if given; nothing for a frozen input. */
export function linearInputGradient(
  g: Graph,
  x: Activation,
  weight: Tensor,
  dOutput: Activation,
  label: string,
  into?: Activation,
): Activation {
  const dX = into ?? g.activation(`d ${label} input`, x.axis, x.columns);
  if (!x.frozen) {
    matmulNn(g, dOutput.tensor, weight, dX.tensor, {
      m: x.axis,
      n: { capacity: x.columns, slot: 'all' },
      k: { capacity: dOutput.columns, slot: 'all' },
      label: `d ${label} input`,
      accumulate: into !== undefined,
    });
  }
  return dX;
}

/** Adds the gradients of the parameters of linear layers whose input was `x`, where they are trained. */
export function linearParameterGradients(
  g: Graph,
  x: Activation,
  { weights, biases }: { readonly weights: readonly string[]; readonly biases: readonly string[] },
  dOutput: Activation,
): void {
  // Parameters that lie side by side share a slab, so either all of them are trained or none.
  if (weights.some((name) => g.trains(name))) {
    matmulTn(g, dOutput.tensor, x.tensor, g.stacked('gradient', weights), {
      m: { capacity: dOutput.columns, slot: 'all' },
      n: { capacity: x.columns, slot: 'all' },
      k: x.axis,
      label: `d ${weights.join(' + ')}`,
      accumulate: true,
    });
  }
  if (biases.some((name) => g.trains(name)))
    biasGradient(g, dOutput, g.stacked('gradient', biases), `d ${biases.join(' + ')}`);
}
