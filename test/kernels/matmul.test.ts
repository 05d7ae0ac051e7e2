/**
 * Matrix products in all layouts against float64, through the ops: every kernel and tile that is a
 * candidate on this device, whichever the device's own rule would pick. Operands are NaN beyond the live
 * sizes. What runs on matrix units is checked bit for bit in matmul-subgroup-matrix.test.ts as well.
 */
import type { Executor } from '@synglot/gpu';
import { catalogue, extensionFeature } from '@synglot/kernels';
import { type DeviceTraits, type MatmulChoice, matmulCandidates } from '@synglot/nn';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestExecutor } from '../support/executor.js';
import { canStore, noHalf, storageTolerance } from '../support/half.js';
import { expectClose } from '../support/kernel-harness.js';
import {
  asProblem,
  fit,
  full,
  type Product,
  part,
  products,
  runProduct,
  type Shape,
  shapes,
} from '../support/matmul-problem.js';

let executor: Executor;
beforeAll(async () => {
  executor = await openTestExecutor();
});
afterAll(() => executor?.destroy());

const dispatched = new Set<string>();

async function check(
  what: Product,
  shape: Shape,
  options: { device: DeviceTraits; choice?: MatmulChoice; scale?: number },
): Promise<void> {
  const fitted = fit(what.product, shape);
  const { c, expected, x, expectedX, kernels } = await runProduct(executor, what, fitted, options);
  for (const kernel of kernels) dispatched.add(kernel);
  const sums = { absolute: 1e-6 * Math.sqrt(shape.k.live + 1), relative: 2e-6 };
  const tolerance = storageTolerance(sums, what.output);
  // GELU is taken of what was stored, and its slope is at most 1.13.
  const gelu = what.product.includes('gelu') ? 2 : 1;
  const widened = { absolute: gelu * tolerance.absolute, relative: gelu * tolerance.relative };
  if (x && expectedX) {
    expectClose(x, expectedX, tolerance, `${what.product} before the GELU`);
    const stored = expectedX.map((value) => Math.abs(value));
    const error = tolerance.relative * Math.max(0, ...stored);
    expectClose(c, expected, { ...widened, absolute: widened.absolute + error }, what.product);
  } else expectClose(c, expected, widened, what.product);
}

/** What a GPU's tiles do not divide; fewer, because each takes another tile to compile. */
const severalTiles = shapes.filter(({ m }) => m.live === 31 || m.live === 65);

/** A software device without subgroups. */
const portable: DeviceTraits = { type: 'cpu', subgroups: { minSize: 0, maxSize: 0 } };

/**
 * The device's own choice, that for a GPU with the same abilities, and what needs no ability; every product is stored as
 * f16 once, and once more where that is for matrix units.
 */
const combinations = products.flatMap((product) => {
  const whole = { ...product, element: 'f32', output: 'f32' } as const;
  const half = { ...whole, element: 'f16', output: product.product === 'matmul_tn' ? 'f32' : 'f16' } as const;
  return [
    { type: 'cpu', ...whole } as const,
    { type: 'discrete-gpu', ...whole } as const,
    { type: 'portable', ...whole } as const,
    { type: 'cpu', ...half } as const,
    { type: 'matrix units', ...half } as const,
  ];
});

/** Whether the device has matrix units for f16 that products are computed with. */
const hasUnits = () =>
  executor.device.subgroupMatrixConfigs.some(
    ({ component, result }) => component === 'f16' && result === 'f32',
  );

describe.each(combinations)(
  '$product, accumulate $accumulate, $element to $output, $type',
  ({ type, ...what }) => {
    test.for(type === 'cpu' ? shapes : severalTiles)('m $m n $n k $k', async (shape, { skip }) => {
      if (!canStore(executor, what.element)) return skip(noHalf);
      if (type === 'matrix units' && !hasUnits()) return skip('this device has no matrix units');
      const device = { ...executor.device, type: type === 'cpu' ? type : 'discrete-gpu' } as const;
      await check(what, shape, { device: type === 'portable' ? portable : device });
    });
  },
);

/** Those whose sums are all that differs; what becomes of the sums is tested above. */
const plain = [
  { product: 'matmul_nt', accumulate: false },
  { product: 'matmul_nn', accumulate: false },
  { product: 'matmul_tn', accumulate: true },
] as const;

test.for(plain)('every candidate for $product', async (product) => {
  const what = { ...product, element: 'f32', output: 'f32' } as const;
  const device = { ...executor.device, type: 'discrete-gpu' } as const;
  for (const shape of [
    { m: part(67, 70), n: full(132), k: part(70, 75) },
    { m: full(132), n: full(68), k: part(35, 36) },
  ]) {
    const candidates = matmulCandidates(device, asProblem(what, fit(what.product, shape)));
    // Parts of k have tests of their own.
    const whole = candidates.filter(({ constants }) => constants.K_PER_PART === undefined);
    expect(whole.length).toBeGreaterThan(4);
    for (const choice of whole) await check(what, shape, { device, choice, scale: 0.75 });
  }
});

describe('k in parts', () => {
  const device = () => ({ ...executor.device, type: 'discrete-gpu' }) as const;
  const what = { product: 'matmul_tn', element: 'f32', output: 'f32' } as const;

  test.for([true, false])('sums that are added, %s, of 0 to 3 live parts', async (accumulate) => {
    for (const live of [0, 1, 1024, 1025, 3000]) {
      const shape = { m: full(20), n: full(36), k: part(live, 3100) };
      const problem = asProblem({ ...what, accumulate }, shape);
      const choice = matmulCandidates(device(), problem)[0];
      expect(choice?.constants.K_PER_PART).toBe(1024);
      await check({ ...what, accumulate }, shape, { device: device() });
    }
  });

  test('the same bits whatever the capacity', async () => {
    const run = async (capacity: number) =>
      (
        await runProduct(
          executor,
          { ...what, accumulate: true },
          { m: full(20), n: full(36), k: part(1500, capacity) },
          { device: device() },
        )
      ).c;
    const sums = await run(2048);
    // Operands are drawn row by row, so a larger capacity only adds dead rows.
    expect(await run(1501)).toEqual(sums);
    expect(await run(5000)).toEqual(sums);
  });
});

test('the problems above have dispatched every matmul kernel that is for this device', () => {
  const known = Object.values(catalogue)
    .filter(({ enables }) => enables.every((name) => canEnable(extensionFeature[name])))
    .map(({ name }) => name)
    .filter((name) => name.startsWith('matmul_') && (hasUnits() || !name.endsWith('_subgroup_matrix')));
  expect([...dispatched].filter((name) => name.startsWith('matmul_')).sort()).toEqual(known.sort());
});

const canEnable = (feature: string) => executor.device.features.includes(feature);
