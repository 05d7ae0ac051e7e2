import { expect, test } from 'vitest';
import type { DeviceTraits } from '../graph.js';
import { type MatmulProblem, matmulCandidates, matmulShapeClass, pickMatmul } from './matmul-candidates.js';

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

test('no matrix units where subgroups may have several sizes', () => {
  const varying = { ...gpu, subgroups: { minSize: 8, maxSize: 32 } };
  expect(pickMatmul(varying, forward).kernel).toBe('matmul_nt_bias_workgroup');
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
