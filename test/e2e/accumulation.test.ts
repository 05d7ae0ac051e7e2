/**
 * Micro-batches in flight: the device has the next one before the last is answered, and however long plans take to
 * compile, gradients are summed in the order of the batches, so that a run has the same bits.
 */
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { BatchSampler, type Encode, type Pair, TrainingSet } from '@synglot/data';
import type { Executor } from '@synglot/gpu';
import { openCheckpoint } from '@synglot/models';
import {
  buildUpdatePlan,
  defaultAdamW,
  encoderParameters,
  ParameterLayout,
  ParameterStore,
} from '@synglot/nn';
import {
  contrastiveObjective,
  PlanCache,
  type StepMetrics,
  Trainer,
  type TrainerOptions,
} from '@synglot/train';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestExecutor } from '../support/executor.js';
import { saveTinyModel, testFolder, tinyPairs } from './support.js';

const optimizer = { method: defaultAdamW, maxGradientNorm: 1, decay: 'matrices' } as const;
const [accumulation, steps, batchSize] = [5, 3, 8];
let folder: Awaited<ReturnType<typeof testFolder>>;
let executor: Executor;
beforeAll(async () => {
  folder = await testFolder('accumulation');
  executor = await openTestExecutor();
  await saveTinyModel(join(folder.path, 'model'));
});
afterAll(async () => {
  executor.destroy();
  await folder.remove();
});

/** Data sets with texts of different lengths: where a batch is of one of them, batches need plans of several sizes. */
function set(): TrainingSet {
  return TrainingSet.from(
    tinyPairs(48, ['en']).map(({ query, passage }, index): Pair => {
      const dataset = `d${index % 3}`;
      const side = (id: string, text: string) => ({
        id,
        text,
        lang: 'en',
        parallelId: id,
        dataset,
        domain: 'd',
      });
      const long = `${passage} `.repeat(1 + 2 * (index % 3));
      return { query: side(`q${index}`, query), passage: side(`p${index}`, long), negatives: [] };
    }),
  );
}

/** Batches of one data set each, drawn in an order that the seed decides. */
const sampler = (seed: number) =>
  new BatchSampler(set(), { batchSize, seed, mode: 'monolingual', homogeneousDataset: true });

/** The device, with plans whose compilation takes as long as it is told to. */
class SlowCompiler implements Executor {
  /** Most batches of an update that were running at once. */
  mostInFlight = 0;
  /** Batch plans compiled. */
  compiled = 0;
  /** Texts of the kernels of plans without a batch, by the plan's label. */
  readonly kernels = new Map<string, string[]>();
  #inFlight = 0;
  readonly kind = executor.kind;
  readonly device = executor.device;
  readonly createBuffer = executor.createBuffer.bind(executor);
  readonly write = executor.write.bind(executor);
  readonly read = executor.read.bind(executor);
  readonly #delayMs: (compiled: number) => number;

  constructor(delayMs: (compiled: number) => number) {
    this.#delayMs = delayMs;
  }

  compile: Executor['compile'] = async (plan, externals) => {
    const compiled = await executor.compile(plan, externals);
    if (!plan.buffers.some(({ name }) => name === 'bounds')) {
      const texts = plan.kernels.map(({ code }) => code);
      this.kernels.set(plan.label, texts);
      return compiled;
    }
    await setTimeout(this.#delayMs(this.compiled++));
    return {
      plan: compiled.plan,
      destroy: () => compiled.destroy(),
      run: async (options) => {
        this.mostInFlight = Math.max(this.mostInFlight, ++this.#inFlight);
        return compiled.run(options).finally(() => this.#inFlight--);
      },
    };
  };

  destroy(): void {}
}

/** Trains, and returns all weights and what each update told. */
async function train(device: Executor, more: Partial<TrainerOptions> = {}) {
  const { config, pooling, readRows, tokenizer } = await openCheckpoint(join(folder.path, 'model'));
  const encode: Encode = async (texts) =>
    (await tokenizer.encodeBatch(texts, { maxLength: 32 })).map(({ ids }) => ids);
  const specs = encoderParameters(config, pooling);
  const store = new ParameterStore(device, specs);
  await store.load('parameter', readRows);
  const trainer = new Trainer({
    executor: device,
    store,
    config,
    pooling,
    encode,
    seed: 1,
    accumulation,
    sampler: sampler(3),
    objectives: [contrastiveObjective({ temperature: 0.05, direction: 'query-to-passage' })],
    optimizer,
    schedule: { learningRate: 0.01, steps, warmupSteps: 0, decay: 'constant' },
    ...more,
  });
  const told = [];
  for (let step = 0; step < steps; step++) {
    const { seconds: _seconds, ...metrics } = await trainer.update();
    told.push(metrics);
  }
  const validation = sampler(4);
  told.push(await trainer.evaluate(Array.from({ length: 4 }, () => validation.next())));
  const weights = await Promise.all(
    specs.map(async ({ name }) => Buffer.from((await store.read('parameter', name)).buffer)),
  );
  await trainer.destroy();
  store.destroy();
  return { told, weights };
}

it('has the bits of a device that compiles at once, whichever plan is ready first', async () => {
  const atOnce = new SlowCompiler(() => 0);
  const expected = await train(atOnce);
  expect(atOnce.mostInFlight).toBe(2);
  expect(atOnce.compiled).toBeGreaterThan(3);
  // Every second plan takes long: the batch after it is ready before it is.
  const slow = new SlowCompiler((compiled) => 80 * (compiled % 2));
  const { told, weights } = await train(slow);
  expect(told).toEqual(expected.told);
  expect(weights.every((bytes, index) => bytes.equals(expected.weights[index]!))).toBe(true);
});

it('updates with the kernels of the device that it trains on', async () => {
  const atOnce = new SlowCompiler(() => 0);
  await train(atOnce);
  const layout = new ParameterLayout([{ name: 'w', shape: [64, 64] }], 2 ** 20);
  const texts = (device?: Executor['device']) =>
    buildUpdatePlan(layout, optimizer, device ? { device } : {}).kernels.map(({ code }) => code);
  expect(atOnce.kernels.get('update')).toEqual(texts(executor.device));
  // The kernels do depend on the device: without one they are those of GPUs.
  if (executor.device.type === 'cpu') expect(texts()).not.toEqual(texts(executor.device));
});

it('the gradient of an update is the mean of those of its batches', async () => {
  const { config } = await openCheckpoint(join(folder.path, 'model'));
  const batch = sampler(3).next();
  const always = { next: () => batch, state: () => null, restore: () => undefined };
  const still = { sampler: always, config: { ...config, hiddenDropout: 0, attentionDropout: 0 } };
  const [one, several] = [await train(executor, { ...still, accumulation: 1 }), await train(executor, still)];
  const norms = [one, several].map(({ told }) => (told[0] as StepMetrics).gradient_norm);
  expect(norms[0]).toBeGreaterThan(0);
  expect((norms[1] as number) / (norms[0] as number)).toBeCloseTo(1, 4);
});

it('cached gradients draw the masks of each batch that uncached ones draw', async () => {
  const [whole, cached] = [await train(executor), await train(executor, { cacheTokens: 64 })];
  for (const [step, { loss }] of whole.told.entries()) {
    expect(cached.told[step]?.loss, `loss ${step}`).toBeCloseTo(loss, 3);
  }
});

it('a plan that could not be compiled is compiled anew when it is asked for again', async () => {
  const { config, pooling } = await openCheckpoint(join(folder.path, 'model'));
  const store = new ParameterStore(executor, encoderParameters(config, pooling));
  const failsOnce = new SlowCompiler((compiled) => {
    if (compiled === 0) throw new Error('no memory just now');
    return 0;
  });
  const { objective } = contrastiveObjective({ temperature: 0.05, direction: 'query-to-passage' });
  const plans = new PlanCache({
    executor: failsOnce,
    store,
    config,
    pooling,
    optimizer,
    objectives: [objective],
  });
  const size = { tokens: 64, queries: 8, candidates: 8 };
  store.allocate('parameter');
  await expect(plans.batchPlan('evaluate', size)).rejects.toThrow('no memory just now');
  expect((await plans.batchPlan('evaluate', size)).plan.label).toContain('evaluate 64 tokens');
  await plans.destroy();
  store.destroy();
});
