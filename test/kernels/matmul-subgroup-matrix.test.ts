/**
 * Kernels on matrix units, bit for bit: every configuration of floats that the device reports, every
 * transpose and epilogue; and that their emulation (test/support/emulated-matrices.ts) gives the same bits.
 * Skipped where a device has no matrix units; REQUIRE_SUBGROUP_MATRIX=1 makes that a failure
 * (CONTRIBUTING.md says how to run it on a software device that has them).
 */
import type { Executor, SubgroupMatrixConfig } from '@synglot/gpu';
import type { ElementChoice } from '@synglot/kernels';
import { matrixShapes } from '@synglot/nn';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { withEmulatedMatrices } from '../support/emulated-matrices.js';
import { openTestExecutor } from '../support/executor.js';
import { fit, products } from '../support/matmul-problem.js';
import { awkward, checkMatrixProduct, runMatrixProduct } from '../support/matrix-product.js';

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

/** How a, b and c are stored. */
const storages: readonly (readonly [ElementChoice, ElementChoice])[] = [
  ['f16', 'f16'],
  ['f32', 'f32'],
];
const mixed = ['f16', 'f32'] as const;

/** Tiles of a configuration, from the largest; the last but one has several subgroups and is small. */
function tilesOf(config: SubgroupMatrixConfig, { product }: (typeof products)[number]) {
  const tiles = matrixShapes(executor.device, product, config, executor.device.subgroups.maxSize);
  expect(tiles.length).toBeGreaterThan(1);
  return { tiles, small: tiles.at(-2) as (typeof tiles)[number] };
}

describe.each(products)('$product, accumulate $accumulate', (product) => {
  test('every configuration', async (context) => {
    if (configurations().length === 0) return context.skip(noMatrices);
    for (const config of configurations()) {
      const { small: tile } = tilesOf(config, product);
      for (const given of awkward) {
        const shape = fit(product.product, given);
        await checkMatrixProduct(executor, { ...product, tile, shape, storage: mixed });
      }
    }
  });

  test('emulated, the same bits', async (context) => {
    if (configurations().length === 0) return context.skip(noMatrices);
    const { subgroups, subgroupMatrixConfigs: configs } = executor.device;
    const emulated = withEmulatedMatrices(executor, { subgroups, configs });
    for (const config of configurations()) {
      const { small: tile } = tilesOf(config, product);
      for (const given of awkward) {
        const what = { ...product, tile, shape: fit(product.product, given), storage: mixed };
        const [real, ours] = [
          await runMatrixProduct(executor, what),
          await runMatrixProduct(emulated, what),
        ].map(({ results }) => JSON.stringify(results)) as [string, string];
        expect(ours === real, JSON.stringify(what)).toBe(true);
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
        for (const given of awkward) {
          const shape = fit(product.product, given);
          await checkMatrixProduct(executor, { ...product, tile, shape, storage: mixed });
        }
      }
    }
  });

  test('asked for the size of its subgroups', async (context) => {
    if (configurations().length === 0) return context.skip(noMatrices);
    if (!executor.device.features.includes('subgroup-size-control'))
      return context.skip('no control of sizes');
    const { minSize, maxSize } = executor.device.subgroups;
    for (const config of configurations()) {
      for (let size = minSize; size <= maxSize; size *= 2) {
        const tile = { ...tilesOf(config, product).small, SUBGROUP_SIZE: size, PIN_SUBGROUP_SIZE: true };
        for (const given of awkward) {
          const shape = fit(product.product, given);
          await checkMatrixProduct(executor, { ...product, tile, shape, storage: mixed });
        }
      }
    }
  });

  test.for(storages)('stored as %s, result as %s', async (storage, context) => {
    if (configurations().length === 0) return context.skip(noMatrices);
    for (const config of configurations()) {
      const { small: tile } = tilesOf(config, product);
      for (const given of awkward) {
        await checkMatrixProduct(executor, { ...product, tile, shape: fit(product.product, given), storage });
      }
    }
  });
});
