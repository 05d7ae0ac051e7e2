/** Emits matrix products. `matmul-candidates.ts` chooses kernel and tile. */
import type { Tensor } from '@synglot/gpu';
import { type Axis, countSlots } from '../axis.js';
import { type Graph, storedType } from '../graph.js';
import { type MatmulProduct, matmulTile, pickMatmul } from './matmul-candidates.js';

/** Sizes of a product [m, n] with sums over k. */
export interface MatmulOptions {
  readonly m: Axis;
  readonly n: Axis;
  readonly k: Axis;
  readonly label: string;
  /** Multiplies the sums before anything is added; default 1. */
  readonly scale?: number;
}

/** What becomes of the sums of a · bᵀ. */
export interface MatmulNtOptions extends MatmulOptions {
  /** [n], f32, added to every row. */
  readonly bias?: Tensor;
  /** [m, n]: receives the sums, and c their GELU; only with `bias`. */
  readonly beforeGelu?: Tensor;
  /** Adds to c instead of overwriting it; only without `bias`. */
  readonly accumulate?: boolean;
}

/** What becomes of the sums of a · b. */
export interface MatmulNnOptions extends MatmulOptions {
  /** Adds to c instead of overwriting it. */
  readonly accumulate: boolean;
  /** [m, n]: the input of a GELU, by whose derivative the sums are multiplied; only without `accumulate`. */
  readonly beforeGelu?: Tensor;
}

/** c [m, n] = a [m, k] · bᵀ, b being [n, k]. n and k are multiples of 4. */
export function matmulNt(g: Graph, a: Tensor, b: Tensor, c: Tensor, options: MatmulNtOptions): void {
  const { bias, beforeGelu, accumulate = false, label } = options;
  if (accumulate && bias) throw new RangeError(`${label}: a product with a bias cannot be added to c`);
  if (beforeGelu && !bias) throw new RangeError(`${label}: a product with a GELU has a bias`);
  if (beforeGelu && bias) emit(g, 'matmul_nt_bias_gelu', { a, b, bias, x: beforeGelu, c }, options);
  else if (bias) emit(g, 'matmul_nt_bias', { a, b, bias, c }, options);
  else emit(g, 'matmul_nt', { a, b, c }, options, { ACCUMULATE: accumulate });
}

/** c [m, n] = a [m, k] · b [k, n], or c += a · b. n and k are multiples of 4. */
export function matmulNn(g: Graph, a: Tensor, b: Tensor, c: Tensor, options: MatmulNnOptions): void {
  const { beforeGelu, accumulate, label } = options;
  if (accumulate && beforeGelu) throw new RangeError(`${label}: a product with a GELU cannot be added to c`);
  if (beforeGelu) emit(g, 'matmul_nn_gelu_backward', { a, b, x: beforeGelu, c }, options);
  else emit(g, 'matmul_nn', { a, b, c }, options, { ACCUMULATE: accumulate });
}

/** c [m, n] = aᵀ · b, a being [k, m] and b [k, n], or c += aᵀ · b. m and n are multiples of 4. */
export function matmulTn(
  g: Graph,
  a: Tensor,
  b: Tensor,
  c: Tensor,
  options: MatmulOptions & { readonly accumulate: boolean },
): void {
  emit(g, 'matmul_tn', { a, b, c }, options, { ACCUMULATE: options.accumulate });
}

interface Operands {
  readonly a: Tensor;
  readonly b: Tensor;
  readonly bias?: Tensor;
  readonly x?: Tensor;
  readonly c: Tensor;
}

function emit(
  g: Graph,
  product: MatmulProduct,
  operands: Operands,
  options: MatmulOptions,
  epilogue: { readonly ACCUMULATE?: boolean } = {},
): void {
  const { m, n, k, label, scale = 1 } = options;
  checkVectors(product, options);
  const [element, output] = [storedType(operands.a), storedType(operands.c)];
  const problem = { product, m, n, k, element, output };
  g.device.onMatmul?.(problem);
  const choice = pickMatmul(g.device, problem);
  const perPart = Number(choice.constants.K_PER_PART ?? 0);
  const parts = perPart > 0 ? Math.ceil(k.capacity / perPart) : 1;
  const { rows, columns } = matmulTile(choice);
  const partial =
    perPart > 0 ? g.plan.transient(`${label} parts`, [parts, m.capacity, n.capacity]) : undefined;
  // The subgroup kernels take it as a parameter instead, so that both cases share a pipeline.
  const asConstant = partial || choice.kernel.endsWith('_subgroup') ? {} : epilogue;
  // Typed as the plain kernel: all kernels have its bindings and params, and some have more.
  g.plan.dispatch(choice.kernel as 'matmul_nt', {
    label: partial ? `${label} parts` : label,
    bindings: { ...operands, c: partial ?? operands.c },
    constants: {
      ...choice.constants,
      ...asConstant,
      Element: element,
      Output: output,
    },
    params: {
      m: m.capacity,
      n: n.capacity,
      k: k.capacity,
      m_count: countSlots[m.slot],
      n_count: countSlots[n.slot],
      k_count: countSlots[k.slot],
      scale,
      accumulate: epilogue.ACCUMULATE && !partial ? 1 : 0,
    },
    workgroups: [Math.ceil(n.capacity / columns), Math.ceil(m.capacity / rows), parts],
  });
  if (!partial) return;
  if (!epilogue.ACCUMULATE) g.plan.clear(operands.c);
  const elements = m.capacity * n.capacity;
  g.plan.dispatch('partial_sum_accumulate', {
    label,
    bindings: { partial, gradient: operands.c },
    params: {
      rows: k.capacity,
      rows_count: countSlots[k.slot],
      rows_per_block: perPart,
      columns: elements,
      gradient_row: 0,
    },
    workgroups: [Math.ceil(elements / 4 / 32)],
  });
}

/** The kernels load four neighbours at a time: contiguous axes have capacities that are multiples of 4. */
function checkVectors(product: MatmulProduct, { m, n, k, label }: MatmulOptions): void {
  const axes = product === 'matmul_tn' ? { m, n } : { n, k };
  for (const [name, { capacity }] of Object.entries(axes)) {
    if (capacity % 4 !== 0) {
      throw new RangeError(
        `${label}: expected ${name} to be a multiple of 4 but received ${capacity}; round hidden sizes and the capacity of queries and candidates up`,
      );
    }
  }
}
