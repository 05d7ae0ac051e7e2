/** Matrix products through the ops, with float64 references: operands hold NaN beyond the live sizes. */
import type { DeviceBuffer, Executor, Tensor } from '@synglot/gpu';
import type { ElementChoice } from '@synglot/kernels';
import {
  type Axis,
  type DeviceTraits,
  Graph,
  type MatmulChoice,
  type MatmulProblem,
  type MatmulProduct,
  matmulNn,
  matmulNt,
  matmulShapeClass,
  matmulTn,
  ParameterLayout,
  packStep,
} from '@synglot/nn';
import { packHalf, stored, unpackHalf } from './half.js';
import { bitsOf, poison, poisonBits } from './kernel-harness.js';
import { erf } from './kernel-references.js';
import { randomFloats } from './random.js';

export interface Size {
  readonly capacity: number;
  readonly live: number;
}

export interface Shape {
  readonly m: Size;
  readonly n: Size;
  readonly k: Size;
}

export interface Product {
  readonly product: MatmulProduct;
  readonly accumulate: boolean;
  readonly element: ElementChoice;
  readonly output: ElementChoice;
}

export const full = (capacity: number): Size => ({ capacity, live: capacity });
export const part = (live: number, capacity: number): Size => ({ capacity, live });

/** Every product, overwriting and, where it can, adding. */
export const products: readonly Pick<Product, 'product' | 'accumulate'>[] = [
  { product: 'matmul_nt', accumulate: false },
  { product: 'matmul_nt', accumulate: true },
  { product: 'matmul_nt_bias', accumulate: false },
  { product: 'matmul_nt_bias_gelu', accumulate: false },
  { product: 'matmul_nn', accumulate: false },
  { product: 'matmul_nn', accumulate: true },
  { product: 'matmul_nn_gelu_backward', accumulate: false },
  { product: 'matmul_tn', accumulate: false },
  { product: 'matmul_tn', accumulate: true },
];

/** Ones, primes, just over and under tiles of 4 to 128, live sizes below capacity on every axis. */
export const shapes: readonly Shape[] = [
  { m: full(1), n: full(1), k: full(1) },
  { m: full(5), n: full(1), k: full(7) },
  { m: full(8), n: full(8), k: full(8) },
  { m: part(13, 16), n: part(5, 7), k: full(4) },
  { m: part(31, 37), n: full(36), k: full(20) },
  { m: part(3, 7), n: part(5, 11), k: part(2, 13) },
  { m: full(33), n: full(68), k: part(29, 64) },
  { m: part(65, 67), n: part(127, 131), k: part(61, 71) },
  { m: full(12), n: full(129), k: part(257, 300) },
  { m: part(0, 5), n: full(12), k: full(8) },
  { m: full(4), n: full(12), k: part(0, 9) },
];

/** `shape` with capacities rounded up as what is bound as quads needs it; live sizes are free. */
export function fit(product: MatmulProduct, { m, n, k }: Shape): Shape {
  const quads = ({ capacity, live }: Size): Size => ({ capacity: Math.ceil(capacity / 4) * 4, live });
  return product === 'matmul_tn' ? { m: quads(m), n: quads(n), k } : { m, n: quads(n), k: quads(k) };
}

/** The problem as the ops see it: an axis whose live size is below its capacity has a slot. */
export function asProblem({ product, element, output }: Product, { m, n, k }: Shape): MatmulProblem {
  const axis = ({ capacity, live }: Size, slot: Axis['slot']): Axis => ({
    capacity,
    slot: live < capacity ? slot : 'all',
  });
  const axes = { m: axis(m, 'queries'), n: axis(n, 'candidates'), k: axis(k, 'tokens') };
  return { product, ...axes, element, output };
}

export interface ProductOptions {
  readonly device: DeviceTraits;
  /** Runs this instead of what the device's traits lead to; it must be among the candidates. */
  readonly choice?: MatmulChoice;
  readonly scale?: number;
}

export interface ProductResult {
  /** [live m, live n], and the same in float64. */
  readonly c: Float32Array;
  readonly expected: Float64Array;
  /** What the product left before its GELU, where it has one. */
  readonly x?: Float32Array;
  readonly expectedX?: Float64Array;
  /** Kernels that ran. */
  readonly kernels: readonly string[];
}

/** Runs one product; throws when rows of c beyond the live ones are written. */
export async function runProduct(
  executor: Executor,
  what: Product,
  shape: Shape,
  { device, choice, scale = 1 }: ProductOptions,
): Promise<ProductResult> {
  const { product, accumulate, element, output } = what;
  const { m, n, k } = shape;
  const problem = asProblem(what, shape);
  const kernelChoices = choice ? { [matmulShapeClass(problem)]: choice } : undefined;
  const traits = kernelChoices ? { ...device, kernelChoices } : device;
  const g = new Graph('product', new ParameterLayout([], 2 ** 27), false, traits);
  const isTn = product === 'matmul_tn';
  const isNt = product.startsWith('matmul_nt');
  const a = stored(isTn ? operand(k, m, 1) : operand(m, k, 1), element);
  const b = stored(isNt ? operand(n, k, 2) : operand(k, n, 2), element);
  const bias = operand(full(1), n, 3);
  const size = m.capacity * n.capacity;
  const before = stored(accumulate ? randomFloats(size, 4) : poison(size), output);
  const gelu = stored(
    product === 'matmul_nn_gelu_backward' ? operand(m, n, 5).map((value) => 2 * value) : poison(size),
    output,
  );

  const buffers = new Map<string, DeviceBuffer>();
  const tensor = (name: string, values: Float32Array, type: ElementChoice): Tensor => {
    const data = type === 'f16' ? packHalf(values) : values;
    const buffer = executor.createBuffer(name, data.byteLength);
    executor.write(buffer, data);
    buffers.set(name, buffer);
    return g.plan.external(name, [values.length], type);
  };
  const read = async (name: string): Promise<Float32Array> => {
    const bytes = await executor.read(buffers.get(name) as DeviceBuffer);
    return output === 'f16' ? unpackHalf(new Uint16Array(bytes), size) : new Float32Array(bytes);
  };
  const [ta, tb, tc] = [tensor('a', a, element), tensor('b', b, element), tensor('c', before, output)];
  const options = { m: problem.m, n: problem.n, k: problem.k, label: product, scale };
  if (product === 'matmul_nt') matmulNt(g, ta, tb, tc, { ...options, accumulate });
  else if (product === 'matmul_nt_bias')
    matmulNt(g, ta, tb, tc, { ...options, bias: tensor('bias', bias, 'f32') });
  else if (product === 'matmul_nt_bias_gelu') {
    const beforeGelu = tensor('x', gelu, output);
    matmulNt(g, ta, tb, tc, { ...options, bias: tensor('bias', bias, 'f32'), beforeGelu });
  } else if (product === 'matmul_nn') matmulNn(g, ta, tb, tc, { ...options, accumulate });
  else if (product === 'matmul_nn_gelu_backward') {
    matmulNn(g, ta, tb, tc, { ...options, accumulate: false, beforeGelu: tensor('x', gelu, output) });
  } else matmulTn(g, ta, tb, tc, { ...options, accumulate });

  const plan = g.plan.build();
  const compiled = await executor.compile(plan, buffers);
  const counts = { queries: m.live, candidates: n.live, tokens: k.live };
  await compiled.run({ feeds: { step: packStep({ counts }) } });
  const c = await read('c');
  const x = buffers.has('x') ? await read('x') : undefined;
  compiled.destroy();
  for (const buffer of buffers.values()) buffer.destroy();
  if (!isTn || accumulate) checkDeadRows(c, before, m, n);
  if (x && isNt) checkDeadRows(x, gelu, m, n);

  const sums = new Float64Array(m.live * n.live);
  for (let row = 0; row < m.live; row++) {
    for (let column = 0; column < n.live; column++) {
      let sum = 0;
      for (let i = 0; i < k.live; i++) {
        const left = isTn ? a[i * m.capacity + row] : a[row * k.capacity + i];
        const right = isNt ? b[column * k.capacity + i] : b[i * n.capacity + column];
        sum += (left as number) * (right as number);
      }
      sums[row * n.live + column] = sum * scale;
    }
  }
  const at = (index: number) => Math.floor(index / n.live) * n.capacity + (index % n.live);
  const expectedX = sums.map((sum, index) => sum + (bias[index % n.live] as number));
  const expected = sums.map((sum, index) => {
    if (product === 'matmul_nt_bias') return expectedX[index] as number;
    if (product === 'matmul_nt_bias_gelu') return geluReference(expectedX[index] as number);
    if (product === 'matmul_nn_gelu_backward') return sum * geluSlope(gelu[at(index)] as number);
    return accumulate ? sum + (before[at(index)] as number) : sum;
  });
  const live = (values: Float32Array) => Float32Array.from(sums, (_, index) => values[at(index)] as number);
  return {
    c: live(c),
    expected,
    ...(x && isNt ? { x: live(x), expectedX } : {}),
    kernels: plan.kernels.map(({ label }) => label),
  };
}

/** [rows, columns] with NaN beyond the live rows and columns. */
function operand(rows: Size, columns: Size, seed: number): Float32Array {
  const values = randomFloats(rows.capacity * columns.capacity, seed);
  const bits = bitsOf(values);
  for (let i = 0; i < bits.length; i++) {
    const outside = Math.floor(i / columns.capacity) >= rows.live || i % columns.capacity >= columns.live;
    if (outside) bits[i] = poisonBits;
  }
  return values;
}

function checkDeadRows(written: Float32Array, before: Float32Array, m: Size, n: Size): void {
  const [now, then] = [bitsOf(written), bitsOf(before)];
  for (let index = m.live * n.capacity; index < now.length; index++) {
    if (now[index] !== then[index])
      throw new Error(`index ${index} beyond the live rows was written (${written[index]})`);
  }
}

const geluReference = (x: number) => 0.5 * x * (1 + erf(x / Math.SQRT2));

const geluSlope = (x: number) =>
  0.5 * (1 + erf(x / Math.SQRT2)) + (x * Math.exp(-0.5 * x * x)) / Math.sqrt(2 * Math.PI);
