/**
 * Cached gradients against those of the whole batch in one plan, dropout on with the same seed: every
 * direction, masks, hard negatives, chunks and tiles that do not divide the batch.
 */
import type { Executor } from '@synglot/gpu';
import type { LossDirection, PoolingConfig } from '@synglot/nn';
import { type CachedBatch, contrastiveObjective, GradientCache } from '@synglot/train';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestExecutor } from '../support/executor.js';
import { bitsOf } from '../support/kernel-harness.js';
import { smallEncoder as config, denseHead, meanHead as mean } from '../support/small-encoder.js';
import {
  asGpu,
  cachedGradients,
  expectSameGradients as expectEqual,
  makeCachedBatch as makeBatch,
  openGradientStore,
  dropoutSeed as seed,
  wholeGradients,
} from '../support/whole-gradients.js';

let executor: Executor;
beforeAll(async () => {
  executor = await openTestExecutor();
});
afterAll(() => executor?.destroy());

const dense = denseHead();
const objectivesOf = (direction: LossDirection) => [contrastiveObjective({ temperature: 0.1, direction })];

const whole = (
  pooling: PoolingConfig,
  direction: LossDirection,
  batch: CachedBatch,
  mode?: 'accumulate' | 'evaluate',
) => wholeGradients(executor, pooling, objectivesOf(direction), batch, mode);
const cached = (
  pooling: PoolingConfig,
  direction: LossDirection,
  batches: readonly CachedBatch[],
  size: Parameters<typeof cachedGradients>[4],
  on: Executor = executor,
) => cachedGradients(on, pooling, objectivesOf(direction), batches, size);

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
  expectEqual(
    await cached(mean, 'both', [hard], { cacheTokens: 50, lossTile: 12 }, asGpu(executor)),
    expected,
  );
}, 300_000);

test('one chunk, one tile', async () => {
  const batch = makeBatch(7, 7, 100);
  const expected = await whole(mean, 'both', batch);
  expectEqual(await cached(mean, 'both', [batch], { cacheTokens: 4096, lossTile: 1024 }), expected);
});

test('4,096 pairs, in chunks of 1,280 tokens and tiles of 820', async () => {
  const batch = makeBatch(4096, 4096, 4000);
  const expected = await whole(mean, 'query-to-passage', batch);
  const size = { cacheTokens: 1280, lossTile: 820 };
  expectEqual(await cached(mean, 'query-to-passage', [batch], size), expected);
}, 300_000);

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
  expect(evaluated.loss).toBeCloseTo(expected.loss, 5);
  expect(Math.abs(loss - evaluated.loss)).toBeGreaterThan(1e-3);
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
  expectEqual(once, { loss, values: {}, gradients: total });
  for (const [name, values] of once.gradients) {
    expect(bitsOf(again.gradients.get(name) as Float32Array), name).toEqual(bitsOf(values));
  }
});

test('memory: a chunk and a tile whatever the batch; two embeddings, statistics and a group a sequence', async () => {
  const store = await openGradientStore(executor, mean, []);
  const memory = async (batch: CachedBatch) => {
    const objectives = objectivesOf('both');
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
  const store = await openGradientStore(executor, mean, []);
  const objectives = objectivesOf('both');
  const cache = new GradientCache({ executor, store, config, pooling: mean, objectives, cacheTokens: 8 });
  await expect(cache.accumulate(hard, seed)).rejects.toThrow(/training\.cache_tokens 8: .* has 9 tokens/);
  await cache.destroy();
  store.destroy();
});
