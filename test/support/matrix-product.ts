/**
 * Products on matrix units, one kernel and tile at a time, bit for bit: operands are multiples of 1/4 and so
 * small that all sums are exact in any order, with NaN beyond the live sizes; results start as poison.
 *
 * Knows nothing of whether the units are a device's or emulated.
 */
import type { Executor } from '@synglot/gpu';
import type { ElementChoice, KernelName } from '@synglot/kernels';
import type { MatmulChoice } from '@synglot/nn';
import { bitsOf, expectClose, type KernelData, poisonBits, runKernel } from './kernel-harness.js';
import { erf } from './kernel-references.js';
import { full, part, type products, type Shape, type Size } from './matmul-problem.js';
import { uniform } from './random.js';

/** Constants of a kernel on matrix units, as `matrixShapes` proposes them. */
export type MatrixTile = MatmulChoice['constants'];

export const awkward: readonly Shape[] = [
  { m: full(1), n: full(1), k: full(1) },
  { m: full(8), n: full(8), k: full(8) },
  { m: part(3, 7), n: part(5, 11), k: part(2, 13) },
  { m: part(31, 37), n: full(36), k: full(20) },
  { m: full(33), n: full(68), k: part(29, 64) },
  { m: part(65, 67), n: part(127, 131), k: part(61, 71) },
  { m: full(130), n: full(132), k: full(100) },
  { m: part(0, 5), n: full(12), k: full(8) },
  { m: full(4), n: full(12), k: part(0, 9) },
];

export interface MatrixProduct {
  readonly product: (typeof products)[number]['product'];
  readonly accumulate: boolean;
  readonly tile: MatrixTile;
  readonly shape: Shape;
  /** How a and b are stored, and c. */
  readonly storage: readonly [ElementChoice, ElementChoice];
  /** k of a part where k is worked through in parts, each to a matrix of its own. */
  readonly perPart?: number;
}

type MatrixKernel = Extract<KernelName, `matmul_${string}_subgroup_matrix`>;

/** [rows, columns] of multiples of 1/4 up to 1/2, NaN beyond the live rows and columns. */
function quarters(rows: Size, columns: Size, seed: number): Float32Array {
  const random = uniform(seed);
  const values = Float32Array.from(
    { length: rows.capacity * columns.capacity },
    () => (Math.floor(random() * 5) - 2) / 4,
  );
  const bits = bitsOf(values);
  for (let i = 0; i < bits.length; i++) {
    const outside = Math.floor(i / columns.capacity) >= rows.live || i % columns.capacity >= columns.live;
    if (outside) bits[i] = poisonBits;
  }
  return values;
}

function partsOf({ shape: { k }, perPart }: MatrixProduct): number {
  return perPart ? Math.ceil(k.capacity / perPart) : 1;
}

/** Runs the kernel; `results` is what its outputs hold, the rest what it was given. */
export async function runMatrixProduct(executor: Executor, what: MatrixProduct) {
  const { product, accumulate, tile, shape, storage, perPart } = what;
  const { m, n, k } = shape;
  const [element, output] = storage;
  const isTn = product === 'matmul_tn';
  const isNt = product.startsWith('matmul_nt');
  const a = isTn ? quarters(k, m, 1) : quarters(m, k, 1);
  const b = isNt ? quarters(n, k, 2) : quarters(k, n, 2);
  const bias = quarters(full(1), n, 3);
  const parts = partsOf(what);
  const size = parts * m.capacity * n.capacity;
  const before = accumulate ? quarters(full(m.capacity), full(n.capacity), 4) : size;
  // Where GELU' is exactly 0 or 1, and NaN beyond.
  const x = quarters(m, n, 5).map((value) => (value > 0 ? 64 : -64));
  const side = (name: 'M' | 'N') =>
    Number(tile[`SUBGROUPS_${name}`]) * Number(tile[`FRAGMENTS_${name}`]) * Number(tile[`MATRIX_${name}`]);
  const results = await runKernel(executor, `${product}_subgroup_matrix` as MatrixKernel, {
    constants: {
      ...tile,
      ...(product === 'matmul_nt' || product === 'matmul_nn' || isTn ? { ACCUMULATE: accumulate } : {}),
      ...(perPart ? { K_PER_PART: perPart } : {}),
      Element: element,
      Output: output,
    },
    bindings: {
      a,
      b,
      c: before,
      ...(product.includes('bias') ? { bias } : {}),
      ...(product.includes('gelu') ? { x: product.includes('backward') ? x : size } : {}),
    } as Record<'a' | 'b' | 'bias' | 'c' | 'x', KernelData | number>,
    params: {
      m: m.capacity,
      n: n.capacity,
      k: k.capacity,
      m_count: 2,
      n_count: 3,
      k_count: 1,
      scale: 1,
      accumulate: 0,
    },
    workgroups: [Math.ceil(n.capacity / side('N')), Math.ceil(m.capacity / side('M')), parts],
    step: { counts: { queries: m.live, candidates: n.live, tokens: k.live } },
  });
  return { results, a, b, bias, before, x };
}

/** Runs the kernel; throws at the first element that is not exactly what the product is, or was touched. */
export async function checkMatrixProduct(executor: Executor, what: MatrixProduct): Promise<void> {
  const { product, accumulate, shape, perPart } = what;
  const { m, n, k } = shape;
  const { results, a, b, bias, before, x } = await runMatrixProduct(executor, what);
  const isTn = product === 'matmul_tn';
  const isNt = product.startsWith('matmul_nt');
  const withGelu = product === 'matmul_nt_bias_gelu';
  const exact = (withGelu ? results.x : results.c) as Float32Array;
  const gelus: number[] = [];
  for (let part = 0; part < partsOf(what); part++) {
    const [begin, end] = perPart ? [part * perPart, Math.min((part + 1) * perPart, k.live)] : [0, k.live];
    for (let row = 0; row < m.capacity; row++) {
      for (let column = 0; column < n.live; column++) {
        const within = row * n.capacity + column;
        const index = part * m.capacity * n.capacity + within;
        if (row >= m.live || (perPart && begin >= end)) {
          const untouched = typeof before === 'number' ? poisonBits : bitsOf(before)[index];
          if (bitsOf(exact)[index] !== untouched)
            throw new Error(
              `${product}: row ${row} of part ${part} was written, which is beyond the live ones`,
            );
          continue;
        }
        let sum = 0;
        for (let i = begin; i < end; i++) {
          const left = isTn ? a[i * m.capacity + row] : a[row * k.capacity + i];
          const right = isNt ? b[column * k.capacity + i] : b[i * n.capacity + column];
          sum += (left as number) * (right as number);
        }
        if (product.includes('bias')) sum += bias[column] as number;
        if (product === 'matmul_nn_gelu_backward') sum *= (x[within] as number) > 0 ? 1 : 0;
        if (accumulate && typeof before !== 'number') sum += before[within] as number;
        // + 0 because a sum of zeros may be -0.
        if ((exact[index] as number) + 0 !== sum + 0) {
          const where = `[${row}, ${column}] of part ${part}`;
          throw new Error(`${product} ${where}: expected ${sum} but received ${exact[index]}`);
        }
        if (withGelu) gelus[index] = 0.5 * sum * (1 + erf(sum / Math.SQRT2));
      }
    }
  }
  if (!withGelu) return;
  const c = results.c as Float32Array;
  const written = Object.keys(gelus).map(Number);
  expectClose(
    Float32Array.from(written, (index) => c[index] as number),
    written.map((index) => gelus[index] as number),
    what.storage[1] === 'f16' ? { absolute: 1e-3, relative: 1e-3 } : { absolute: 2e-6, relative: 2e-6 },
    `GELU of ${product}`,
  );
}
