/** Where there is no memory for one of a trainer's plans: it can be gone on with, and nothing is left on the device. */
import { join } from 'node:path';
import { BatchSampler, pairsFromParallel, TrainingSet } from '@synglot/data';
import { memoryVectors, searchTopK } from '@synglot/eval';
import { type Executor, GpuError } from '@synglot/gpu';
import { EmbeddingModel, openCheckpoint } from '@synglot/models';
import { defaultAdamW, encoderParameters, ParameterStore } from '@synglot/nn';
import { contrastiveObjective, PlanCache, Trainer, type TrainerOptions } from '@synglot/train';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { saveTinyModel, testFolder, tinyPairs } from '../e2e/support.js';
import { openTestExecutor } from '../support/executor.js';
import { canStore, noHalf } from '../support/half.js';
import { tight, watched } from '../support/watched-executor.js';

let folder: Awaited<ReturnType<typeof testFolder>>;
let device: Executor;
beforeAll(async () => {
  folder = await testFolder('no-memory');
  device = await openTestExecutor();
  await saveTinyModel(join(folder.path, 'model'));
});
afterAll(async () => {
  device?.destroy();
  await folder?.remove();
});

const open = () => openCheckpoint(join(folder.path, 'model'));

async function trainerOn(executor: Executor, more: Partial<TrainerOptions>) {
  const { config, pooling, readRows, tokenizer } = await open();
  const store = new ParameterStore(executor, encoderParameters(config, pooling));
  await store.load('parameter', readRows);
  const facts = tinyPairs(20).map(({ parallel_id: key, ...rest }) => ({
    ...rest,
    key,
    dataset: 'tiny',
    domain: 'tiny',
  }));
  const trainer = new Trainer({
    executor,
    store,
    config,
    pooling,
    seed: 1,
    sampler: new BatchSampler(TrainingSet.from(pairsFromParallel(facts)), {
      mode: 'monolingual',
      batchSize: 8,
      seed: 1,
    }),
    encode: async (texts) => (await tokenizer.encodeBatch(texts, { maxLength: 32 })).map(({ ids }) => ids),
    objectives: [contrastiveObjective({ temperature: 0.05, direction: 'both' })],
    optimizer: { method: defaultAdamW, maxGradientNorm: 1, decay: 'matrices' },
    schedule: { learningRate: 0.01, steps: 9, warmupSteps: 0, decay: 'constant' },
    ...more,
  });
  return { trainer, store };
}

test.for([
  ['a plan of one batch', {}, 1],
  ['plans that add up gradients', { accumulation: 2 }, 3],
  ['a gradient cache', { cacheTokens: 64 }, 7],
  ['weights in half precision', { precision: 'mixed' }, 2],
] as const)('%s', async ([, more, plans], { skip }) => {
  skip('precision' in more && !canStore(device, 'f16'), noHalf);
  for (let nth = 1; nth <= plans; nth++) {
    const { executor, alive } = tight(device, nth);
    const { trainer, store } = await trainerOn(executor, more);
    await expect(trainer.update(), `plan ${nth}`).rejects.toThrow(`no memory for plan ${nth}`);
    expect(await trainer.update(), `plan ${nth}`).toMatchObject({ step: 1 });
    await trainer.destroy();
    store.destroy();
    expect([...alive], `plan ${nth}`).toEqual([]);
  }
});

/** A device with memory for one plan at a time, beside those of a search. */
function narrow() {
  const owned = /plan '(?!top k)/;
  let compiling = 0;
  const one = watched(device, async (...given) => {
    if (compiling + plans().length > 0) {
      throw new GpuError('DEVICE_OUT_OF_MEMORY', 'no memory for a second plan');
    }
    compiling++;
    return device.compile(...given).finally(() => compiling--);
  });
  const plans = () => [...one.alive].filter((name) => owned.test(name));
  return { ...one, plans };
}

test('a plan that has no room beside those of other batches takes their place', async () => {
  const { executor, alive, plans: there } = narrow();
  const { config, pooling } = await open();
  const store = new ParameterStore(executor, encoderParameters(config, pooling));
  for (const kind of ['parameter', 'gradient', 'first moment', 'second moment']) store.allocate(kind);
  const optimizer = { method: defaultAdamW, maxGradientNorm: 1, decay: 'matrices' } as const;
  const { objective } = contrastiveObjective({ temperature: 0.05, direction: 'both' });
  const plans = new PlanCache({ executor, store, config, pooling, objectives: [objective], optimizer });
  for (const tokens of [64, 128, 64]) {
    await plans.batchPlan('step', { tokens, queries: 8, candidates: 8 });
    expect(there()).toEqual([expect.stringContaining(`plan 'step ${tokens} tokens`)]);
  }
  await plans.destroy();
  store.destroy();
  expect([...alive]).toEqual([]);
});

test('passes of other sizes, embedded at once, take the place of each other', async () => {
  const texts = Array.from({ length: 90 }, (_, index) => 'red green blue '.repeat(index < 9 ? 9 : 1) + index);
  const checkpoint = await open();
  const wide = await EmbeddingModel.load(device, checkpoint);
  const expected = await wide.embed(texts, { tokensPerPass: 256 });
  await wide.destroy();
  const { executor, alive, made } = narrow();
  const model = await EmbeddingModel.load(executor, checkpoint);
  const before = made();
  const embeddings = [1, 2, 3].map(() => model.embed(texts, { tokensPerPass: 256 }));
  for (const found of await Promise.all(embeddings)) expect(found).toEqual(expected);
  expect(made() - before, 'plans').toBeGreaterThan(1);
  await model.destroy();
  expect([...alive]).toEqual([]);
});

test('training, a model and a search take the place of the plans of each other', async () => {
  const { executor, alive, plans } = narrow();
  const { trainer, store } = await trainerOn(executor, { accumulation: 2 });
  const model = await EmbeddingModel.load(executor, await open());
  for (let step = 1; step <= 2; step++) {
    expect(await trainer.update()).toMatchObject({ step });
    expect(plans()).toEqual([expect.stringContaining("plan 'update")]);
    const queries = await model.embed(['red', 'blue']);
    expect(plans()).toEqual([expect.stringContaining("plan 'encode")]);
    const source = memoryVectors(queries, model.dimension, ['red', 'blue']);
    const hits = await searchTopK({ executor, queries, source, k: 1 });
    expect(hits.map(({ rows }) => [...rows])).toEqual([[0], [1]]);
  }
  await Promise.all([trainer.destroy(), model.destroy()]);
  store.destroy();
  expect([...alive]).toEqual([]);
});

test('a trainer that is destroyed during an update', async () => {
  const { executor, alive, made } = watched(device);
  const { trainer, store } = await trainerOn(executor, {});
  const update = trainer.update();
  await trainer.destroy();
  store.destroy();
  expect(await update).toMatchObject({ step: 1 });
  expect([made(), ...alive]).toEqual([expect.any(Number)]);
});

test('a model that is destroyed while its plan is compiled', async () => {
  let destroyed: Promise<void> | undefined;
  const { executor, alive } = watched(device, async () => {
    destroyed = model.destroy();
    throw new GpuError('DEVICE_OUT_OF_MEMORY', 'no memory');
  });
  const model = await EmbeddingModel.load(executor, await open());
  await expect(model.embed(['red'])).rejects.toThrow('no memory');
  await destroyed;
  expect([...alive]).toEqual([]);
});
