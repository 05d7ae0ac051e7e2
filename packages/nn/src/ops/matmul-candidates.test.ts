import { describe, expect, test } from 'vitest';
import type { DeviceTraits } from '../graph.js';
import {
  type MatmulProblem,
  matmulCandidates,
  matmulShapeClass,
  matmulTile,
  pickMatmul,
} from './matmul-candidates.js';
import { matrixShapes } from './matmul-matrix-tiles.js';

const limits = {
  maxStorageBufferBindingSize: 2 ** 31 - 4,
  maxBufferSize: 2 ** 32,
  maxStorageBuffersPerShaderStage: 16,
  maxComputeWorkgroupStorageSize: 49152,
  maxComputeInvocationsPerWorkgroup: 1024,
  maxComputeWorkgroupSizeX: 1024,
  maxComputeWorkgroupsPerDimension: 65535,
};
const gpu: DeviceTraits = {
  type: 'discrete-gpu',
  subgroups: { minSize: 32, maxSize: 32 },
  features: ['shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix'],
  subgroupMatrixConfigs: [
    { component: 'f16', result: 'f16', M: 16, N: 16, K: 16 },
    { component: 'f16', result: 'f32', M: 16, N: 16, K: 16 },
  ],
  limits,
};
const all = (capacity: number) => ({ capacity, slot: 'all' }) as const;
const tokens = (capacity: number) => ({ capacity, slot: 'tokens' }) as const;
const forward: MatmulProblem = {
  product: 'matmul_nt_bias',
  m: tokens(8192),
  n: all(768),
  k: all(768),
  element: 'f16',
  output: 'f16',
};
const weights: MatmulProblem = {
  ...forward,
  product: 'matmul_tn',
  m: all(384),
  n: all(384),
  k: tokens(8192),
  output: 'f32',
};

test('half precision runs on matrix units, with sums in f32 and 128 × 128 tiles where there are many', () => {
  const { kernel, constants } = pickMatmul(gpu, forward);
  expect(kernel).toBe('matmul_nt_bias_subgroup_matrix');
  expect(constants).toMatchObject({ MATRIX_M: 16, Component: 'f16', Sum: 'f32', SUBGROUP_SIZE: 32 });
  for (const candidate of matmulCandidates(gpu, forward)) expect(candidate.constants.Sum).not.toBe('f16');
});

test('f32 keeps its precision: no units of f16', () => {
  const { kernel } = pickMatmul(gpu, { ...forward, element: 'f32', output: 'f32' });
  expect(kernel).toBe('matmul_nt_bias_workgroup');
});

describe('subgroups of several sizes', () => {
  const varying = { ...gpu, subgroups: { minSize: 8, maxSize: 32 } };
  const controlled = { ...varying, features: [...(gpu.features ?? []), 'subgroup-size-control'] };
  const sizes = (device: DeviceTraits) =>
    matmulCandidates(device, forward).flatMap(({ constants }) => constants.SUBGROUP_SIZE ?? []);

  test('no matrix units where a kernel cannot choose among them', () => {
    expect(pickMatmul(varying, forward).kernel).toBe('matmul_nt_bias_workgroup');
    expect(sizes(varying)).toEqual([]);
  });

  test('a kernel asks for its size where it can: 32 first, and the others for a tuner', () => {
    expect(pickMatmul(controlled, forward).constants).toMatchObject({
      SUBGROUP_SIZE: 32,
      PIN_SUBGROUP_SIZE: true,
    });
    expect([...new Set(sizes(controlled))].sort()).toEqual([16, 32, 8].sort());
    for (const { kernel, constants } of matmulCandidates(controlled, forward)) {
      expect(constants.PIN_SUBGROUP_SIZE).toBe(kernel.endsWith('_subgroup_matrix') ? true : undefined);
    }
    const small = { ...controlled, subgroups: { minSize: 8, maxSize: 16 } };
    expect(pickMatmul(small, forward).constants.SUBGROUP_SIZE).toBe(16);
  });

  test('workgroups are multiples of the largest, whatever is asked for: Dawn refuses others', () => {
    for (const maxSize of [32, 64]) {
      const device = { ...controlled, subgroups: { minSize: 16, maxSize } };
      // So small that the smallest tile is the best guess.
      for (const problem of [forward, weights, { ...weights, m: all(128), n: all(128) }]) {
        expect(pickMatmul(device, problem).kernel).toMatch(/_subgroup_matrix$/);
        for (const { constants } of matmulCandidates(device, problem)) {
          const { SUBGROUPS_M = 1, SUBGROUPS_N = 1, SUBGROUP_SIZE = maxSize } = constants;
          expect((Number(SUBGROUPS_M) * Number(SUBGROUPS_N) * Number(SUBGROUP_SIZE)) % maxSize).toBe(0);
        }
      }
    }
  });

  test('none asks where there is one size only', () => {
    const one = { ...controlled, subgroups: { minSize: 32, maxSize: 32 } };
    expect(sizes(one)).not.toEqual([]);
    for (const { constants } of matmulCandidates(one, forward)) {
      expect(constants.PIN_SUBGROUP_SIZE).toBeUndefined();
    }
  });
});

const units = [
  [16, 16, 16, 32],
  [16, 8, 16, 32],
  [16, 8, 8, 32],
  [8, 16, 16, 16],
  [8, 16, 16, 32],
  [8, 8, 8, 32],
  [16, 16, 16, 64],
] as const;

test.each(units)(
  'units of %i × %i × %i in subgroups of %i: tiles that keep to registers and memory',
  (M, N, K, size) => {
    const config = { component: 'f16', result: 'f32', M, N, K };
    for (const product of ['matmul_nt', 'matmul_nn', 'matmul_tn'] as const) {
      const device = { ...gpu, subgroups: { minSize: size, maxSize: size } };
      const shapes = matrixShapes(device, product, config, size);
      expect(shapes.length).toBeGreaterThanOrEqual(4);
      const areas = shapes.map((constants) => {
        const of = (name: string) => Number(constants[name]);
        const [down, across, m, n] = ['SUBGROUPS_M', 'SUBGROUPS_N', 'FRAGMENTS_M', 'FRAGMENTS_N'].map(of) as [
          number,
          number,
          number,
          number,
        ];
        expect(m * n).toBeLessThanOrEqual(32);
        // f32 sums of an invocation; with operands and addresses they share at most 256 registers.
        expect((m * M * n * N) / size).toBeLessThanOrEqual(128);
        expect(down * across * size).toBeLessThanOrEqual(1024);
        expect(of('STEP_K') % K).toBe(0);
        const { rows, columns } = matmulTile({ kernel: `${product}_subgroup_matrix`, constants });
        expect([rows, columns]).toEqual([down * m * M, across * n * N]);
        // As the includes declare them: panels of f16, a matrix beside the other, with rows of 16 padded by 8.
        const step = of('STEP_K');
        const padded = (size: number) => (size === 16 ? 24 : size);
        const [alongM, alongN, alongK] = [padded(M) / M, padded(N) / N, padded(K) / K];
        const left = rows * step * (product === 'matmul_tn' ? alongM : alongK);
        const right = columns * step * (product === 'matmul_nt' ? alongK : alongN);
        const lanes = down * across * size;
        expect(lanes % ((product === 'matmul_tn' ? rows : step) / 4)).toBe(0);
        expect(lanes % ((product === 'matmul_nt' ? step : columns) / 4)).toBe(0);
        expect(2 * (left + right) + 4 * down * across * M * N).toBeLessThanOrEqual(49152);
        return rows * columns;
      });
      expect(areas).toEqual(areas.toSorted((one, other) => other - one));
    }
  },
);

test('many tiles: 128 × 128 by eight subgroups of 32, with 64 sums an invocation', () => {
  for (const [M, N, K] of [
    [16, 16, 16],
    [16, 8, 16],
    [16, 8, 8],
  ] as const) {
    const device = { ...gpu, subgroupMatrixConfigs: [{ component: 'f16', result: 'f32', M, N, K }] };
    const choice = pickMatmul(device, forward);
    expect(matmulTile(choice)).toEqual({ rows: 128, columns: 128 });
    const { SUBGROUPS_M, SUBGROUPS_N, FRAGMENTS_M, FRAGMENTS_N } = choice.constants;
    expect([SUBGROUPS_M, SUBGROUPS_N]).toEqual([2, 4]);
    expect((Number(FRAGMENTS_M) * M * Number(FRAGMENTS_N) * N) / 32).toBe(64);
  }
});

test('small gradients of weights take k in parts, large ones do not, nor do software devices', () => {
  expect(pickMatmul(gpu, weights).constants.K_PER_PART).toBe(1024);
  expect(pickMatmul(gpu, { ...weights, m: all(3072), n: all(1024) }).constants.K_PER_PART).toBeUndefined();
  const software = { type: 'cpu', subgroups: { minSize: 8, maxSize: 8 } } as const;
  for (const { constants } of matmulCandidates(software, weights))
    expect(constants.K_PER_PART).toBeUndefined();
});

test('the capacity of a live axis decides nothing', () => {
  for (const device of [gpu, { type: 'cpu', subgroups: { minSize: 8, maxSize: 8 } } as const]) {
    for (const capacity of [1, 64, 4096, 30000]) {
      expect(pickMatmul(device, { ...forward, m: tokens(capacity) })).toEqual(pickMatmul(device, forward));
      expect(pickMatmul(device, { ...weights, k: tokens(capacity) })).toEqual(pickMatmul(device, weights));
    }
  }
});

test('everywhere there is something that runs on any device', () => {
  const portable = { type: 'unknown', subgroups: { minSize: 0, maxSize: 0 } } as const;
  const kernels = matmulCandidates(portable, forward).map(({ kernel }) => kernel);
  expect(kernels).toContain('matmul_nt_bias');
  expect(kernels.filter((kernel) => kernel.includes('subgroup'))).toEqual([]);
});

test('a table decides where it names a candidate, and nothing where it does not', () => {
  const other = matmulCandidates(gpu, forward).at(-1);
  if (!other) throw new Error('there are no candidates');
  const key = matmulShapeClass(forward);
  expect(key).toBe('matmul_nt_bias *x1024x1024 f16 f16');
  expect(pickMatmul({ ...gpu, kernelChoices: { [key]: other } }, forward)).toEqual(other);
  const stale = { ...other, constants: { ...other.constants, WORKGROUP_X: 12345 } };
  expect(pickMatmul({ ...gpu, kernelChoices: { [key]: stale } }, forward)).toEqual(pickMatmul(gpu, forward));
});
