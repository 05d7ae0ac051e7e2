/** Elementwise ops on activations: GELU, ReLU, swish, tanh, dropout, scaling, addition. */
import {
  type Activation,
  type Differentiable,
  type DropoutParams,
  type Graph,
  rowParams,
  storedType,
  stridedWorkgroups,
} from '../graph.js';

/** Exact GELU. Keeps its input for backward. */
export const gelu = activationFunction('gelu');

/** max(x, 0). Keeps its input for backward. */
export const relu = activationFunction('relu');

/** x · sigmoid(x), also called SiLU. Keeps its input for backward. */
export const swish = activationFunction('swish');

/** Hyperbolic tangent. Keeps its output for backward. */
export const tanh = activationFunction('tanh');

function activationFunction(name: 'gelu' | 'relu' | 'swish' | 'tanh') {
  return (g: Graph, x: Activation, label: string): Differentiable => {
    const { axis, columns } = x;
    const shape = shapeOf(g, x);
    const output = g.activation(`${label} output`, axis, columns, x.frozen);
    g.plan.dispatch(`${name}_forward`, { ...shape, label, bindings: { x: x.tensor, y: output.tensor } });
    return {
      output,
      backward(dOutput) {
        const dX = g.activation(`d ${label} input`, axis, columns);
        if (x.frozen) return dX;
        g.plan.dispatch(`${name}_backward`, {
          ...shape,
          label: `d ${label}`,
          // A kernel binds what it needs: the input or the output.
          bindings: { x: x.tensor, y: output.tensor, d_y: dOutput.tensor, d_x: dX.tensor },
        });
        return dX;
      },
    };
  };
}

/** Dropout at `rate` if the graph trains, else the identity. Backward draws the same mask again. */
export function dropout(g: Graph, x: Activation, rate: number, label: string): Differentiable {
  const { active, params } = g.dropout(rate);
  return active ? selfAdjoint(g, 'dropout', x, params, label) : { output: x, backward: (dOutput) => dOutput };
}

/** y = factor · x. */
export function scale(g: Graph, x: Activation, factor: number, label: string): Differentiable {
  return selfAdjoint(g, 'scale', x, { factor }, label);
}

/** Linear ops whose backward is the same op, applied to the gradient. */
function selfAdjoint(
  g: Graph,
  kernel: 'dropout' | 'scale',
  x: Activation,
  params: DropoutParams | { readonly factor: number },
  label: string,
): Differentiable {
  const apply = (input: Activation, name: string): Activation => {
    const { params: size, ...shape } = shapeOf(g, input);
    const output = g.activation(`${name} output`, input.axis, input.columns, input.frozen);
    g.plan.dispatch(kernel, {
      ...shape,
      label: name,
      bindings: { x: input.tensor, y: output.tensor },
      params: { ...size, ...params },
    });
    return output;
  };
  return {
    output: apply(x, label),
    backward: (dOutput) => (x.frozen ? dOutput : apply(dOutput, `d ${label}`)),
  };
}

/** What dispatches over all elements of `x` have in common. */
function shapeOf(g: Graph, { tensor, axis, columns }: Activation) {
  return {
    constants: { Element: storedType(tensor) },
    params: { ...rowParams(axis), columns },
    workgroups: stridedWorkgroups(g.device, axis, columns),
  };
}

/** Adds `x` to `y` in place. */
export function addInto(g: Graph, x: Activation, y: Activation, label: string): void {
  g.plan.dispatch('add', { ...shapeOf(g, x), label, bindings: { x: x.tensor, y: y.tensor } });
}
