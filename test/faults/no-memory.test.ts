/** Where there is no memory for one of a trainer's plans: it can be gone on with, and nothing is left on the device. */
import { join } from 'node:path';
import { BatchSampler, pairsFromParallel, TrainingSet } from '@synglot/data';
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

test('a plan that has no room beside those of other batches takes their place', async () => {
  const { executor, alive } = watched(device, async (...given) => {
    if ([...alive].some((name) => name.includes('step'))) {
      throw new GpuError('DEVICE_OUT_OF_MEMORY', 'no memory for a second plan');
    }
    return device.compile(...given);
  });
  const { config, pooling } = await open();
  const store = new ParameterStore(executor, encoderParameters(config, pooling));
  for (const kind of ['parameter', 'gradient', 'first moment', 'second moment']) store.allocate(kind);
  const optimizer = { method: defaultAdamW, maxGradientNorm: 1, decay: 'matrices' } as const;
  const { objective } = contrastiveObjective({ temperature: 0.05, direction: 'both' });
  const plans = new PlanCache({ executor, store, config, pooling, objectives: [objective], optimizer });
  for (const tokens of [64, 128, 64]) {
    await plans.batchPlan('step', { tokens, queries: 8, candidates: 8 });
    expect([...alive].filter((name) => name.includes('plan '))).toEqual([
      expect.stringContaining(`plan 'step ${tokens} tokens`),
    ]);
  }
  await plans.destroy();
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
