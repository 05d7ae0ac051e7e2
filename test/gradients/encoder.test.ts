/**
 * The whole encoder with InfoNCE, dropout on, against central differences: every parameter group, in
 * the plan that training runs. The mask is a function of the seed, so the loss is one smooth function.
 */
import type { Executor } from '@synglot/gpu';
import {
  buildTrainPlan,
  columnLossResult,
  contrastive,
  type DeviceTraits,
  type EncoderBatch,
  type EncoderConfig,
  encoderParameters,
  type LossDirection,
  meanLoss,
  ParameterLayout,
  ParameterStore,
  type PoolingConfig,
  packBatch,
  packStep,
  rowLossResult,
} from '@synglot/nn';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { openTestExecutor } from '../support/executor.js';
import { checkGradients, type GradientProblem } from '../support/kernel-gradients.js';
import { expectClose, rounding } from '../support/kernel-harness.js';
import { randomFloats } from '../support/random.js';
import { smallEncoder as bert } from '../support/small-encoder.js';

let executor: Executor;
beforeAll(async () => {
  executor = await openTestExecutor();
});
afterAll(() => executor?.destroy());

const xlmr: EncoderConfig = {
  ...bert,
  family: 'xlm-roberta',
  layers: 1,
  maxPositions: 11,
  typeVocabularySize: 1,
  positionOffset: 2,
};

interface Case {
  readonly config: EncoderConfig;
  readonly pooling: PoolingConfig;
  readonly direction: LossDirection;
  /** Splits the word table when below its size. */
  readonly bindingLimitBytes: number;
  readonly hasTypes: boolean;
}

const cases: Readonly<Record<string, Case>> = {
  'BERT, mean pooling, both directions, split word table': {
    config: bert,
    pooling: { mode: 'mean', normalize: true },
    direction: 'both',
    bindingLimitBytes: 25 * 16 * 4,
    hasTypes: true,
  },
  'XLM-R with LaBSE head, query to passage': {
    config: xlmr,
    pooling: {
      mode: 'cls',
      dense: { inFeatures: 16, outFeatures: 12, bias: true, activation: 'tanh' },
      normalize: true,
    },
    direction: 'query-to-passage',
    bindingLimitBytes: 2 ** 27,
    hasTypes: false,
  },
  'BERT with one product for queries, keys and values': {
    config: { ...bert, hiddenSize: 64, layers: 1, intermediateSize: 72 },
    pooling: { mode: 'mean', normalize: true },
    direction: 'both',
    bindingLimitBytes: 2 ** 27,
    hasTypes: true,
  },
};

/** A batch of sequences of these lengths with random, often repeated ids. */
function makeBatch(config: EncoderConfig, queries: number, lengths: readonly number[], hasTypes: boolean) {
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const ids = Uint32Array.from(randomFloats(total, 31), (value) => Math.floor((value + 1) * 12) * 2.5);
  const cuSeqlens = Uint32Array.of(0, ...lengths);
  for (let i = 1; i < cuSeqlens.length; i++) cuSeqlens[i]! += cuSeqlens[i - 1] as number;
  const types = Uint32Array.from(ids, (_, index) => (index % 3 === 2 ? 1 : 0));
  const batch: EncoderBatch = { ids, cuSeqlens, queries, candidates: lengths.length - queries };
  if (ids.some((id) => id >= config.vocabularySize)) throw new Error('the test makes ids that do not exist');
  return hasTypes ? { ...batch, types } : batch;
}

function encoderProblem(device: DeviceTraits, given: Case): GradientProblem {
  const { config, pooling, direction, bindingLimitBytes, hasTypes } = given;
  const specs = encoderParameters(config, pooling);
  const layout = new ParameterLayout(specs, bindingLimitBytes);
  const capacity = { tokens: 48, queries: 4, candidates: 8 };
  const plan = buildTrainPlan({
    config,
    pooling,
    layout,
    device,
    capacity,
    objectives: [contrastive({ temperature: 0.3, direction })],
    mode: 'accumulate',
  });
  const pack = (queries: number, lengths: readonly number[], groups: readonly number[]) => {
    const { feeds, counts } = packBatch(config, capacity, makeBatch(config, queries, lengths, hasTypes));
    return { ...feeds, groups: Uint32Array.from(groups), step: packStep({ counts, seed: 987_654_321 }) };
  };
  const queries = 3;
  // One token, the longest possible, a candidate masked as a translation, hard negatives.
  const feeds = pack(queries, [3, 1, 5, 9, 2, 4, 6, 1], [0, 1, 2, 0, 4]);
  const poisonFeeds = pack(4, [4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4], [0, 1, 2, 3, 4, 5, 6, 7]);
  const values = new Map<string, Float32Array>();
  specs.forEach(({ name, shape }, index) => {
    const elements = shape.reduce((product, size) => product * size, 1);
    // Larger than any initialisation: attention is then far from uniform and every path matters.
    const scale = shape.length > 1 ? Math.min(0.6, 10 / config.hiddenSize) : 0.3;
    const random = randomFloats(elements, 500 + index, scale);
    values.set(name, name.endsWith('LayerNorm.weight') ? random.map((value) => value + 1) : random);
  });
  return {
    plan,
    layout,
    values,
    feeds,
    poisonFeeds,
    reads: [rowLossResult, columnLossResult],
    loss: (reads) => {
      const [row, column] = [reads[rowLossResult], reads[columnLossResult]] as [Float32Array, Float32Array];
      return meanLoss(row, column, queries, direction);
    },
  };
}

/** Tensors of one kind across layers, and each table on its own. */
function groupsOf(problem: GradientProblem): string[][] {
  const groups = new Map<string, string[]>();
  for (const name of problem.values.keys()) {
    // A key's bias shifts all scores of a query alike, so its gradient is 0: checked with the weight.
    const kind = name
      .replace(/^encoder\.layer\.\d+\./, '')
      .replace('attention.self.key.bias', 'attention.self.key.weight');
    groups.set(kind, [...(groups.get(kind) ?? []), name]);
  }
  return [...groups.values()];
}

describe.each(Object.entries(cases))('%s', (_, given) => {
  test('a second batch is added to the gradients of the first', async () => {
    const { plan, layout, values, feeds } = encoderProblem(executor.device, given);
    const store = new ParameterStore(executor, layout);
    await store.load('parameter', async (name, begin, end) => {
      const [, columns = 1] = layout.shape(name);
      return (values.get(name) as Float32Array).subarray(begin * columns, end * columns);
    });
    store.allocate('gradient');
    const gradients = async () => {
      const read: [string, Float32Array][] = [];
      for (const { name } of layout.specs) read.push([name, await store.read('gradient', name)]);
      return new Map(read);
    };
    const compiled = await executor.compile(plan, store.externals);
    await compiled.run({ feeds });
    const once = await gradients();
    await compiled.run({ feeds });
    for (const [key, twice] of await gradients()) {
      const first = once.get(key) as Float32Array;
      expectClose(
        twice,
        Float64Array.from(first, (value) => 2 * value),
        rounding,
        key,
      );
    }
    compiled.destroy();
    store.destroy();
  });

  test('every parameter gradient agrees with central differences', async () => {
    const problem = encoderProblem(executor.device, given);
    await checkGradients(executor, problem, { groups: groupsOf(problem), step: 2 ** -9, relative: 3e-3 });
  });
});
