/** Copies the rows of a part of a batch into, or out of, a tensor of the whole batch. */
import type { Tensor } from '@synglot/gpu';
import { beginSlots } from '../axis.js';
import { type Activation, type Graph, rowParams, stridedWorkgroups } from '../graph.js';

/** Which of the step's two beginnings says where the part lies. */
export type Begin = Exclude<keyof typeof beginSlots, 'none'>;

/** part = the rows of `whole` from the step's `begin` on. */
export function readRows(g: Graph, whole: Tensor, begin: Begin, part: Activation, label: string): void {
  const places = { x: whole, y: part.tensor, x_begin: beginSlots[begin], y_begin: beginSlots.none };
  copyRows(g, part, places, false, label);
}

/** Overwrites the rows of `whole` from the step's `begin` on with `part`, or adds it to them. */
export function writeRows(
  g: Graph,
  part: Activation,
  whole: Tensor,
  begin: Begin,
  options: { readonly accumulate: boolean; readonly label: string },
): void {
  const places = { x: part.tensor, y: whole, x_begin: beginSlots.none, y_begin: beginSlots[begin] };
  copyRows(g, part, places, options.accumulate, options.label);
}

function copyRows(
  g: Graph,
  { axis, columns }: Activation,
  { x, y, ...begins }: { x: Tensor; y: Tensor; x_begin: number; y_begin: number },
  accumulate: boolean,
  label: string,
): void {
  g.plan.dispatch('copy_rows', {
    label,
    constants: { ACCUMULATE: accumulate },
    bindings: { x, y },
    params: { ...rowParams(axis), columns, ...begins },
    workgroups: stridedWorkgroups(g.device, axis, columns),
  });
}
