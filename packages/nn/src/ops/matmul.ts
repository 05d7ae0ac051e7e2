/** Matrix products: which kernel, which tile, how many workgroups. The only file that knows. */
import type { Tensor } from '@synglot/gpu';
import { type KernelName, kernelConstant } from '@synglot/kernels';
import { type Axis, countSlots } from '../axis.js';
import { type DeviceTraits, type Graph, storedType } from '../graph.js';

export interface MatmulOptions {
  readonly m: Axis;
  readonly n: Axis;
  readonly k: Axis;
  readonly label: string;
}

/** c [m, n] = a [m, k] · bᵀ, b being [n, k]; plus `bias` [n]. n and k are multiples of 4. */
export function matmulNt(
  g: Graph,
  a: Tensor,
  b: Tensor,
  c: Tensor,
  options: MatmulOptions & { readonly bias?: Tensor },
): void {
  const { bias } = options;
  if (bias) {
    const { kernel, dispatch } = choose(g, 'matmul_nt_bias', { a, c }, options);
    g.plan.dispatch(kernel, { ...dispatch, bindings: { a, b, bias, c } });
  } else {
    const { kernel, dispatch } = choose(g, 'matmul_nt', { a, c }, options);
    g.plan.dispatch(kernel, { ...dispatch, bindings: { a, b, c } });
  }
}

/** c [m, n] = a [m, k] · b [k, n], or added to c. n and k are multiples of 4. */
export function matmulNn(
  g: Graph,
  a: Tensor,
  b: Tensor,
  c: Tensor,
  options: MatmulOptions & { readonly accumulate: boolean },
): void {
  accumulating(g, 'matmul_nn', { a, b, c }, options);
}

/** c [m, n] = aᵀ · b, a being [k, m] and b [k, n], or added to c. m and n are multiples of 4. */
export function matmulTn(
  g: Graph,
  a: Tensor,
  b: Tensor,
  c: Tensor,
  options: MatmulOptions & { readonly accumulate: boolean },
): void {
  accumulating(g, 'matmul_tn', { a, b, c }, options);
}

function accumulating(
  g: Graph,
  product: 'matmul_nn' | 'matmul_tn',
  bindings: { a: Tensor; b: Tensor; c: Tensor },
  options: MatmulOptions & { readonly accumulate: boolean },
): void {
  const { kernel, dispatch } = choose(g, product, bindings, options);
  const constants = { ...dispatch.constants, ACCUMULATE: options.accumulate };
  g.plan.dispatch(kernel, { ...dispatch, constants, bindings });
}

type Product = 'matmul_nt' | 'matmul_nt_bias' | 'matmul_nn' | 'matmul_tn';

/** The kernel for a device, with its constants, parameters and workgroups. */
function choose<P extends Product>(
  g: Graph,
  product: P,
  { a, c }: { readonly a: Tensor; readonly c: Tensor },
  options: MatmulOptions,
) {
  const constants = subgroupConstants(g.device);
  const kernel = constants ? (`${product}_subgroup` as const) : product;
  const { m, n, k, label } = options;
  checkVectors(product, options);
  return {
    kernel: kernel as P,
    dispatch: {
      label,
      constants: { ...constants, Element: storedType(a), Output: storedType(c) },
      params: {
        m: m.capacity,
        n: n.capacity,
        k: k.capacity,
        m_count: countSlots[m.slot],
        n_count: countSlots[n.slot],
        k_count: countSlots[k.slot],
      },
      workgroups: tiles(kernel, { ...constants }, m, n),
    },
  };
}

/** The kernels load four neighbours at a time: contiguous axes have capacities that are multiples of 4. */
function checkVectors(product: Product, { m, n, k, label }: MatmulOptions): void {
  const axes = product === 'matmul_tn' ? { m, n } : { n, k };
  for (const [name, { capacity }] of Object.entries(axes)) {
    if (capacity % 4 !== 0) {
      throw new RangeError(
        `${label}: expected ${name} to be a multiple of 4 but received ${capacity}; round hidden sizes and the capacity of queries and candidates up`,
      );
    }
  }
}

/**
 * Tile of the subgroup kernels, or undefined where the plain ones are better. They pay on software
 * devices, which load lane by lane; on GPUs, whose caches serve equal addresses in one go, it has not
 * been measured.
 */
function subgroupConstants({ type, subgroups }: DeviceTraits): Record<string, number> | undefined {
  if (type !== 'cpu' || subgroups.minSize < 4) return undefined;
  if (subgroups.minSize < 8) return { WORKGROUP_X: 4, ROW_BLOCKS: 2, LOADS: 8, PARTS: 1 };
  return { WORKGROUP_X: Math.max(8, subgroups.maxSize), ROW_BLOCKS: 1, LOADS: 3, PARTS: 2 };
}

function tiles(kernel: KernelName, constants: object, m: Axis, n: Axis): [number, number] {
  const constant = (name: string) => kernelConstant(kernel, name, constants);
  const columns = kernel.endsWith('_subgroup')
    ? 4 * constant('LOADS') * constant('PARTS')
    : 4 * constant('COLUMN_BLOCKS');
  const rows = 4 * constant('ROW_BLOCKS') * constant('WORKGROUP_X');
  return [Math.ceil(n.capacity / columns), Math.ceil(m.capacity / rows)];
}
