/** Elementwise ops on activations: GELU, ReLU, swish, tanh, dropout, scaling, addition. */
import {
  type Activation,
  type Differentiable,
  type Graph,
  rowParams,
  storedType,
  stridedWorkgroups,
} from '../graph.js';

/** Exact GELU. Keeps its input for backward. */
export const gelu = ofInput('gelu_forward', 'gelu_backward');

/** max(x, 0). Keeps its input for backward. */
export const relu = ofInput('relu_forward', 'relu_backward');

/** x · sigmoid(x), also called SiLU. Keeps its input for backward. */
export const swish = ofInput('swish_forward', 'swish_backward');

function ofInput(
  forward: 'gelu_forward' | 'relu_forward' | 'swish_forward',
  backward: 'gelu_backward' | 'relu_backward' | 'swish_backward',
) {
  return (g: Graph, x: Activation, label: string): Differentiable => {
    const { axis, columns } = x;
    const shape = {
      constants: { Element: storedType(x.tensor) },
      params: { ...rowParams(axis), columns },
      workgroups: stridedWorkgroups(g.device, axis, columns),
    };
    const output = g.activation(`${label} output`, axis, columns, x.frozen);
    g.plan.dispatch(forward, { ...shape, label, bindings: { x: x.tensor, y: output.tensor } });
    return {
      output,
      backward(dOutput) {
        const dX = g.activation(`d ${label} input`, axis, columns);
        if (x.frozen) return dX;
        g.plan.dispatch(backward, {
          ...shape,
          label: `d ${label}`,
          bindings: { x: x.tensor, d_y: dOutput.tensor, d_x: dX.tensor },
        });
        return dX;
      },
    };
  };
}

/** Hyperbolic tangent. Keeps its output for backward. */
export function tanh(g: Graph, x: Activation, label: string): Differentiable {
  const { axis, columns } = x;
  const shape = {
    constants: { Element: storedType(x.tensor) },
    params: { ...rowParams(axis), columns },
    workgroups: stridedWorkgroups(g.device, axis, columns),
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
      workgroups: stridedWorkgroups(g.device, axis, columns),
    });
    return output;
  };
  return {
    output: apply(x, label),
    backward: (dOutput) => (x.frozen ? dOutput : apply(dOutput, `d ${label}`)),
  };
}

/** y = factor · x. */
export function scale(g: Graph, x: Activation, factor: number, label: string): Differentiable {
  const { axis, columns } = x;
  const apply = (input: Activation, name: string): Activation => {
    const output = g.activation(`${name} output`, axis, columns, input.frozen);
    g.plan.dispatch('scale', {
      label: name,
      constants: { Element: storedType(input.tensor) },
      bindings: { x: input.tensor, y: output.tensor },
      params: { ...rowParams(axis), columns, factor },
      workgroups: stridedWorkgroups(g.device, axis, columns),
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
    workgroups: stridedWorkgroups(g.device, x.axis, x.columns),
  });
}
