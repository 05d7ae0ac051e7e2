/** Elementwise ops on activations: GELU, tanh, dropout, addition. */
import {
  type Activation,
  type Differentiable,
  type Graph,
  rowParams,
  storedType,
  stridedWorkgroups,
} from '../graph.js';

/** Exact GELU. Keeps its input for backward. */
export function gelu(g: Graph, x: Activation, label: string): Differentiable {
  const { axis, columns } = x;
  const shape = {
    constants: { Element: storedType(x.tensor) },
    params: { ...rowParams(axis), columns },
    workgroups: stridedWorkgroups(axis, columns),
  };
  const output = g.activation(`${label} output`, axis, columns, x.frozen);
  g.plan.dispatch('gelu_forward', { ...shape, label, bindings: { x: x.tensor, y: output.tensor } });
  return {
    output,
    backward(dOutput) {
      const dX = g.activation(`d ${label} input`, axis, columns);
      if (x.frozen) return dX;
      g.plan.dispatch('gelu_backward', {
        ...shape,
        label: `d ${label}`,
        bindings: { x: x.tensor, d_y: dOutput.tensor, d_x: dX.tensor },
      });
      return dX;
    },
  };
}

/** Hyperbolic tangent. Keeps its output for backward. */
export function tanh(g: Graph, x: Activation, label: string): Differentiable {
  const { axis, columns } = x;
  const shape = {
    constants: { Element: storedType(x.tensor) },
    params: { ...rowParams(axis), columns },
    workgroups: stridedWorkgroups(axis, columns),
  };
  const output = g.activation(`${label} output`, axis, columns, x.frozen);
  g.plan.dispatch('tanh_forward', { ...shape, label, bindings: { x: x.tensor, y: output.tensor } });
  return {
    output,
    backward(dOutput) {
      const dX = g.activation(`d ${label} input`, axis, columns);
      if (x.frozen) return dX;
      g.plan.dispatch('tanh_backward', {
        ...shape,
        label: `d ${label}`,
        bindings: { y: output.tensor, d_y: dOutput.tensor, d_x: dX.tensor },
      });
      return dX;
    },
  };
}

/** Dropout at `rate` when the graph trains, else the identity. The mask is drawn again in backward. */
export function dropout(g: Graph, x: Activation, rate: number, label: string): Differentiable {
  const { active, params } = g.dropout(rate);
  if (!active) return { output: x, backward: (dOutput) => dOutput };
  const { axis, columns } = x;
  const apply = (input: Activation, name: string): Activation => {
    const output = g.activation(`${name} output`, axis, columns, input.frozen);
    g.plan.dispatch('dropout', {
      label: name,
      constants: { Element: storedType(input.tensor) },
      bindings: { x: input.tensor, y: output.tensor },
      params: { ...rowParams(axis), columns, ...params },
      workgroups: stridedWorkgroups(axis, columns),
    });
    return output;
  };
  return {
    output: apply(x, label),
    backward: (dOutput) => (x.frozen ? dOutput : apply(dOutput, `d ${label}`)),
  };
}

/** Adds `x` to `y` in place. */
export function addInto(g: Graph, x: Activation, y: Activation, label: string): void {
  g.plan.dispatch('add', {
    label,
    constants: { Element: storedType(x.tensor) },
    bindings: { x: x.tensor, y: y.tensor },
    params: { ...rowParams(x.axis), columns: x.columns },
    workgroups: stridedWorkgroups(x.axis, x.columns),
  });
}
