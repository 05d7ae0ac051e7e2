/**
 * Batches prepared ahead: however many there are, a run has the same bits, resumed or not, and an error in a
 * batch is reported when the batch is due, not when it is prepared. No checkpoint is ahead of its metrics.
 */
import { type FileHandle, open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BatchSampler, type Encode, type TextKind, TrainingSet } from '@synglot/data';
import { openTrainingData } from '@synglot/data/files';
import type { Executor } from '@synglot/gpu';
import { openCheckpoint } from '@synglot/models';
import { defaultAdamW, encoderParameters, ParameterStore } from '@synglot/nn';
import { contrastiveObjective, parseConfig, runTraining, type StepMetrics, Trainer } from '@synglot/train';
import { mineForTraining } from 'synglot';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openTestExecutor } from '../support/executor.js';
import { readMetrics, saveTinyModel, testFolder, tinyPairs, writeJsonl } from './support.js';

const steps = 7;
let folder: Awaited<ReturnType<typeof testFolder>>;
let executor: Executor;
const inFolder = (name: string) => join(folder.path, name);
beforeAll(async () => {
  folder = await testFolder('prefetch');
  executor = await openTestExecutor();
  await saveTinyModel(inFolder('model'));
  await writeJsonl(inFolder('pairs.jsonl'), tinyPairs(30));
});
afterAll(async () => {
  executor.destroy();
  await folder.remove();
});

/** Trains, with accumulation and a round of mining, which throws away what was prepared. */
async function run(name: string, prefetch: number, stopAfter?: number): Promise<void> {
  const config = parseConfig(
    `model: ${inFolder('model')}
data: [{ format: pairs-jsonl, path: ${inFolder('pairs.jsonl')} }]
sampling: { mode: hybrid, batch_size: 5, negatives: 1 }
mining: { start: 3, every: 100, negatives: 2, range_max: 12 }
training: { steps: ${steps}, seed: 5, accumulation: 2, prefetch: ${prefetch} }
optimizer: { learning_rate: 0.01 }
checkpoint: { every: 2 }
`,
    `${name}.yaml`,
  );
  const stop = new AbortController();
  await runTraining({
    executor,
    config,
    output: inFolder(name),
    resume: true,
    signal: stop.signal,
    mine: mineForTraining,
    onStep: ({ step }) => {
      if (step === stopAfter) stop.abort();
    },
  });
}

it('has the bits of a run that prepares one batch ahead, and another depth may resume it', async () => {
  await run('one', 1);
  await run('many', 20);
  await run('resumed', 3, 2);
  await run('resumed', 1, 5);
  await run('resumed', 4);
  const metrics = await readMetrics(inFolder('one'));
  expect(metrics).toHaveLength(steps);
  for (const name of ['many', 'resumed']) {
    for (const file of ['model/model.safetensors', `checkpoints/step-00000${steps}/trainer.json`]) {
      const [a, b] = await Promise.all([name, 'one'].map((each) => readFile(join(inFolder(each), file))));
      expect(a!.equals(b!), `${file} of '${name}'`).toBe(true);
    }
    expect(await readMetrics(inFolder(name))).toEqual(metrics);
  }
});

it('has the lines of a checkpoint on the disk before the checkpoint is written', async () => {
  const output = inFolder('flushed');
  const handle = await open(inFolder('pairs.jsonl'));
  const { datasync } = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
  const flushed: [lines: number, newest: string | undefined][] = [];
  const spy = vi.spyOn(Object.getPrototypeOf(handle) as FileHandle, 'datasync');
  spy.mockImplementation(async function (this: FileHandle) {
    await datasync.call(this);
    const checkpoints = await readdir(join(output, 'checkpoints')).catch(() => []);
    flushed.push([(await readMetrics(output)).length, checkpoints.sort().at(-1)]);
  });
  await run('flushed', 1);
  spy.mockRestore();
  expect(flushed).toEqual([
    [2, undefined],
    [4, 'step-000002'],
    [6, 'step-000004'],
    [7, 'step-000006'],
  ]);
});

/** A trainer that learns from the file of pairs, one batch per update. */
async function openTrainer(beforeTexts: (kind: TextKind) => void = () => undefined) {
  const { config, pooling, readRows, tokenizer } = await openCheckpoint(inFolder('model'));
  const set = await TrainingSet.read(
    openTrainingData({ format: 'pairs-jsonl', path: inFolder('pairs.jsonl') }),
  );
  const store = new ParameterStore(executor, encoderParameters(config, pooling));
  await store.load('parameter', readRows);
  const newSampler = () => new BatchSampler(set, { batchSize: 5, seed: 1, mode: 'multilingual' });
  const encode: Encode = async (texts, kind) => {
    beforeTexts(kind);
    return (await tokenizer.encodeBatch(texts, { maxLength: 16 })).map(({ ids }) => ids);
  };
  const sampler = newSampler();
  const trainer = new Trainer({
    executor,
    store,
    config,
    pooling,
    sampler,
    encode,
    seed: 1,
    prefetch: 4,
    objectives: [contrastiveObjective({ temperature: 0.05, direction: 'query-to-passage' })],
    optimizer: { method: defaultAdamW, maxGradientNorm: 1, decay: 'matrices' },
    schedule: { learningRate: 0.01, steps, warmupSteps: 0, decay: 'constant' },
  });
  return { trainer, sampler, newSampler, store };
}

it('draws no batch beyond the last update', async () => {
  const { trainer, sampler, store } = await openTrainer();
  for (let step = 0; step < steps; step++) await trainer.update();
  expect(sampler.step).toBe(steps);
  await trainer.destroy();
  store.destroy();
});

it('updates that are not awaited are done one after the other', async () => {
  const known = ({ seconds: _, ...rest }: StepMetrics) => rest;
  const [one, other] = [await openTrainer(), await openTrainer()];
  const awaited: StepMetrics[] = [];
  for (let step = 0; step < 3; step++) awaited.push(await one.trainer.update());
  const atOnce = await Promise.all(Array.from({ length: 3 }, () => other.trainer.update()));
  expect(atOnce.map(known)).toEqual(awaited.map(known));
  expect(other.trainer.state()).toEqual(one.trainer.state());
  for (const { trainer, store } of [one, other]) {
    await trainer.destroy();
    store.destroy();
  }
});

it('an error in a batch that was prepared ahead comes when the batch is due, and leaves the state before it', async () => {
  let batches = 0;
  const { trainer, newSampler, store } = await openTrainer((kind) => {
    const due = kind === 'query' ? ++batches : batches;
    if (due === 3) throw new Error('no tokens for the third batch');
  });
  await trainer.update();
  expect(batches).toBeGreaterThanOrEqual(3);
  await trainer.update();
  const expected = newSampler();
  for (let batch = 0; batch < 2; batch++) expected.next();
  expect(trainer.state()).toEqual({ step: 2, sampler: expected.state() });
  await expect(trainer.update()).rejects.toThrow('no tokens for the third batch');
  expect(trainer.state()).toEqual({ step: 2, sampler: expected.state() });
  await trainer.destroy();
  store.destroy();
});
