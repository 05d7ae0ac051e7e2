import type { SubgroupMatrixConfig } from '@synglot/gpu';
import { expect, test } from 'vitest';
import type { DeviceTraits } from '../graph.js';
import type { AttentionPass } from './attention-kernels.js';
import {
  attentionMatrixShapes,
  attentionMatrixTiles,
  matrixTileBytes,
  matrixTileRows,
} from './attention-matrix-tiles.js';

const limits = {
  maxStorageBufferBindingSize: 2 ** 31 - 4,
  maxBufferSize: 2 ** 32,
  maxStorageBuffersPerShaderStage: 16,
  maxComputeWorkgroupStorageSize: 49152,
  maxComputeInvocationsPerWorkgroup: 1024,
  maxComputeWorkgroupSizeX: 1024,
  maxComputeWorkgroupsPerDimension: 65535,
};
const half = (M: number, N: number, K: number): SubgroupMatrixConfig => ({
  component: 'f16',
  result: 'f32',
  M,
  N,
  K,
});
const device: DeviceTraits = {
  type: 'discrete-gpu',
  subgroups: { minSize: 32, maxSize: 32 },
  limits,
  features: ['subgroups', 'chromium-experimental-subgroup-matrix'],
  subgroupMatrixConfigs: [half(16, 16, 16)],
};
const passes: readonly AttentionPass[] = [
  'attention_forward',
  'attention_backward_query',
  'attention_backward_key_value',
];
/** Configurations and subgroup sizes: lavapipe, Apple, NVIDIA, AMD. */
const devices = [
  ...[
    { config: half(8, 8, 8), size: 8 },
    { config: half(8, 8, 8), size: 32 },
  ],
  ...[
    { config: half(16, 16, 16), size: 32 },
    { config: half(16, 8, 16), size: 32 },
  ],
  ...[
    { config: half(16, 8, 8), size: 32 },
    { config: half(16, 16, 16), size: 64 },
  ],
];

test.each(devices)(
  'tiles of $config, subgroups of $size, are what the kernels ask for',
  ({ config, size }) => {
    for (const pass of passes) {
      for (const headVectors of [2, 3, 8, 10, 16, 24, 32]) {
        const problem = { pass, headVectors, element: 'f16' } as const;
        const on = { ...device, subgroups: { minSize: size, maxSize: size } };
        const tiles = attentionMatrixShapes(on, problem, config, size);
        if (headVectors <= 16) expect(tiles.length).toBeGreaterThan(1);
        expect(new Set(tiles.map((tile) => JSON.stringify(tile))).size).toBe(tiles.length);
        for (const tile of tiles) {
          const of = (name: string) => Number(tile[name]);
          const own = of('SUBGROUPS_M') * of('OWN_FRAGMENTS') * config.M;
          const others = of('SUBGROUPS_N') * of('OTHER_FRAGMENTS') * config.N;
          const columns = of('SUBGROUPS_N') * of('COLUMN_FRAGMENTS') * config.N;
          const workgroup = of('SUBGROUPS_M') * of('SUBGROUPS_N') * size;
          expect(matrixTileRows(tile)).toBe(own);
          expect(workgroup % own).toBe(0);
          expect(others % (workgroup / own)).toBe(0);
          expect((of('OTHER_FRAGMENTS') * config.N) % config.K).toBe(0);
          expect((of('COLUMN_FRAGMENTS') * config.N) % config.K).toBe(0);
          expect(columns).toBeGreaterThanOrEqual(4 * headVectors);
          expect(matrixTileBytes(pass, tile)).toBeLessThanOrEqual(limits.maxComputeWorkgroupStorageSize);
          if (pass === 'attention_forward')
            expect(of('COLUMNS_EACH') * (workgroup / own)).toBeGreaterThanOrEqual(headVectors);
        }
      }
    }
  },
);

test('bytes of a tile of 32 × 32 rows of 64 columns', () => {
  const bytes = passes.map((pass) => {
    const [tile] = attentionMatrixShapes(
      device,
      { pass, headVectors: 16, element: 'f16' },
      half(16, 16, 16),
      32,
    );
    expect([tile!.OWN_FRAGMENTS, tile!.OTHER_FRAGMENTS, tile!.COLUMN_FRAGMENTS]).toEqual([1, 1, 2]);
    return matrixTileBytes(pass, tile!);
  });
  expect(bytes).toEqual([
    // Queries; keys and values; probabilities; scores, or the context; a share for each of 128 invocations.
    2 * 32 * 72 + 2 * 2 * 2 * 32 * 40 + 2 * 32 * 40 + 4 * 2 * 32 * 36 + 4 * 128,
    2 * 2 * 32 * 72 + 2 * 2 * 2 * 32 * 40 + 2 * 32 * 40 + 4 * 2 * 2 * 32 * 20,
    2 * 2 * 32 * 72 + 2 * 2 * 2 * 32 * 40 + 2 * 2 * 32 * 40 + 4 * 2 * 2 * 32 * 20 + 12 * 32,
  ]);
});

test('workgroups are multiples of the largest subgroup, whatever size is asked for: Dawn refuses others', () => {
  const subgroups = { minSize: 8, maxSize: 32 };
  for (const pass of passes) {
    const problem = { pass, headVectors: 8, element: 'f16' } as const;
    const workgroups = [8, 16, 32].flatMap((size) =>
      attentionMatrixShapes({ ...device, subgroups }, problem, half(8, 16, 16), size).map(
        ({ SUBGROUPS_M, SUBGROUPS_N }) => Number(SUBGROUPS_M) * Number(SUBGROUPS_N) * size,
      ),
    );
    expect(workgroups).not.toEqual([]);
    expect(workgroups.filter((invocations) => invocations % 32 !== 0)).toEqual([]);
  }
});

test('no tiles without the features, a fixed subgroup size, or a configuration for what is stored', () => {
  const tiles = (traits: Partial<DeviceTraits>, element: 'f16' | 'f32' = 'f16') =>
    attentionMatrixTiles({ ...device, ...traits }, { pass: 'attention_forward', headVectors: 8, element })
      .length;
  expect(tiles({})).toBeGreaterThan(0);
  expect(tiles({ features: ['subgroups'] })).toBe(0);
  expect(tiles({ subgroups: { minSize: 8, maxSize: 32 } })).toBe(0);
  expect(tiles({ subgroupMatrixConfigs: [{ ...half(16, 16, 16), result: 'f16' }] })).toBe(0);
  expect(tiles({}, 'f32')).toBe(0);
  expect(tiles({ subgroupMatrixConfigs: [{ ...half(8, 8, 8), component: 'f32' }] }, 'f32')).toBeGreaterThan(
    0,
  );
});
