/** The first columns of a matrix: embeddings truncated to a smaller dimension. */
import { type Activation, type Graph, rowParams, stridedWorkgroups } from '../graph.js';
import type { GradientSum } from './gradient-sum.js';

/** The first columns of a matrix. */
export interface FirstColumns {
  /** [rows, columns] */
  readonly output: Activation;
  /** Adds `dOutput` to the first columns of the input's gradient. */
  backward(dOutput: Activation, into: GradientSum): void;
}

/**
 * Emits the copy of the first `columns` columns of `x`.
 *
 * @throws RangeError unless `columns` is a multiple of 4 within the matrix
 */
export function firstColumns(g: Graph, x: Activation, columns: number, label: string): FirstColumns {
  if (columns < 4 || columns > x.columns || columns % 4 !== 0) {
    throw new RangeError(
      `${label}: expected a multiple of 4 from 4 to ${x.columns} columns but received ${columns}`,
    );
  }
  const output = g.activation(label, x.axis, columns, x.frozen);
  const copy = (from: Activation, to: Activation, accumulate: boolean, name: string): void =>
    g.plan.dispatch('copy_columns', {
      label: name,
      constants: { ACCUMULATE: accumulate },
      bindings: { x: from.tensor, y: to.tensor },
      params: { ...rowParams(x.axis), columns, x_stride: from.columns, y_stride: to.columns },
      workgroups: stridedWorkgroups(g.device, x.axis, columns),
    });
  copy(x, output, false, label);
  return {
    output,
    backward(dOutput, into) {
      into.clearFirst();
      into.write((dX) => copy(dOutput, dX, true, `d ${label}`));
    },
  };
}
