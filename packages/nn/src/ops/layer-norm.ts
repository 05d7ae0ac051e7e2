/** Dropout, residual connection and layer norm in one: the end of every sub-layer. */
import { type Activation, type Graph, rowParams, storedType, stridedWorkgroups } from '../graph.js';
import { blockCount, columnSumInto, rowsPerBlock } from './reductions.js';
import { blockSumKernel, registerRowKernel } from './row-kernels.js';

/** An emitted layer norm; all matrices are [rows, columns]. */
export interface ResidualLayerNorm {
  readonly output: Activation;
  /** Gradients of `x` and of `residual`; the same tensor if nothing was dropped. */
  backward(dOutput: Activation): { dX: Activation; dResidual: Activation };
}

/**
 * layer_norm(residual + dropout(x)) with parameters `${name}.weight` and `${name}.bias` [columns].
 */
export function residualLayerNorm(
  g: Graph,
  x: Activation,
  residual: Activation,
  options: {
    readonly name: string;
    readonly epsilon: number;
    readonly dropoutRate: number;
    readonly label: string;
  },
): ResidualLayerNorm {
  const { axis, columns } = x;
  const { name, label } = options;
  const { active, params: dropoutParams } = g.dropout(options.dropoutRate);
  const sum = g.activation(`${label} sum`, axis, columns);
  const statistics = g.statistics(`${label} statistics`, axis, 2);
  const [weight, bias] = [`${name}.weight`, `${name}.bias`];
  const frozenInputs = g.frozen([x, residual]);
  const output = g.activation(`${label} output`, axis, columns, g.frozen([x, residual], [weight, bias]));
  const params = { ...rowParams(axis), columns };
  const element = { Element: storedType(x.tensor) };
  const size = { rows: axis.capacity, columns };
  const forward = registerRowKernel(g.device, 'residual_layer_norm_forward', size);
  g.plan.dispatch(forward.kernel, {
    label,
    constants: { ...forward.constants, ...element, HAS_DROPOUT: active },
    bindings: {
      x: x.tensor,
      residual: residual.tensor,
      gamma: g.parameter(weight),
      beta: g.parameter(bias),
      sum: sum.tensor,
      statistics,
      y: output.tensor,
    },
    params: { ...params, epsilon: options.epsilon, ...dropoutParams },
    workgroups: forward.workgroups,
  });
  const parameterGradients = (dOutput: Activation) => {
    const blocks = blockCount(axis);
    const partialGamma = g.plan.transient(`${label} partial gamma`, [blocks, columns]);
    const partialBeta = g.plan.transient(`${label} partial beta`, [blocks, columns]);
    const sums = blockSumKernel(g.device, 'layer_norm_backward_parameters_partial', { blocks, columns });
    g.plan.dispatch(sums.kernel, {
      label: `d ${label} parameters`,
      constants: { ...sums.constants, ...element, ROWS_PER_BLOCK: rowsPerBlock },
      bindings: {
        d_y: dOutput.tensor,
        sum: sum.tensor,
        statistics,
        partial_gamma: partialGamma,
        partial_beta: partialBeta,
      },
      params,
      workgroups: sums.workgroups,
    });
    if (g.trains(weight)) columnSumInto(g, partialGamma, axis, columns, g.gradient(weight), `d ${weight}`);
    if (g.trains(bias)) columnSumInto(g, partialBeta, axis, columns, g.gradient(bias), `d ${bias}`);
  };
  return {
    output,
    backward(dOutput) {
      if (g.trains(weight) || g.trains(bias)) parameterGradients(dOutput);
      const dSum = g.activation(`d ${label} sum`, axis, columns);
      if (frozenInputs) return { dX: dSum, dResidual: dSum };
      const input = registerRowKernel(g.device, 'layer_norm_backward_input', size);
      g.plan.dispatch(input.kernel, {
        label: `d ${label}`,
        constants: { ...input.constants, ...element },
        bindings: {
          d_y: dOutput.tensor,
          sum: sum.tensor,
          statistics,
          gamma: g.parameter(weight),
          d_sum: dSum.tensor,
        },
        params,
        workgroups: input.workgroups,
      });
      if (!active || x.frozen) return { dX: dSum, dResidual: dSum };
      const dX = g.activation(`d ${label} x`, axis, columns);
      g.plan.dispatch('dropout', {
        label: `d ${label} dropout`,
        constants: element,
        bindings: { x: dSum.tensor, y: dX.tensor },
        params: { ...params, ...dropoutParams },
        workgroups: stridedWorkgroups(g.device, axis, columns),
      });
      return { dX, dResidual: dSum };
    },
  };
}
