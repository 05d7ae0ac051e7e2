/** The tuner of attention: every candidate is tried and agrees, and what it chose is what plans then use. */
import type { Executor } from '@synglot/gpu';
import {
  type AttentionTask,
  attentionCandidates,
  attentionShapeClass,
  buildTrainPlan,
  collectAttention,
  contrastive,
  type DeviceTraits,
  type EncoderConfig,
  encoderParameters,
  ParameterLayout,
  tuneAttention,
} from '@synglot/nn';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestExecutor } from '../support/executor.js';
import { overExecutor } from '../support/over-executor.js';

const config: EncoderConfig = {
  family: 'bert',
  vocabularySize: 64,
  hiddenSize: 16,
  layers: 2,
  heads: 2,
  intermediateSize: 32,
  maxPositions: 32,
  typeVocabularySize: 2,
  layerNormEpsilon: 1e-12,
  hiddenDropout: 0,
  attentionDropout: 0,
  positionOffset: 0,
  initializerRange: 0.02,
};
const pooling = { mode: 'mean', normalize: true } as const;
const layout = new ParameterLayout(encoderParameters(config, pooling), 2 ** 27);
const train = (device: DeviceTraits, tokens = 80) =>
  buildTrainPlan({
    config,
    pooling,
    layout,
    device,
    mode: 'accumulate',
    capacity: { tokens, queries: 4, candidates: 4 },
    objectives: [contrastive({ temperature: 0.05, direction: 'both' })],
  });
const kernelsOf = (device: DeviceTraits) => train(device).kernels.map(({ label }) => label);
const compileTimeoutMs = 300_000;

let executor: Executor;
beforeAll(async () => {
  executor = await openTestExecutor();
});
afterAll(() => executor?.destroy());

/** The executor with the traits of a GPU, so that what is for GPUs is tried on it. */
const asGpu = (inner: Executor) => overExecutor(inner, { device: { type: 'discrete-gpu' } });

test('passes of a plan are collected once each, the largest of a class', () => {
  const tasks = collectAttention(executor.device, (device) => {
    train(device, 48);
    train(device, 80);
  });
  expect(tasks.map(attentionShapeClass)).toEqual([
    'attention_forward 8 f32',
    'attention_backward_query 8 f32',
    'attention_backward_key_value 8 f32',
  ]);
  for (const { tokens, heads } of tasks) expect([tokens, heads]).toEqual([80, 2]);
});

test(
  'every candidate is tried, and plans use what was chosen',
  async () => {
    const tasks = collectAttention(executor.device, train);
    const tried = new Map<string, number>();
    const table = await tuneAttention(executor, tasks, 12, {
      runs: 1,
      onTuned: (result) => tried.set(result.shapeClass, result.tried.length),
    });
    for (const task of tasks) {
      const key = attentionShapeClass(task);
      expect(tried.get(key)).toBe(attentionCandidates(executor.device, task).length);
      expect(attentionCandidates(executor.device, task)).toContainEqual(table[key]);
    }
    // Any choice is taken, not only the one that runs anyway; one that is forced is not overridden.
    const kernelChoices = Object.fromEntries(
      tasks.map((task) => [
        attentionShapeClass(task),
        attentionCandidates(executor.device, task, 'portable').at(-1)!,
      ]),
    );
    expect(kernelsOf({ ...executor.device, kernelChoices })).toContain('attention_forward');
    expect(kernelsOf({ ...executor.device, kernelChoices, attentionStrategy: 'workgroup' })).toContain(
      'attention_forward_workgroup',
    );
  },
  compileTimeoutMs,
);

test(
  'all tiles for GPUs agree with the portable kernel',
  async () => {
    const gpu = asGpu(executor);
    const task: AttentionTask = {
      pass: 'attention_backward_query',
      headVectors: 2,
      element: 'f32',
      tokens: 80,
      heads: 2,
    };
    const tried: string[] = [];
    await tuneAttention(gpu, [task], 12, {
      runs: 1,
      onTuned: (result) => tried.push(...result.tried.map(({ choice }) => choice.kernel)),
    });
    expect(tried.length).toBe(attentionCandidates(gpu.device, task).length);
    expect(new Set(tried)).toEqual(
      new Set(['attention_backward_query_workgroup', 'attention_backward_query']),
    );
  },
  compileTimeoutMs,
);

test(
  'all tiles on matrix units agree with the portable kernel',
  async ({ skip }) => {
    const task: AttentionTask = {
      pass: 'attention_backward_key_value',
      headVectors: 4,
      element: 'f16',
      tokens: 80,
      heads: 1,
    };
    const units = attentionCandidates(executor.device, task, 'subgroup_matrix');
    skip(units.length === 0, 'this device has no matrix units for f16 with sums in f32');
    const tried: string[] = [];
    await tuneAttention(executor, [task], 12, {
      runs: 1,
      onTuned: (result) => tried.push(...result.tried.map(({ choice }) => choice.kernel)),
    });
    expect(tried.filter((kernel) => kernel.endsWith('_subgroup_matrix')).length).toBe(units.length);
    expect(tried).toContain('attention_backward_key_value');
  },
  compileTimeoutMs,
);
