/**
 * Cached gradients against those of the whole batch in one plan, dropout on with the same seed: every
 * direction, masks, hard negatives, chunks and tiles that do not divide the batch.
 */
import type { PackedBatch } from '@synglot/data';
import type { Executor } from '@synglot/gpu';
import {
  buildTrainPlan,
  columnLossResult,
  contrastive,
  type EncoderConfig,
  encoderParameters,
  type LossDirection,
  meanLoss,
  ParameterStore,
  type PoolingConfig,
  packBatch,
  packStep,
  rowLossResult,
} from '@synglot/nn';
import { GradientCache } from '@synglot/train';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestExecutor } from '../support/executor.js';
import { bitsOf } from '../support/kernel-harness.js';
import { randomFloats, randomInteger, uniform } from '../support/random.js';

let executor: Executor;
beforeAll(async () => {
  executor = await openTestExecutor();
});
afterAll(() => executor?.destroy());

const config: EncoderConfig = {
  family: 'bert',
  vocabularySize: 61,
  hiddenSize: 16,
  layers: 2,
  heads: 2,
  intermediateSize: 24,
  maxPositions: 9,
  typeVocabularySize: 2,
  layerNormEpsilon: 1e-5,
  hiddenDropout: 0.15,
  attentionDropout: 0.2,
  positionOffset: 0,
  initializerRange: 0.02,
};
const mean: PoolingConfig = { mode: 'mean', normalize: true };
const dense: PoolingConfig = {
  mode: 'cls',
  dense: { inFeatures: 16, outFeatures: 12, bias: true, activation: 'tanh' },
  normalize: true,
};
const temperature = 0.1;
const seed = 0xcafe_f00d;

/** Random sequences of 1 to 9 tokens; candidates fall into `groups` mask groups. */
function makeBatch(queries: number, candidates: number, groups: number): PackedBatch {
  const random = uniform(queries * 1000 + candidates);
  const sequences = queries + candidates;
  const cuSeqlens = new Uint32Array(sequences + 1);
  for (let i = 0; i < sequences; i++)
    cuSeqlens[i + 1] = (cuSeqlens[i] as number) + randomInteger(random, 1, 10);
  const tokens = cuSeqlens[sequences] as number;
  return {
    ids: Uint32Array.from({ length: tokens }, () => randomInteger(random, 0, config.vocabularySize)),
    cuSeqlens,
    groups: Uint32Array.from({ length: candidates }, () => randomInteger(random, 0, groups)),
    counts: { tokens, sequences, queries, candidates },
  };
}

/** A store with the same weights every time and gradients that are 0. */
async function openStore(pooling: PoolingConfig): Promise<ParameterStore> {
  const store = new ParameterStore(executor, encoderParameters(config, pooling));
  let index = 0;
  await store.load('parameter', async (name, begin, end) => {
    const shape = store.layout.shape(name);
    const columns = shape.slice(1).reduce((product, size) => product * size, 1);
    const random = randomFloats((end - begin) * columns, 500 + index++, shape.length > 1 ? 0.6 : 0.3);
    return name.endsWith('LayerNorm.weight') ? random.map((value) => value + 1) : random;
  });
  store.allocate('gradient');
  return store;
}

async function gradients(store: ParameterStore): Promise<Map<string, Float32Array>> {
  const found = new Map<string, Float32Array>();
  for (const { name } of store.layout.specs) found.set(name, await store.read('gradient', name));
  return found;
}

interface Outcome {
  readonly loss: number;
  readonly gradients: Map<string, Float32Array>;
}

/** Loss and gradients in one plan for the whole batch; without gradients in mode `evaluate`. */
async function whole(
  pooling: PoolingConfig,
  direction: LossDirection,
  batch: PackedBatch,
  mode: 'accumulate' | 'evaluate' = 'accumulate',
): Promise<Outcome> {
  const store = await openStore(pooling);
  const { queries, candidates, tokens } = batch.counts;
  const roundUp = (count: number) => Math.ceil(count / 4) * 4;
  const capacity = { tokens, queries: roundUp(queries), candidates: roundUp(candidates) };
  const { layout } = store;
  const objectives = [contrastive({ temperature, direction })];
  const { device } = executor;
  const plan = buildTrainPlan({ config, pooling, layout, device, capacity, objectives, mode });
  const compiled = await executor.compile(plan, store.externals);
  const { feeds, counts } = packBatch(config, capacity, { ...batch, queries, candidates });
  const { reads } = await compiled.run({
    feeds: { ...feeds, groups: batch.groups, step: packStep({ counts, seed }) },
    reads: [rowLossResult, columnLossResult],
  });
  const values = (name: string) => new Float32Array(reads[name] as ArrayBuffer);
  const outcome = {
    loss: meanLoss(values(rowLossResult), values(columnLossResult), queries, direction),
    gradients: await gradients(store),
  };
  compiled.destroy();
  store.destroy();
  return outcome;
}

async function cached(
  pooling: PoolingConfig,
  direction: LossDirection,
  batches: readonly PackedBatch[],
  size: { readonly cacheTokens: number; readonly lossTile: number; readonly recompute?: boolean },
  on: Executor = executor,
): Promise<Outcome & { readonly evaluated: number }> {
  const store = await openStore(pooling);
  const objectives = [contrastive({ temperature, direction })];
  const cache = new GradientCache({ executor: on, store, config, pooling, objectives, ...size });
  let value = Number.NaN;
  for (const batch of batches) value = (await cache.accumulate(batch, seed)).loss;
  const found = await gradients(store);
  const { loss: evaluated } = await cache.evaluate(batches.at(-1) as PackedBatch);
  // Evaluation must not have touched them.
  for (const [name, after] of await gradients(store)) {
    expect(bitsOf(after), name).toEqual(bitsOf(found.get(name) as Float32Array));
  }
  await cache.destroy();
  store.destroy();
  return { loss: value, gradients: found, evaluated };
}

/** The executor of the same device, whose kernels are chosen as for a GPU. */
function asGpu(): Executor {
  const device = { ...executor.device, type: 'discrete-gpu' as const };
  return new Proxy(executor, {
    get(target, name) {
      const value: unknown = name === 'device' ? device : Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** Differences relative to the largest gradient of the tensor; a key's bias has none but rounding. */
function expectEqual(actual: Outcome, expected: Outcome): void {
  expect(actual.loss).toBeCloseTo(expected.loss, 5);
  const largestOf = (values: Float32Array) =>
    values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const largest = Math.max(...[...expected.gradients.values()].map(largestOf));
  for (const [name, reference] of expected.gradients) {
    const found = actual.gradients.get(name) as Float32Array;
    const allowed = 1e-5 * (name.endsWith('key.bias') ? largest : largestOf(reference));
    if (!name.endsWith('key.bias')) expect(allowed, name).toBeGreaterThan(0);
    const worst = largestOf(reference.map((value, i) => value - (found[i] as number)));
    expect(worst, `${name}, of ${largestOf(reference)}`).toBeLessThanOrEqual(allowed);
  }
}

const directions = ['query-to-passage', 'passage-to-query', 'both'] as const;
/** Eleven pairs, hard negatives, translations. */
const hard = makeBatch(11, 29, 13);

describe.each(directions)('%s', (direction) => {
  test('chunks and tiles that do not divide the batch', async () => {
    const expected = await whole(mean, direction, hard);
    expectEqual(await cached(mean, direction, [hard], { cacheTokens: 50, lossTile: 4 }), expected);
  });

  test('tiles larger than the queries, smaller than the candidates; a dense head', async () => {
    const expected = await whole(dense, direction, hard);
    expectEqual(await cached(dense, direction, [hard], { cacheTokens: 23, lossTile: 12 }), expected);
  });
});

test('the kernels for GPUs', async () => {
  const expected = await whole(mean, 'both', hard);
  expectEqual(await cached(mean, 'both', [hard], { cacheTokens: 50, lossTile: 12 }, asGpu()), expected);
}, 300_000);

test('one chunk, one tile', async () => {
  const batch = makeBatch(7, 7, 100);
  const expected = await whole(mean, 'both', batch);
  expectEqual(await cached(mean, 'both', [batch], { cacheTokens: 4096, lossTile: 1024 }), expected);
});

test('the chunks change not one dropout mask: chunks of one sequence give the same gradients', async () => {
  const expected = await whole(mean, 'both', hard);
  expectEqual(await cached(mean, 'both', [hard], { cacheTokens: 9, lossTile: 8 }), expected);
});

test('recomputed activations: the same bits', async () => {
  const size = { cacheTokens: 50, lossTile: 8 };
  const kept = await cached(mean, 'both', [hard], size);
  const again = await cached(mean, 'both', [hard], { ...size, recompute: true });
  expect(again.loss).toBe(kept.loss);
  for (const [name, values] of kept.gradients) {
    expect(bitsOf(again.gradients.get(name) as Float32Array), name).toEqual(bitsOf(values));
  }
});

test('evaluation is that of the plan without dropout', async () => {
  const expected = await whole(mean, 'both', hard, 'evaluate');
  const { evaluated, loss } = await cached(mean, 'both', [hard], { cacheTokens: 40, lossTile: 8 });
  expect(evaluated).toBeCloseTo(expected.loss, 5);
  expect(Math.abs(loss - evaluated)).toBeGreaterThan(1e-3);
});

test('batches add up, whatever their sizes, and twice the same is bit-equal', async () => {
  // 40 sequences, then more than the room made for them, then fewer.
  const batches = [hard, makeBatch(70, 75, 60), makeBatch(2, 3, 9)];
  const size = { cacheTokens: 64, lossTile: 16 };
  const [once, again] = [
    await cached(mean, 'both', batches, size),
    await cached(mean, 'both', batches, size),
  ];
  const total = new Map<string, Float32Array>();
  let loss = Number.NaN;
  for (const batch of batches) {
    const part = await whole(mean, 'both', batch);
    loss = part.loss;
    for (const [name, values] of part.gradients) {
      const sum = total.get(name);
      total.set(name, sum ? values.map((value, i) => value + (sum[i] as number)) : values);
    }
  }
  expectEqual(once, { loss, gradients: total });
  for (const [name, values] of once.gradients) {
    expect(bitsOf(again.gradients.get(name) as Float32Array), name).toEqual(bitsOf(values));
  }
});

test('memory: a chunk and a tile whatever the batch; two embeddings, statistics and a group a sequence', async () => {
  const store = await openStore(mean);
  const memory = async (batch: PackedBatch) => {
    const objectives = [contrastive({ temperature, direction: 'both' })];
    const cache = new GradientCache({
      executor,
      store,
      config,
      pooling: mean,
      objectives,
      cacheTokens: 64,
      lossTile: 16,
    });
    await cache.accumulate(batch, seed);
    const found = await cache.memory();
    await cache.destroy();
    return found;
  };
  const [small, large] = [await memory(makeBatch(32, 32, 99)), await memory(makeBatch(128, 128, 99))];
  expect(large.planBytes).toBe(small.planBytes);
  expect(small.batchBytes).toBe(64 * 4 * (2 * config.hiddenSize + 8 + 1));
  expect(large.batchBytes).toBe(4 * small.batchBytes);
  store.destroy();
});

test("a text longer than a chunk is the configuration's mistake", async () => {
  const store = await openStore(mean);
  const objectives = [contrastive({ temperature, direction: 'both' })];
  const cache = new GradientCache({ executor, store, config, pooling: mean, objectives, cacheTokens: 8 });
  await expect(cache.accumulate(hard, seed)).rejects.toThrow(/training\.cache_tokens 8: .* has 9 tokens/);
  await cache.destroy();
  store.destroy();
});
