/**
 * Encoders with adapters: gradients against central differences, dropout on; a fresh LoRA changes
 * nothing; fewer dispatches than full training.
 */
import type { Executor, Plan } from '@synglot/gpu';
import {
  type AdapterConfig,
  buildTrainPlan,
  columnLossResult,
  contrastive,
  type EncoderConfig,
  encoderParameters,
  freshParameters,
  isAdapterParameter,
  linearModules,
  matchModules,
  meanLoss,
  ParameterLayout,
  type PoolingConfig,
  packBatch,
  packStep,
  rowLossResult,
} from '@synglot/nn';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestExecutor } from '../support/executor.js';
import { checkGradients, type GradientProblem } from '../support/kernel-gradients.js';
import { randomFloats } from '../support/random.js';
import { smallEncoder as bert } from '../support/small-encoder.js';

let executor: Executor;
beforeAll(async () => {
  executor = await openTestExecutor();
});
afterAll(() => executor?.destroy());

const pooling: PoolingConfig = { mode: 'mean', normalize: true };
const beside = { trainsEmbeddings: false, trainsLayerNorms: false };
const all = { trainsEmbeddings: true, trainsLayerNorms: true };
const lora = (targets: string[]) =>
  ({
    kind: 'lora',
    modules: matchModules(bert, targets).modules,
    rank: 3,
    alpha: 5,
    dropout: 0.1,
    rankStabilized: false,
  }) as const;
const bottleneck = { size: 8, layers: [0, 1] } as const;

const adapters: Readonly<Record<string, AdapterConfig>> = {
  'LoRA on query and value': { ...lora(['query', 'value']), ...beside },
  'LoRA without dropout on all, rank stabilised, norms trained': {
    ...lora(['all-linear']),
    alpha: 2,
    dropout: 0,
    rankStabilized: true,
    ...beside,
    trainsLayerNorms: true,
  },
  'LoRA on the feed-forward block of the last layer, embeddings trained': {
    ...lora(['1.intermediate.dense', '1.output.dense']),
    ...all,
  },
  'Houlsby, GELU': { kind: 'houlsby', ...bottleneck, activation: 'gelu', ...beside },
  'Houlsby, swish, all trained': { kind: 'houlsby', ...bottleneck, activation: 'swish', ...all },
  'Pfeiffer, swish': { kind: 'pfeiffer', ...bottleneck, activation: 'swish', ...beside },
  'Pfeiffer in the last layer, GELU, norms trained': {
    kind: 'pfeiffer',
    size: 4,
    layers: [1],
    activation: 'gelu',
    ...all,
    trainsEmbeddings: false,
  },
};

const capacity = { tokens: 48, queries: 4, candidates: 8 };
const direction = 'both';

function plan(config: EncoderConfig, layout: ParameterLayout): Plan {
  const { device } = executor;
  const objectives = [contrastive({ temperature: 0.3, direction })];
  return buildTrainPlan({ config, pooling, layout, device, capacity, objectives, mode: 'accumulate' });
}

function feedsOf(queries: number, lengths: readonly number[]) {
  const cuSeqlens = Uint32Array.of(0, ...lengths);
  for (let i = 1; i < cuSeqlens.length; i++) cuSeqlens[i]! += cuSeqlens[i - 1] as number;
  const total = cuSeqlens.at(-1) as number;
  const ids = Uint32Array.from(randomFloats(total, 31), (value) => Math.floor((value + 1) * 30));
  const types = ids.map((id) => id % 2);
  const batch = { ids, types, cuSeqlens, queries, candidates: lengths.length - queries };
  const { feeds, counts } = packBatch(bert, capacity, batch);
  const groups = Uint32Array.from({ length: batch.candidates }, (_, index) => (index === 3 ? 0 : index));
  return { ...feeds, groups, step: packStep({ counts, seed: 987_654_321 }) };
}

function problem(adapter: AdapterConfig): GradientProblem {
  const config = { ...bert, adapter };
  const specs = encoderParameters(config, pooling);
  const layout = new ParameterLayout(specs, 2 ** 27);
  const values = new Map<string, Float32Array>();
  specs.forEach(({ name, shape }, index) => {
    const elements = shape.reduce((product, size) => product * size, 1);
    const size = isAdapterParameter(name) ? 0.4 : shape.length > 1 ? 0.6 : 0.3;
    const random = randomFloats(elements, 500 + index, size);
    values.set(name, name.endsWith('LayerNorm.weight') ? random.map((value) => value + 1) : random);
  });
  const queries = 3;
  return {
    plan: plan(config, layout),
    layout,
    values,
    feeds: feedsOf(queries, [3, 1, 5, 9, 2, 4, 6, 1]),
    poisonFeeds: feedsOf(
      4,
      Array.from({ length: 12 }, () => 4),
    ),
    reads: [rowLossResult, columnLossResult],
    loss: (reads) =>
      meanLoss(
        reads[rowLossResult] as Float32Array,
        reads[columnLossResult] as Float32Array,
        queries,
        direction,
      ),
  };
}

describe.each(Object.entries(adapters))('%s', (_, adapter) => {
  test('gradients agree with central differences', async () => {
    const given = problem(adapter);
    const groups = new Map<string, string[]>();
    for (const { name } of given.layout.specsOf('gradient')) {
      const kind = name.replace(/^encoder\.layer\.\d+\./, '');
      groups.set(kind, [...(groups.get(kind) ?? []), name]);
    }
    expect(groups.size).toBeGreaterThan(0);
    // Absolute: the rounding of a loss of about 2 in f32, over the step.
    const check = { groups: [...groups.values()], step: 2 ** -9, relative: 3e-3, absolute: 1.5e-4 };
    await checkGradients(executor, given, check);
  });
});

test('the rows that pad the rank of a fresh LoRA stay zero, and so does its update', async () => {
  const adapter = adapters['LoRA on query and value'] as AdapterConfig;
  const config = { ...bert, adapter };
  const specs = encoderParameters(config, pooling);
  const fresh = freshParameters(config, specs, 7);
  const [module] = linearModules(bert);
  const a = await fresh(`${module}.lora_A.weight`, 0, 4);
  expect(a.subarray(0, 48).every((value) => value !== 0 && Math.abs(value) <= 0.25)).toBe(true);
  expect(a.subarray(48).every((value) => value === 0)).toBe(true);
  expect((await fresh(`${module}.lora_B.weight`, 0, 4)).every((value) => value === 0)).toBe(true);
});

test('targets: ends of names, wildcards, and what matches nothing', () => {
  const targets = (...patterns: string[]) => matchModules(bert, patterns);
  expect(targets('query').modules).toEqual([
    'encoder.layer.0.attention.self.query',
    'encoder.layer.1.attention.self.query',
  ]);
  expect(targets('1.attention*dense').modules).toEqual(['encoder.layer.1.attention.output.dense']);
  expect(targets('layer.1*dense').modules).toHaveLength(3);
  expect(targets('all-linear').modules).toEqual(linearModules(bert));
  expect(targets('uery', 'layer.2*', 'key').unmatched).toEqual(['uery', 'layer.2*']);
});
