/** Matrix products: which kernel, which tile, how many workgroups. The only file that knows. */
import type { Tensor } from '@synglot/gpu';
import { type Axis, countSlots } from '../axis.js';
import type { Graph } from '../graph.js';

export interface MatmulOptions {
  readonly m: Axis;
  readonly n: Axis;
  readonly k: Axis;
  readonly label: string;
}

function sizeParams({ m, n, k }: MatmulOptions) {
  return {
    m: m.capacity,
    n: n.capacity,
    k: k.capacity,
    m_count: countSlots[m.slot],
    n_count: countSlots[n.slot],
    k_count: countSlots[k.slot],
  };
}

/** c [m, n] = a [m, k] · bᵀ, b being [n, k]; plus `bias` [n]. */
export function matmulNt(
  g: Graph,
  a: Tensor,
  b: Tensor,
  c: Tensor,
  options: MatmulOptions & { readonly bias?: Tensor },
): void {
  const { label, bias } = options;
  const shared = { label, params: sizeParams(options), workgroups: tiles(options) };
  if (bias) g.plan.dispatch('matmul_nt_bias', { ...shared, bindings: { a, b, bias, c } });
  else g.plan.dispatch('matmul_nt', { ...shared, bindings: { a, b, c } });
}

/** c [m, n] = a [m, k] · b [k, n], or added to c. */
export function matmulNn(
  g: Graph,
  a: Tensor,
  b: Tensor,
  c: Tensor,
  options: MatmulOptions & { readonly accumulate: boolean },
): void {
  g.plan.dispatch('matmul_nn', {
    label: options.label,
    constants: { ACCUMULATE: options.accumulate },
    bindings: { a, b, c },
    params: sizeParams(options),
    workgroups: tiles(options),
  });
}

/** c [m, n] = aᵀ · b, a being [k, m] and b [k, n], or added to c. */
export function matmulTn(
  g: Graph,
  a: Tensor,
  b: Tensor,
  c: Tensor,
  options: MatmulOptions & { readonly accumulate: boolean },
): void {
  g.plan.dispatch('matmul_tn', {
    label: options.label,
    constants: { ACCUMULATE: options.accumulate },
    bindings: { a, b, c },
    params: sizeParams(options),
    workgroups: tiles(options),
  });
}

function tiles({ m, n }: MatmulOptions): [number, number] {
  return [Math.ceil(n.capacity / 8), Math.ceil(m.capacity / 8)];
}
