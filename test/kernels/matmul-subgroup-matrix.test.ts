/**
 * Kernels on matrix units, bit for bit: every configuration of floats that the device reports, every
 * transpose and epilogue, operands that are multiples of 1/4 and so small that all sums are exact, with NaN
 * beyond the live sizes. Skipped where a device has no matrix units; REQUIRE_SUBGROUP_MATRIX=1 makes that
 * a failure (CONTRIBUTING.md says how to run it on a software device that has them).
 */
import type { Executor, SubgroupMatrixConfig } from '@synglot/gpu';
import type { ElementChoice, KernelName } from '@synglot/kernels';
import { matrixShapes } from '@synglot/nn';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openTestExecutor } from '../support/executor.js';
import { bitsOf, expectClose, type KernelData, poisonBits, runKernel } from '../support/kernel-harness.js';
import { fit, full, part, products, type Shape, type Size } from '../support/matmul-problem.js';
import { uniform } from '../support/random.js';

// A software device takes seconds to compile one tile.
vi.setConfig({ testTimeout: 900_000 });

let executor: Executor;
beforeAll(async () => {
  executor = await openTestExecutor();
  if (process.env.REQUIRE_SUBGROUP_MATRIX === '1') expect(configurations()).not.toEqual([]);
});
afterAll(() => executor?.destroy());

const noMatrices = 'this device reports no matrix units for floats';

/** Configurations of floats; those of integers have no kernels. */
const configurations = () =>
  executor.device.subgroupMatrixConfigs.filter(({ component }) => /^f(16|32)$/.test(component));

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

const awkward: readonly Shape[] = [
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

/** How a, b and c are stored. */
const storages: readonly (readonly [ElementChoice, ElementChoice])[] = [
  ['f16', 'f16'],
  ['f32', 'f32'],
];

type MatrixKernel = Extract<KernelName, `matmul_${string}_subgroup_matrix`>;

async function run(
  config: SubgroupMatrixConfig,
  tile: Readonly<Record<string, number | string>>,
  { product, accumulate }: (typeof products)[number],
  { m, n, k }: Shape,
  [element, output]: readonly [ElementChoice, ElementChoice],
) {
  const isTn = product === 'matmul_tn';
  const isNt = product.startsWith('matmul_nt');
  const a = isTn ? quarters(k, m, 1) : quarters(m, k, 1);
  const b = isNt ? quarters(n, k, 2) : quarters(k, n, 2);
  const bias = quarters(full(1), n, 3);
  const size = m.capacity * n.capacity;
  const before = accumulate ? quarters(full(m.capacity), full(n.capacity), 4) : size;
  // Where GELU' is exactly 0 or 1, and NaN beyond.
  const x = quarters(m, n, 5).map((value) => (value > 0 ? 64 : -64));
  const [rows, columns] = [
    Number(tile.SUBGROUPS_M) * Number(tile.FRAGMENTS_M) * config.M,
    Number(tile.SUBGROUPS_N) * Number(tile.FRAGMENTS_N) * config.N,
  ];
  const results = await runKernel(executor, `${product}_subgroup_matrix` as MatrixKernel, {
    constants: {
      ...tile,
      ...(product === 'matmul_nt' || product === 'matmul_nn' || isTn ? { ACCUMULATE: accumulate } : {}),
      ...{ Element: element, Output: output },
    },
    bindings: {
      ...{ a, b, c: before },
      ...(product.includes('bias') ? { bias } : {}),
      ...(product.includes('gelu') ? { x: product.includes('backward') ? x : size } : {}),
    } as Record<'a' | 'b' | 'bias' | 'c' | 'x', KernelData | number>,
    params: {
      ...{ m: m.capacity, n: n.capacity, k: k.capacity },
      ...{ m_count: 2, n_count: 3, k_count: 1, scale: 1, accumulate: 0 },
    },
    workgroups: [Math.ceil(n.capacity / columns), Math.ceil(m.capacity / rows)],
    step: { counts: { queries: m.live, candidates: n.live, tokens: k.live } },
  });
  return { results, a, b, bias, before, x, isTn, isNt };
}

async function check(...given: Parameters<typeof run>): Promise<void> {
  const [, , { product, accumulate }, { m, n, k }] = given;
  const { results, a, b, bias, before, x, isTn, isNt } = await run(...given);
  const [c, kept] = [results.c as Float32Array, results.x];
  const gelu = (value: number) => (value > 0 ? 1 : 0);
  for (let row = 0; row < m.capacity; row++) {
    for (let column = 0; column < n.live; column++) {
      const index = row * n.capacity + column;
      if (row >= m.live) {
        const untouched = typeof before === 'number' ? poisonBits : bitsOf(before)[index];
        expect(bitsOf(c)[index], `row ${row} beyond the live ones`).toBe(untouched);
        continue;
      }
      let sum = 0;
      for (let i = 0; i < k.live; i++) {
        const left = isTn ? a[i * m.capacity + row] : a[row * k.capacity + i];
        const right = isNt ? b[column * k.capacity + i] : b[i * n.capacity + column];
        sum += (left as number) * (right as number);
      }
      if (product.includes('bias')) sum += bias[column] as number;
      if (product === 'matmul_nn_gelu_backward') sum *= gelu(x[index] as number);
      if (accumulate && typeof before !== 'number') sum += before[index] as number;
      const exact = product === 'matmul_nt_bias_gelu' ? (kept as Float32Array) : c;
      // + 0 because a sum of zeros may be -0.
      if ((exact[index] as number) + 0 !== sum + 0) {
        throw new Error(`${product} [${row}, ${column}]: expected ${sum} but received ${exact[index]}`);
      }
    }
  }
}

/** Tiles of a configuration, from the largest; the last but one has several subgroups and is small. */
function tilesOf(config: SubgroupMatrixConfig, product: (typeof products)[number]) {
  const tiles = matrixShapes(executor.device, product.product, config, executor.device.subgroups.maxSize);
  expect(tiles.length).toBeGreaterThan(1);
  return { tiles, small: tiles.at(-2) as (typeof tiles)[number] };
}

describe.each(products)('$product, accumulate $accumulate', (product) => {
  test('every configuration', async (context) => {
    if (configurations().length === 0) return context.skip(noMatrices);
    for (const config of configurations()) {
      const { small } = tilesOf(config, product);
      for (const shape of awkward) {
        await check(config, small, product, fit(product.product, shape), ['f16', 'f32']);
      }
    }
  });
});

/** One of each transpose. */
const transposes = products.filter(
  ({ product, accumulate }) => /_(nt|nn|tn)$/.test(product) && accumulate === (product === 'matmul_tn'),
);

describe.each(transposes)('$product', (product) => {
  test('every configuration and tile', async (context) => {
    if (configurations().length === 0) return context.skip(noMatrices);
    for (const config of configurations()) {
      for (const tile of tilesOf(config, product).tiles) {
        for (const shape of awkward) {
          await check(config, tile, product, fit(product.product, shape), ['f16', 'f32']);
        }
      }
    }
  });

  test.for(storages)('stored as %s, result as %s', async (storage, context) => {
    if (configurations().length === 0) return context.skip(noMatrices);
    for (const config of configurations()) {
      const { small } = tilesOf(config, product);
      for (const shape of awkward) await check(config, small, product, fit(product.product, shape), storage);
    }
  });
});

test('GELU of what was kept, within its approximation', async (context) => {
  const config = configurations()[0];
  if (!config) return context.skip(noMatrices);
  const product = { product: 'matmul_nt_bias_gelu', accumulate: false } as const;
  const tile = matrixShapes(executor.device, product.product, config, executor.device.subgroups.maxSize)[0];
  const shape = fit(product.product, { m: full(33), n: full(68), k: full(29) });
  const { results } = await run(config, tile ?? {}, product, shape, ['f16', 'f32']);
  const kept = results.x as Float32Array;
  const plain = await runKernel(executor, 'gelu_forward', {
    bindings: { x: kept, y: kept.length },
    params: { rows: 33, rows_count: 0, columns: 68 },
    workgroups: [4],
  });
  expectClose(results.c, plain.y as Float32Array, { absolute: 1e-6, relative: 1e-6 }, 'GELU');
});
