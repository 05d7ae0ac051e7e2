/**
 * The index arithmetic of the products on matrix units, for shapes of units and sizes of subgroups that no
 * device at hand has: modules with their matrices emulated (test/support/emulated-matrices.ts), bit for bit.
 *
 * Not a check of any device, of its compiler or of its speed: what runs is plain WGSL. The emulation itself is
 * held against real units by matmul-subgroup-matrix.test.ts.
 *
 * A device with f16 (lavapipe) runs all: every tile that a GPU of 48 KiB and 1024 invocations is offered for the first
 * units, and a quarter of them, each time another one, for the rest: they take minutes to compile. One without (SwiftShader) has f32 elements and runs a part that takes a fraction of
 * a minute: small tiles, and the largest at 16 × 16 × 16 with half its step of k, which then fits. What is left
 * out is skipped by name.
 */
import type { Executor, SubgroupMatrixConfig } from '@synglot/gpu';
import type { ElementChoice } from '@synglot/kernels';
import { type MatmulProduct, matrixShapes } from '@synglot/nn';
import { afterAll, beforeAll, describe, expect, type TestContext, test, vi } from 'vitest';
import { withEmulatedMatrices } from '../support/emulated-matrices.js';
import { openTestExecutor } from '../support/executor.js';
import { fit, full, part, products, type Shape } from '../support/matmul-problem.js';
import { awkward, checkMatrixProduct, type MatrixTile } from '../support/matrix-product.js';

vi.setConfig({ testTimeout: 300_000 });

let executor: Executor;
beforeAll(async () => {
  executor = await openTestExecutor();
});
afterAll(() => executor?.destroy());

interface Units {
  readonly M: number;
  readonly N: number;
  readonly K: number;
  readonly size: number;
}

/** Shapes as GPUs of several makers report them for f16 with sums in f32, and the size of subgroups. */
const units: readonly Units[] = [
  { M: 16, N: 16, K: 16, size: 32 },
  { M: 16, N: 8, K: 16, size: 32 },
  { M: 16, N: 8, K: 8, size: 32 },
  { M: 8, N: 16, K: 16, size: 32 },
  { M: 8, N: 16, K: 16, size: 16 },
  { M: 16, N: 16, K: 16, size: 64 },
  { M: 8, N: 8, K: 8, size: 32 },
];
/** Each differs from the first in all of M or N, K, and size of subgroups. */
const fewUnits = [units[0], units[2], units[4]];

const large: Shape = { m: full(130), n: full(132), k: full(100) };
const ragged: Shape = { m: part(65, 67), n: part(127, 131), k: part(61, 71) };

const hasHalf = () => executor.device.features.includes('shader-f16');
const component = (): ElementChoice => (hasHalf() ? 'f16' : 'f32');
const storage = () => [component(), 'f32'] as const;

function skipWithoutHalf(context: TestContext, run: boolean): void {
  if (!run && !hasHalf()) context.skip('left to devices with f16, which are faster');
}

/** The device as if it had these units. */
function emulated({ M, N, K, size }: Units): Executor {
  const configs = [{ component: component(), result: 'f32', M, N, K }];
  return withEmulatedMatrices(executor, { subgroups: { minSize: size, maxSize: size }, configs });
}

/** Tiles that a large GPU is offered. */
function offered(product: MatmulProduct, { M, N, K, size }: Units): MatrixTile[] {
  const limits = {
    ...executor.device.limits,
    maxComputeWorkgroupStorageSize: 49152,
    maxComputeInvocationsPerWorkgroup: 1024,
  };
  const config: SubgroupMatrixConfig = { component: 'f16', result: 'f32', M, N, K };
  return matrixShapes({ ...executor.device, type: 'discrete-gpu', limits }, product, config, size);
}

/** The same tile as it fits the device: with its elements, and with a smaller step of k where it must be. */
function fitted(product: MatmulProduct, tile: MatrixTile): MatrixTile | undefined {
  const { maxComputeWorkgroupStorageSize, maxComputeInvocationsPerWorkgroup } = executor.device.limits;
  const of = (name: string) => Number(tile[name]);
  const subgroups = of('SUBGROUPS_M') * of('SUBGROUPS_N');
  const rows = of('SUBGROUPS_M') * of('FRAGMENTS_M') * of('MATRIX_M');
  const columns = of('SUBGROUPS_N') * of('FRAGMENTS_N') * of('MATRIX_N');
  const fits = (step: number) => {
    const panel = (transposed: boolean, outer: number) =>
      transposed ? outer * (step + 8) : step * (outer + 8);
    const elements = panel(product !== 'matmul_tn', rows) + panel(product.startsWith('matmul_nt'), columns);
    const finished = subgroups * of('MATRIX_M') * of('MATRIX_N') * 4;
    return elements * (hasHalf() ? 2 : 4) + finished <= maxComputeWorkgroupStorageSize;
  };
  const step = [of('STEP_K'), of('MATRIX_K')].find(fits);
  if (!step || subgroups * of('SUBGROUP_SIZE') > maxComputeInvocationsPerWorkgroup) return undefined;
  return { ...tile, STEP_K: step, Component: component() };
}

/** The last but one is small and has several subgroups. */
const smallTile = (product: MatmulProduct, unit: Units) =>
  fitted(product, offered(product, unit).at(-2) as MatrixTile) as MatrixTile;

/** One of each transpose; the first and the last have every way of loading between them. */
const transposes = products.filter(
  ({ product, accumulate }) => /_(nt|nn|tn)$/.test(product) && accumulate === (product === 'matmul_tn'),
);

/** Those, and every epilogue. */
const fewProducts = products.filter(
  (what) => transposes.includes(what) || /gelu/.test(what.product) || what.product === 'matmul_tn',
);

describe.each(units)('$M × $N × $K, subgroups of $size', (unit) => {
  const first = unit === units[0];

  test.for(products)('$product, accumulate $accumulate', async (product, context) => {
    skipWithoutHalf(context, fewUnits.includes(unit) && (first ? fewProducts : transposes).includes(product));
    const tile = smallTile(product.product, unit);
    for (const given of awkward) {
      const shape = fit(product.product, given);
      await checkMatrixProduct(emulated(unit), { ...product, tile, shape, storage: storage() });
    }
  });

  const share = first ? 'every tile' : 'a quarter of the tiles';
  test.for([transposes[0], transposes[2]] as const)(`$product, ${share}`, async (what, context) => {
    skipWithoutHalf(context, first && what?.product === 'matmul_nt');
    const product = what as (typeof products)[number];
    const tiles = offered(product.product, unit)
      .filter((_, at) => first || at % 4 === units.indexOf(unit) % 4)
      .map((tile) => fitted(product.product, tile));
    if (hasHalf()) expect(tiles).not.toContain(undefined);
    for (const tile of hasHalf() ? tiles : tiles.slice(0, 1)) {
      for (const given of [large, ragged]) {
        const shape = fit(product.product, given);
        await checkMatrixProduct(emulated(unit), {
          ...product,
          shape,
          storage: storage(),
          tile: tile as MatrixTile,
        });
      }
    }
  });

  test.for([24, 64])('k in parts of %i', async (perPart, context) => {
    skipWithoutHalf(context, first && perPart === 24);
    const product = { product: 'matmul_tn', accumulate: false } as const;
    const tile = smallTile(product.product, unit);
    for (const given of [large, ragged, { ...ragged, k: part(3, 100) }]) {
      const shape = fit(product.product, given);
      await checkMatrixProduct(emulated(unit), { ...product, tile, shape, storage: storage(), perPart });
    }
  });
});

describe('subgroups of 8 to 32, of a size that the device chooses unless it is asked', () => {
  const unit: Units = { M: 8, N: 16, K: 16, size: 32 };
  const what = () => ({
    ...({ product: 'matmul_nn', accumulate: false, storage: storage() } as const),
    shape: fit('matmul_nn', ragged),
  });
  const device = (chosenSize: number) =>
    withEmulatedMatrices(executor, {
      subgroups: { minSize: 8, maxSize: 32, chosenSize },
      configs: emulated(unit).device.subgroupMatrixConfigs,
    });

  test.for([32, 16])('asked for %i, the product is exact', async (size, context) => {
    skipWithoutHalf(context, size === 32);
    const tile = { ...smallTile('matmul_nn', { ...unit, size }), PIN_SUBGROUP_SIZE: true };
    await checkMatrixProduct(device(size === 32 ? 16 : 32), { ...what(), tile });
  });

  test('counting on 16 without asking, where they are 32, it is wrong', async () => {
    const tile = smallTile('matmul_nn', { ...unit, size: 16 });
    await expect(checkMatrixProduct(device(32), { ...what(), tile })).rejects.toThrow(
      // The second where accesses are checked, too.
      /expected .* but received|read what nobody wrote/,
    );
  });
});
