/** Multiplies rows by exp(s), s being a learned number: exp(s) is the inverse of a learned temperature. */
import { type Activation, type Graph, rowParams, stridedWorkgroups } from '../graph.js';
import type { GradientSum } from './gradient-sum.js';
import { rowKernel } from './row-kernels.js';

/** A matrix times a learned factor. */
export interface LearnedScale {
  readonly output: Activation;
  /** Adds to the input's gradient, and to the parameter's. */
  backward(dOutput: Activation, into: GradientSum): void;
}

/** y = x · exp(s), s being the first element of parameter `name`. */
export function learnedScale(g: Graph, x: Activation, name: string, label: string): LearnedScale {
  const { axis, columns } = x;
  const logScale = g.parameter(name);
  const output = g.activation(label, axis, columns);
  const params = { ...rowParams(axis), columns };
  g.plan.dispatch('exp_scale_forward', {
    label,
    bindings: { x: x.tensor, log_scale: logScale, y: output.tensor },
    params,
    workgroups: stridedWorkgroups(g.device, axis, columns),
  });
  return {
    output,
    backward(dOutput, into) {
      const products = g.plan.transient(`${label} products`, [axis.capacity]);
      const { kernel, constants, workgroups } = rowKernel(
        g.device,
        'exp_scale_backward_input',
        axis.capacity,
      );
      into.write((dX, accumulate) =>
        g.plan.dispatch(kernel, {
          label: `d ${label}`,
          constants: { ...constants, ACCUMULATE: accumulate },
          bindings: {
            y: output.tensor,
            d_y: dOutput.tensor,
            log_scale: logScale,
            products,
            d_x: dX.tensor,
          },
          params,
          workgroups,
        }),
      );
      if (!g.trains(name)) return;
      g.plan.dispatch('sum_accumulate', {
        label: `d ${name}`,
        bindings: { x: products, total: g.gradient(name) },
        params: rowParams(axis),
        workgroups: [1],
      });
    },
  };
}
