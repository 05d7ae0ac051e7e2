/** y = x · Wᵀ + b, weights stored [out, in] as PyTorch does. */
import type { Activation, Differentiable, Graph } from '../graph.js';
import { matmulNn, matmulNt, matmulTn } from './matmul.js';
import { biasGradient } from './reductions.js';

/** Linear layer with parameters `${name}.weight` [out, in] and, unless `bias` is false, `${name}.bias`. */
export function linear(
  g: Graph,
  x: Activation,
  name: string,
  label: string,
  options: { readonly bias?: boolean } = {},
): Differentiable {
  const [out, into] = g.shape(`${name}.weight`) as [number, number];
  if (into !== x.columns) {
    throw new RangeError(
      `${label}: expected ${into} input columns for '${name}.weight' but received ${x.columns}`,
    );
  }
  const hasBias = options.bias ?? true;
  const weight = g.weight(`${name}.weight`, x);
  const names = hasBias ? [`${name}.weight`, `${name}.bias`] : [`${name}.weight`];
  const output = g.activation(`${label} output`, x.axis, out, g.frozen([x], names));
  const rows = { capacity: x.axis.capacity, slot: x.axis.slot };
  matmulNt(g, x.tensor, weight, output.tensor, {
    m: rows,
    n: { capacity: out, slot: 'all' },
    k: { capacity: into, slot: 'all' },
    label,
    ...(hasBias ? { bias: g.parameter(`${name}.bias`) } : {}),
  });
  return {
    output,
    backward(dOutput, accumulateInto) {
      const dX = accumulateInto ?? g.activation(`d ${label} input`, x.axis, into);
      if (!x.frozen) {
        matmulNn(g, dOutput.tensor, weight, dX.tensor, {
          m: rows,
          n: { capacity: into, slot: 'all' },
          k: { capacity: out, slot: 'all' },
          label: `d ${label} input`,
          accumulate: accumulateInto !== undefined,
        });
      }
      if (g.trains(`${name}.weight`)) {
        matmulTn(g, dOutput.tensor, x.tensor, g.gradient(`${name}.weight`), {
          m: { capacity: out, slot: 'all' },
          n: { capacity: into, slot: 'all' },
          k: rows,
          label: `d ${name}.weight`,
          accumulate: true,
        });
      }
      if (hasBias && g.trains(`${name}.bias`))
        biasGradient(g, dOutput, g.gradient(`${name}.bias`), `d ${name}.bias`);
      return dX;
    },
  };
}
