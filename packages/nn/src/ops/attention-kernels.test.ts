import { expect, test } from 'vitest';
import type { DeviceTraits } from '../graph.js';
import {
  type AttentionPass,
  type AttentionProblem,
  attentionCandidates,
  attentionShapeClass,
  attentionStrategies,
  attentionStrategy,
  attentionTileBytes,
  attentionWorkgroups,
  pickAttention,
} from './attention-kernels.js';

const limits = {
  maxStorageBufferBindingSize: 2 ** 31 - 4,
  maxBufferSize: 2 ** 32,
  maxStorageBuffersPerShaderStage: 16,
  maxComputeWorkgroupStorageSize: 49152,
  maxComputeInvocationsPerWorkgroup: 1024,
  maxComputeWorkgroupSizeX: 1024,
  maxComputeWorkgroupsPerDimension: 65535,
};
const gpu: DeviceTraits = { type: 'discrete-gpu', subgroups: { minSize: 32, maxSize: 32 }, limits };
const cpu: DeviceTraits = { type: 'cpu', subgroups: { minSize: 8, maxSize: 8 }, limits };
/** As a browser shows a device that hides its maker, and a software device without subgroups. */
const unknown: DeviceTraits = { type: 'unknown', subgroups: { minSize: 0, maxSize: 0 } };
const plainCpu: DeviceTraits = { ...unknown, type: 'cpu' };
/** Matrix units of f16 that sum in f32. */
const units = {
  features: ['subgroups', 'chromium-experimental-subgroup-matrix'],
  subgroupMatrixConfigs: [{ component: 'f16', result: 'f32', M: 16, N: 16, K: 16 }],
} as const;
const passes: readonly AttentionPass[] = [
  'attention_forward',
  'attention_backward_query',
  'attention_backward_key_value',
];
const headOf = (size: number, element: 'f32' | 'f16' = 'f32', pass: AttentionPass = 'attention_forward') =>
  ({ pass, headVectors: size / 4, element }) satisfies AttentionProblem;

test('GPUs get tiles, software devices subgroups, those without what runs everywhere', () => {
  expect(attentionStrategy(gpu)).toBe('workgroup');
  expect(attentionStrategy({ ...gpu, type: 'integrated-gpu' })).toBe('workgroup');
  expect(attentionStrategy(cpu)).toBe('subgroup');
  expect(attentionStrategy(plainCpu)).toBe('portable');
  expect(attentionStrategy(unknown)).toBe('workgroup');
});

test.each([
  ['f32', 32, ['32 × 32', '32 × 16', '32 × 16']],
  ['f32', 64, ['32 × 16', '16 × 16', '16 × 16']],
  ['f16', 32, ['32 × 32', '32 × 32', '32 × 32']],
  ['f16', 64, ['32 × 32', '32 × 16', '32 × 16']],
] as const)('tiles of %s heads of %i: forward, queries, keys and values', (element, size, expected) => {
  const shapes = passes.map((pass) => {
    const { kernel, constants } = pickAttention(gpu, headOf(size, element, pass));
    expect(kernel).toBe(`${pass}_workgroup`);
    const { WORKGROUP_X, WORKGROUP_Y, OTHERS_EACH } = constants as Record<string, number>;
    return `${4 * WORKGROUP_Y!} × ${WORKGROUP_X! * OTHERS_EACH!}`;
  });
  expect(shapes).toEqual(expected);
});

test('a subgroup of 64 is filled where a tile of 16 KiB has as many invocations', () => {
  const amd = { ...gpu, subgroups: { minSize: 32, maxSize: 64 } };
  for (const pass of passes) {
    for (const element of ['f32', 'f16'] as const) {
      const { constants } = pickAttention(amd, headOf(64, element, pass));
      const { WORKGROUP_X, WORKGROUP_Y } = constants as Record<string, number>;
      expect(WORKGROUP_X! * WORKGROUP_Y!).toBe(64);
    }
  }
});

test('the first tile asks for no more than every device grants, and none for more than this one does', () => {
  for (const size of [4, 8, 12, 32, 40, 64, 96, 128, 256]) {
    for (const pass of passes) {
      for (const element of ['f32', 'f16'] as const) {
        const problem = headOf(size, element, pass);
        const bytes = attentionCandidates(gpu, problem, 'workgroup').map(({ constants }) =>
          attentionTileBytes(problem, constants as never),
        );
        for (const each of bytes) expect(each).toBeLessThanOrEqual(limits.maxComputeWorkgroupStorageSize);
        const { limits: _, ...plain } = gpu;
        const portable = attentionCandidates(plain, problem, 'workgroup');
        // More workgroup memory brings more to choose from, not another first choice.
        if (portable.length > 0) expect(pickAttention(gpu, problem)).toEqual(portable[0]);
      }
    }
  }
});

test('bytes of a tile', () => {
  const tile = { WORKGROUP_X: 4, WORKGROUP_Y: 8, OTHERS_EACH: 4 };
  // 32 queries and 16 keys of 17 vectors, 16 × 9 vectors of weights, a vector an invocation.
  expect(attentionTileBytes(headOf(64), tile)).toBe((48 * 17 + 16 * 9 + 32) * 16);
  // Two panels of 32 keys, one of 16 queries, in half precision; weights are not.
  expect(attentionTileBytes(headOf(64, 'f16', 'attention_backward_key_value'), tile)).toBe(
    80 * 17 * 8 + 16 * 9 * 16,
  );
});

test('a head for which no tile fits gets the portable kernel, each pass by itself', () => {
  const { limits: _, ...plain } = gpu;
  expect(pickAttention(plain, headOf(128)).kernel).toBe('attention_forward_workgroup');
  expect(pickAttention(plain, headOf(128, 'f32', 'attention_backward_key_value'))).toEqual({
    kernel: 'attention_backward_key_value',
    constants: { HEAD_VECTORS: 32 },
  });
  for (const pass of passes) expect(pickAttention(plain, headOf(512, 'f32', pass)).kernel).toBe(pass);
});

test('a strategy can be forced by the traits, and is not where the device lacks subgroups', () => {
  for (const attentionStrategy of attentionStrategies) {
    const { kernel } = pickAttention({ ...cpu, ...units, attentionStrategy }, headOf(32, 'f16'));
    const suffix = attentionStrategy === 'portable' ? '' : `_${attentionStrategy}`;
    expect(kernel).toBe(`attention_forward${suffix}`);
  }
  for (const attentionStrategy of ['subgroup', 'subgroup_matrix'] as const) {
    expect(pickAttention({ ...unknown, attentionStrategy }, headOf(32)).kernel).toBe('attention_forward');
  }
});

test('matrix units come after all else: nothing but a table or a caller takes them', () => {
  const device = { ...gpu, ...units };
  for (const pass of passes) {
    const problem = headOf(64, 'f16', pass);
    const names = attentionCandidates(device, problem).map(({ kernel }) => kernel);
    expect(names[0]).toBe(`${pass}_workgroup`);
    const portable = names.indexOf(pass);
    expect(new Set(names.slice(portable + 1))).toEqual(new Set([`${pass}_subgroup_matrix`]));
    const matrix = attentionCandidates(device, problem, 'subgroup_matrix')[0]!;
    const tuned = { ...device, kernelChoices: { [attentionShapeClass(problem)]: matrix } };
    expect(pickAttention(tuned, problem)).toEqual(matrix);
    expect(pickAttention(device, problem, 'subgroup_matrix')).toEqual(matrix);
    expect(attentionWorkgroups(matrix, 33, 12)).toEqual([2, 12]);
    // Units of f16 would round what is stored as f32.
    expect(attentionCandidates(device, headOf(64, 'f32', pass), 'subgroup_matrix')).toEqual([]);
  }
});

test('workgroups cover all tokens', () => {
  const choose = (device: DeviceTraits) => pickAttention(device, headOf(32));
  expect(attentionWorkgroups(choose(gpu), 33, 12)).toEqual([2, 12]);
  expect(attentionWorkgroups(choose(cpu), 33, 12)).toEqual([5, 12]);
  expect(attentionWorkgroups(choose(plainCpu), 65, 12)).toEqual([2, 12]);
});

test('a table decides where it names a candidate, unless a strategy is forced', () => {
  const problem = headOf(64, 'f16', 'attention_backward_query');
  const key = attentionShapeClass(problem);
  expect(key).toBe('attention_backward_query 64 f16');
  const candidates = attentionCandidates(gpu, problem);
  const [first, last] = [candidates[0]!, candidates.at(-1)!];
  expect(last.kernel).toBe('attention_backward_query');
  const tuned = { ...gpu, kernelChoices: { [key]: last } };
  expect(pickAttention(tuned, problem)).toEqual(last);
  expect(pickAttention(tuned, { ...problem, element: 'f32' }).kernel).toBe(
    'attention_backward_query_workgroup',
  );
  expect(pickAttention(tuned, problem, 'workgroup')).toEqual(first);
  const stale = { ...first, constants: { ...first.constants, WORKGROUP_X: 12345 } };
  expect(pickAttention({ ...gpu, kernelChoices: { [key]: stale } }, problem)).toEqual(first);
});
