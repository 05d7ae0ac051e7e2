/** From token vectors to one vector per sequence, and row normalisation. */
import type { Tensor } from '@synglot/gpu';
import { type Axis, countSlots } from '../axis.js';
import {
  type Activation,
  type Differentiable,
  type Graph,
  rowParams,
  storedType,
  stridedWorkgroups,
} from '../graph.js';
import { rowKernel } from './row-kernels.js';

/** The feeds that pooling reads. */
export interface PoolingFeeds {
  /** [tokens] of (id, position, type, slot). */
  readonly tokens: Tensor;
  /** [tokens] of (first, end) token of the token's own sequence. */
  readonly bounds: Tensor;
  /** [all slots] of (first, end) token. */
  readonly slots: Tensor;
}

/** Pooled sequences [rows, columns]. */
export interface Pooling {
  readonly output: Activation;
  /** Writes the gradients of these sequences' tokens into `dHidden`; the other rows are left as they are. */
  backward(dOutput: Activation, dHidden: Activation): void;
}

/** Pools the sequences in slots [slotBegin, slotBegin + rows.capacity). */
export function pool(
  g: Graph,
  hidden: Activation,
  feeds: PoolingFeeds,
  options: {
    readonly mode: 'cls' | 'mean';
    readonly rows: Axis;
    readonly slotBegin: number;
    readonly label: string;
  },
): Pooling {
  const { mode, rows, slotBegin, label } = options;
  const { columns, axis: tokens } = hidden;
  const output = g.activation(`${label} output`, rows, columns, hidden.frozen);
  g.plan.dispatch(mode === 'mean' ? 'pool_mean_forward' : 'pool_cls_forward', {
    label,
    constants: { Element: storedType(hidden.tensor) },
    bindings: { hidden: hidden.tensor, slots: feeds.slots, y: output.tensor },
    params: { ...rowParams(rows), columns, slot_begin: slotBegin },
    workgroups: stridedWorkgroups(g.device, rows, columns),
  });
  return {
    output,
    backward(dOutput, dHidden) {
      if (hidden.frozen) return;
      g.plan.dispatch(mode === 'mean' ? 'pool_mean_backward' : 'pool_cls_backward', {
        label: `d ${label}`,
        constants: { Element: storedType(dHidden.tensor) },
        bindings: {
          d_y: dOutput.tensor,
          tokens: feeds.tokens,
          bounds: feeds.bounds,
          d_hidden: dHidden.tensor,
        },
        params: {
          tokens: tokens.capacity,
          tokens_count: countSlots[tokens.slot],
          columns,
          slot_begin: slotBegin,
          rows: rows.capacity,
        },
        workgroups: stridedWorkgroups(g.device, tokens, columns),
      });
    },
  };
}

/** Divides each row by its Euclidean length. */
export function normalize(g: Graph, x: Activation, label: string): Differentiable {
  const { axis, columns } = x;
  const output = g.activation(`${label} output`, axis, columns, x.frozen);
  const inverseNorms = g.plan.transient(`${label} inverse norms`, [axis.capacity]);
  const params = { ...rowParams(axis), columns };
  const { kernel, ...forward } = rowKernel(g.device, 'normalize_forward', axis.capacity);
  g.plan.dispatch(kernel, {
    ...forward,
    params,
    label,
    bindings: { x: x.tensor, y: output.tensor, inverse_norms: inverseNorms },
  });
  return {
    output,
    backward(dOutput) {
      const dX = g.activation(`d ${label} input`, axis, columns);
      if (x.frozen) return dX;
      const { kernel, ...backward } = rowKernel(g.device, 'normalize_backward', axis.capacity);
      g.plan.dispatch(kernel, {
        ...backward,
        params,
        label: `d ${label}`,
        bindings: { y: output.tensor, d_y: dOutput.tensor, inverse_norms: inverseNorms, d_x: dX.tensor },
      });
      return dX;
    },
  };
}
