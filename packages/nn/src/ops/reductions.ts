/** Two-stage sums over rows: within blocks of rows first, then over the blocks. No atomics, fixed order. */
import type { Tensor } from '@synglot/gpu';
import type { Axis } from '../axis.js';
import { type Activation, type Graph, rowParams, storedType } from '../graph.js';
import { blockSumKernel, partialSumKernel } from './row-kernels.js';

/** Rows that one first-stage invocation sums. */
export const rowsPerBlock = 64;

/** First-stage blocks of a full axis. */
export function blockCount(axis: Axis): number {
  return Math.ceil(axis.capacity / rowsPerBlock);
}

/** Second stage: gradient[row] += sum of `partial` [blocks, columns] over the live blocks. */
export function columnSumInto(
  g: Graph,
  partial: Tensor,
  axis: Axis,
  columns: number,
  gradient: Tensor,
  label: string,
  gradientRow = 0,
): void {
  const { kernel, constants, workgroups } = partialSumKernel(g.device, columns);
  g.plan.dispatch(kernel, {
    label,
    constants,
    bindings: { partial, gradient },
    params: { ...rowParams(axis), rows_per_block: rowsPerBlock, columns, gradient_row: gradientRow },
    workgroups,
  });
}

/** Both stages for a bias: gradient [columns] += column sums of `x`. */
export function biasGradient(g: Graph, x: Activation, gradient: Tensor, label: string): void {
  const { axis, columns } = x;
  const blocks = blockCount(axis);
  const partial = g.plan.transient(`${label} partial`, [blocks, columns]);
  const { kernel, constants, workgroups } = blockSumKernel(g.device, 'column_sum_partial', {
    blocks,
    columns,
  });
  g.plan.dispatch(kernel, {
    label: `${label} partial`,
    constants: { ...constants, ROWS_PER_BLOCK: rowsPerBlock, Element: storedType(x.tensor) },
    bindings: { x: x.tensor, partial },
    params: { ...rowParams(axis), columns },
    workgroups,
  });
  columnSumInto(g, partial, axis, columns, gradient, label);
}
