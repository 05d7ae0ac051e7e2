/**
 * Plans for GPUs that are not at hand: whole training steps of base-size models, built for the traits of large and of
 * modest devices. Every dispatch, binding, workgroup and buffer is within what the device grants. No device needed.
 */
import { type DeviceLimits, type Plan, planMemory } from '@synglot/gpu';
import { catalogue, type ElementChoice, kernelCode } from '@synglot/kernels';
import {
  type AttentionPass,
  attentionCandidates,
  attentionTileBytes,
  buildEncodePlan,
  buildTrainPlan,
  contrastive,
  type DeviceTraits,
  defaultAdamW,
  type EncoderConfig,
  encoderParameters,
  type KernelChoice,
  type MatmulProduct,
  matmulCandidates,
  ParameterLayout,
  type PoolingConfig,
  type Precision,
} from '@synglot/nn';
import { describe, expect, test } from 'vitest';
import { workgroupUse } from '../support/wgsl-use.js';

const base = {
  hiddenSize: 768,
  layers: 12,
  heads: 12,
  intermediateSize: 3072,
  layerNormEpsilon: 1e-5,
  hiddenDropout: 0.1,
  attentionDropout: 0.1,
  initializerRange: 0.02,
};
interface Model {
  readonly config: EncoderConfig;
  readonly pooling: PoolingConfig;
}
const models: Readonly<Record<string, Model>> = {
  'XLM-R base': {
    config: {
      ...base,
      family: 'xlm-roberta',
      vocabularySize: 250002,
      maxPositions: 514,
      positionOffset: 2,
      typeVocabularySize: 1,
    },
    pooling: { mode: 'mean', normalize: true },
  },
  LaBSE: {
    config: {
      ...base,
      family: 'bert',
      vocabularySize: 501153,
      maxPositions: 512,
      positionOffset: 0,
      typeVocabularySize: 2,
    },
    pooling: {
      mode: 'cls',
      normalize: true,
      dense: { inFeatures: 768, outFeatures: 768, bias: true, activation: 'tanh' },
    },
  },
};

/** What WebGPU grants everywhere. */
const leastLimits: DeviceLimits = {
  maxStorageBufferBindingSize: 2 ** 27,
  maxBufferSize: 2 ** 28,
  maxStorageBuffersPerShaderStage: 8,
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupsPerDimension: 65535,
};
const matrixFeatures = ['shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix'];

/** As NVIDIA's driver reports itself, and what no device has less of. */
const devices = {
  'a large GPU with matrix units': {
    type: 'discrete-gpu',
    subgroups: { minSize: 32, maxSize: 32 },
    features: matrixFeatures,
    subgroupMatrixConfigs: [
      { component: 'f16', result: 'f32', M: 16, N: 16, K: 16 },
      { component: 'f16', result: 'f32', M: 16, N: 8, K: 16 },
      { component: 'f16', result: 'f16', M: 16, N: 16, K: 16 },
    ],
    limits: {
      ...leastLimits,
      maxStorageBufferBindingSize: 2 ** 32 - 4,
      maxBufferSize: 2 ** 32 - 2 ** 21,
      maxComputeWorkgroupStorageSize: 49152,
      maxComputeInvocationsPerWorkgroup: 1024,
    },
  },
  'a GPU with the least limits': {
    type: 'integrated-gpu',
    subgroups: { minSize: 0, maxSize: 0 },
    features: ['shader-f16'],
    limits: leastLimits,
  },
} satisfies Record<string, DeviceTraits & { limits: DeviceLimits }>;

/** Pairs of questions and passages as XQuAD-R's are; and of 512 tokens each, as long as they may be. */
const usual = { tokens: 8192, queries: 128, candidates: 128 };
const longest = { tokens: 2 * 128 * 512, queries: 128, candidates: 128 };

function layoutOf({ config, pooling }: Model, limits: DeviceLimits): ParameterLayout {
  const largest = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
  return new ParameterLayout(encoderParameters(config, pooling), largest);
}

function trainPlan(
  model: Model,
  device: DeviceTraits & { limits: DeviceLimits },
  precision: Precision,
  capacity: typeof usual,
): Plan {
  return buildTrainPlan({
    ...model,
    layout: layoutOf(model, device.limits),
    device,
    precision,
    capacity,
    mode: 'step',
    objectives: [contrastive({ temperature: 0.05, direction: 'both' })],
    optimizer: { method: defaultAdamW, maxGradientNorm: 1, decay: 'matrices' },
  });
}

/** Everything of a plan that a device with `limits` would refuse. */
function refused(plan: Plan, limits: DeviceLimits): string[] {
  const problems: string[] = [];
  for (const { name, sizeBytes } of plan.buffers) {
    if (sizeBytes > limits.maxStorageBufferBindingSize) problems.push(`buffer '${name}': ${sizeBytes} bytes`);
  }
  for (const command of plan.commands) {
    if (command.kind !== 'dispatch') continue;
    const most = Math.max(...command.workgroups);
    if (most > limits.maxComputeWorkgroupsPerDimension)
      problems.push(`'${command.label}': ${most} workgroups`);
  }
  for (const { label, code, access } of plan.kernels) {
    const { invocations, memoryBytes } = workgroupUse(code);
    if (access.length > limits.maxStorageBuffersPerShaderStage)
      problems.push(`${label}: ${access.length} bindings`);
    if (invocations > limits.maxComputeInvocationsPerWorkgroup)
      problems.push(`${label}: ${invocations} invocations`);
    if (memoryBytes > limits.maxComputeWorkgroupStorageSize)
      problems.push(`${label}: ${memoryBytes} bytes of workgroup memory`);
  }
  return problems;
}

const gibibytes = (bytes: number) => bytes / 2 ** 30;

describe.each(Object.entries(devices))('%s', (name, device) => {
  describe.each(Object.entries(models))('%s', (_, model) => {
    test.each(['f32', 'mixed'] as const)('a step of 128 pairs in %s', (precision) => {
      const plan = trainPlan(model, device, precision, usual);
      expect(refused(plan, device.limits)).toEqual([]);
      // Measured once: 4.6 GiB in f32, half of that in mixed precision.
      const { ownBytes } = planMemory(plan);
      expect(gibibytes(ownBytes.transient)).toBeLessThan(precision === 'mixed' ? 3 : 6);
      const kernels = plan.kernels.map(({ label }) => label);
      expect(kernels.filter((label) => /_subgroup$/.test(label))).toEqual([]);
      expect(kernels).toContainEqual(
        expect.stringMatching(/^attention_backward_key_value_(workgroup|subgroup_matrix)$/),
      );
      const units = kernels.some((label) => /^matmul.*_subgroup_matrix$/.test(label));
      expect(units).toBe(precision === 'mixed' && name.includes('matrix units'));
    });

    test('encoding 1,024 texts at once', () => {
      const { plan } = buildEncodePlan({
        ...model,
        layout: layoutOf(model, device.limits),
        device,
        tokens: 8192,
        sequences: 1024,
      });
      expect(refused(plan, device.limits)).toEqual([]);
    });
  });
});

test.each(['f32', 'mixed'] as const)(
  'a step of 128 pairs of the longest texts on a large GPU in %s',
  (precision) => {
    const device = devices['a large GPU with matrix units'];
    const plan = trainPlan(models['XLM-R base'] as Model, device, precision, longest);
    expect(refused(plan, device.limits)).toEqual([]);
  },
);

describe.each(Object.entries(devices))('all that a tuner may try on %s', (_, device) => {
  const elements: readonly ElementChoice[] = ['f32', 'f16'];
  const use = ({ kernel, constants }: KernelChoice, element: ElementChoice) => {
    const { types } = catalogue[kernel];
    const stored = Object.fromEntries(
      types.filter(({ name }) => !(name in constants)).map(({ name }) => [name, element]),
    );
    return workgroupUse(kernelCode(catalogue[kernel], { ...constants, ...stored }));
  };
  const { maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupStorageSize } = device.limits;
  const expectWithin = (choices: readonly KernelChoice[], element: ElementChoice) => {
    expect(choices.length).toBeGreaterThan(0);
    for (const choice of choices) {
      const { invocations, memoryBytes } = use(choice, element);
      const what = `${choice.kernel} ${JSON.stringify(choice.constants)}`;
      expect(invocations, what).toBeLessThanOrEqual(maxComputeInvocationsPerWorkgroup);
      expect(memoryBytes, what).toBeLessThanOrEqual(maxComputeWorkgroupStorageSize);
    }
  };

  const products: readonly MatmulProduct[] = [
    ...(['matmul_nt', 'matmul_nt_bias', 'matmul_nt_bias_gelu', 'matmul_nn'] as const),
    ...(['matmul_nn_gelu_backward', 'matmul_tn'] as const),
  ];
  test.each(products)('%s', (product) => {
    const axis = (capacity: number) => ({ capacity, slot: 'all' }) as const;
    for (const element of elements) {
      const size = { m: axis(3072), n: axis(768), k: { capacity: 8192, slot: 'tokens' } } as const;
      expectWithin(matmulCandidates(device, { product, ...size, element, output: element }), element);
    }
  });

  const passes: readonly AttentionPass[] = [
    ...(['attention_forward', 'attention_backward_query', 'attention_backward_key_value'] as const),
  ];
  test.each(passes)('%s', (pass) => {
    for (const element of elements) {
      for (const headVectors of [8, 16, 24, 32]) {
        const problem = { pass, headVectors, element };
        expectWithin(attentionCandidates(device, problem), element);
        for (const choice of attentionCandidates(device, problem, 'workgroup')) {
          const tile = choice.constants as Parameters<typeof attentionTileBytes>[1] &
            KernelChoice['constants'];
          expect(attentionTileBytes(problem, tile)).toBe(use(choice, element).memoryBytes);
        }
      }
    }
  });
});

test('slabs of the largest table fit into one buffer of a large GPU, and are cut for a small one', () => {
  const largest = ({ limits }: { limits: DeviceLimits }) =>
    Math.max(
      ...layoutOf(models.LaBSE as Model, limits)
        .slabsOf('gradient')
        .map(({ elements }) => 4 * elements),
    );
  const table = 501153 * 768 * 4;
  expect(largest(devices['a large GPU with matrix units'])).toBeGreaterThanOrEqual(table);
  expect(largest(devices['a GPU with the least limits'])).toBeLessThanOrEqual(2 ** 27);
});
