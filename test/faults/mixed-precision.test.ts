/**
 * Mixed precision where it overflows: the update is skipped and not one bit changes, the loss scale falls,
 * training goes on; a resumed run equals an unbroken one; an overflow that scaling cannot help ends the run.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BatchSampler, type Encode, TrainingSet } from '@synglot/data';
import { openTrainingData } from '@synglot/data/files';
import type { Executor } from '@synglot/gpu';
import { openCheckpoint, SafetensorsFile } from '@synglot/models';
import { defaultAdamW, encoderParameters, ParameterStore } from '@synglot/nn';
import {
  contrastiveObjective,
  parseConfig,
  runTraining,
  type StepMetrics,
  type TrainConfig,
  Trainer,
} from '@synglot/train';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { saveTinyModel, testFolder, tinyPairs, writeJsonl } from '../e2e/support.js';
import { openTestExecutor } from '../support/executor.js';
import { canStore, noHalf } from '../support/half.js';

let folder: Awaited<ReturnType<typeof testFolder>>;
let executor: Executor;
beforeAll(async () => {
  folder = await testFolder('mixed');
  executor = await openTestExecutor();
  await saveTinyModel(join(folder.path, 'tiny'), undefined, { initializerRange: 0.02 });
  await writeJsonl(join(folder.path, 'pairs.jsonl'), tinyPairs(40));
});
afterAll(async () => {
  executor?.destroy();
  await folder.remove();
});

function configure(training: string, rest = ''): TrainConfig {
  return parseConfig(
    `model: ${join(folder.path, 'tiny')}
data: [{ format: pairs-jsonl, path: ${join(folder.path, 'pairs.jsonl')} }]
sampling: { mode: hybrid, batch_size: 8 }
optimizer: { learning_rate: 0.003 }
training: { warmup: 0, ${training} }
checkpoint: { every: 1, keep: 99 }
${rest}`,
    'mixed.yaml',
  );
}

async function train(name: string, config: TrainConfig, stopAfter = Infinity, resume = false) {
  const output = join(folder.path, name);
  const stop = new AbortController();
  const steps: StepMetrics[] = [];
  const onStep = (metrics: StepMetrics) => {
    steps.push(metrics);
    if (metrics.step === stopAfter) stop.abort();
  };
  await runTraining({ executor, config, output, resume, onStep, signal: stop.signal });
  return { output, steps };
}

/** Every parameter and moment of a checkpoint. */
async function bits(run: string, step: number): Promise<Map<string, Uint8Array>> {
  const checkpoint = join(run, 'checkpoints', `step-${String(step).padStart(6, '0')}`);
  const found = new Map<string, Uint8Array>();
  const model = await openCheckpoint(join(checkpoint, 'model'));
  const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) =>
    new Uint8Array(buffer, byteOffset, byteLength);
  for (const { name } of model.parameters) found.set(name, bytesOf(await model.readTensor(name)));
  const optimizer = await SafetensorsFile.open(join(checkpoint, 'optimizer.safetensors'));
  for (const name of optimizer.entries.keys()) found.set(name, bytesOf(await optimizer.read(name)));
  return found;
}

test('a device without half precision is refused in one line that says what to do', async () => {
  const { device } = executor;
  const without = { ...device, features: device.features.filter((name) => name !== 'shader-f16') };
  const lesser = new Proxy(executor, {
    get: (target, key) => (key === 'device' ? without : Reflect.get(target, key, target)),
  });
  const config = configure('steps: 1, precision: mixed');
  const run = runTraining({ executor: lesser, config, output: join(folder.path, 'refused') });
  await expect(run).rejects.toMatchObject({
    code: 'INPUT_CONFIG',
    message: expect.stringMatching(
      /^mixed precision needs .*shader-f16.*training\.precision.*, or choose another/,
    ),
  });
});

describe('where there is half precision', () => {
  beforeEach(({ skip }) => skip(!canStore(executor, 'f16'), noHalf));

  test('an update with an injected overflow changes no bit, and training recovers', async () => {
    // 2^34 times a gradient of the loss is far beyond 65,504, until it has been halved often enough.
    const config = configure(`steps: 60, precision: mixed, loss_scale: ${2 ** 34}`);
    const { output, steps } = await train('overflow', config);
    const skipped = steps.findIndex((step) => !step.skipped);
    expect(skipped).toBeGreaterThan(5);
    expect(skipped).toBeLessThan(40);
    steps.slice(0, skipped).forEach(({ loss_scale, gradient_norm }, index) => {
      expect(loss_scale).toBe(2 ** (34 - index));
      expect(gradient_norm).toBeNaN();
    });

    const [first, last] = [await bits(output, 1), await bits(output, skipped)];
    expect(last).toEqual(first);
    const start = await openCheckpoint(join(folder.path, 'tiny'));
    for (const { name } of start.parameters) {
      const before = await start.readTensor(name);
      expect(new Float32Array(last.get(name)!.slice().buffer), name).toEqual(before);
    }
    for (const [name, bytes] of last) {
      if (name.includes('moment'))
        expect(
          bytes.every((byte) => byte === 0),
          name,
        ).toBe(true);
    }
    const next = await bits(output, skipped + 1);
    expect(next).not.toEqual(last);

    const good = steps.slice(skipped).filter((step) => !step.skipped);
    expect(good.length).toBeGreaterThan(16);
    expect(good.every(({ loss, gradient_norm }) => Number.isFinite(loss + gradient_norm))).toBe(true);
    const meanLoss = (of: readonly StepMetrics[]) => of.reduce((sum, { loss }) => sum + loss, 0) / of.length;
    expect(meanLoss(good.slice(-8))).toBeLessThan(0.8 * meanLoss(good.slice(0, 8)));
  });

  test.each([
    ['one batch', ''],
    ['accumulated batches', ', accumulation: 2'],
    ['cached gradients', ', cache_tokens: 48'],
  ])('%s: the loss scale is in neither the loss nor the gradient norm', async (name, more) => {
    const firstStep = async (precision: string) => {
      const { steps } = await train(
        `${name} ${precision}`,
        configure(`steps: 1, precision: ${precision}${more}`),
      );
      return steps[0] as StepMetrics;
    };
    const [full, mixed] = [await firstStep('f32'), await firstStep('mixed, loss_scale: 1024')];
    expect(mixed.loss_scale).toBe(1024);
    expect(mixed.loss / full.loss).toBeCloseTo(1, 2);
    expect(mixed.gradient_norm / full.gradient_norm).toBeCloseTo(1, 1);
  });

  test('the optimiser does not count skipped updates: the first good one is its first', async () => {
    const run = async (name: string, scale: number, steps: number) => {
      const config = configure(`steps: ${steps}, schedule: constant, precision: mixed, loss_scale: ${scale}`);
      return train(name, config);
    };
    const { output, steps } = await run('counted', 2 ** 34, 40);
    const good = steps.findIndex((step) => !step.skipped);
    const moments = await bits(output, good + 1);
    // AdamW's first update is learning rate · sign of the gradient, whatever the step's number: without the
    // correction of step one it would be three times less, with that of a later step larger.
    const before = await bits(output, good);
    const name = 'encoder.layer.0.intermediate.dense.weight';
    const floats = (bytes: Uint8Array) => new Float32Array(bytes.slice().buffer);
    const [a, b] = [floats(before.get(name)!), floats(moments.get(name)!)];
    const moved = Array.from(a, (value, i) => Math.abs((b[i] as number) - value * (1 - 0.003 * 0.01)));
    const typical = moved.sort((x, y) => x - y)[Math.floor(moved.length / 2)] as number;
    expect(typical).toBeGreaterThan(0.0029);
    expect(typical).toBeLessThan(0.0031);
  });

  test.each([
    ['one batch', ''],
    ['accumulated batches', ', accumulation: 2'],
    ['cached gradients', ', cache_tokens: 48'],
    ['a freezing schedule', ', freeze: [{ parameters: "encoder.*", until: 9 }]'],
    ['perturbed embeddings', '', 'fgm: { epsilon: 0.5 }\n'],
    ['both', ', freeze: [{ parameters: "embeddings.*", until: 9 }]', 'fgm: { epsilon: 0.5 }\n'],
  ])('%s: a resumed run equals an unbroken one, skipped updates and all', async (name, more, rest = '') => {
    const config = configure(`steps: 26, precision: mixed, loss_scale: ${2 ** 34}${more}`, rest);
    const whole = await train(`${name} unbroken`, config);
    const skipped = whole.steps.filter((step) => step.skipped).length;
    expect(skipped).toBeGreaterThan(5);
    expect(skipped).toBeLessThan(25);
    // Once while updates are skipped, once after.
    await train(`${name} broken`, config, 4);
    await train(`${name} broken`, config, skipped + 1, true);
    const { output } = await train(`${name} broken`, config, Infinity, true);
    const last = 'checkpoints/step-000026';
    for (const file of ['model/model.safetensors', `${last}/optimizer.safetensors`, `${last}/trainer.json`]) {
      const [a, b] = await Promise.all([whole.output, output].map((run) => readFile(join(run, file))));
      expect(a!.equals(b!), file).toBe(true);
    }
    const state = JSON.parse(await readFile(join(output, last, 'trainer.json'), 'utf8')) as object;
    expect(state).toMatchObject({ loss_scale: { skipped } });
  });

  test('what is trained from a border on counts its own updates, without those skipped before', async () => {
    const late = 'encoder.layer.0.intermediate.dense.weight';
    const always = 'encoder.layer.0.output.dense.weight';
    const border = 14;
    const config = configure(
      `steps: ${border + 5}, schedule: constant, precision: mixed, loss_scale: ${2 ** 26}, freeze: [{ parameters: "${late}", until: ${border} }]`,
    );
    const { output, steps } = await train('border', config);
    const good = (from: number, to: number) => steps.slice(from, to).filter((step) => !step.skipped).length;
    expect(good(0, border)).toBeLessThan(border - 2);
    const floats = (of: Map<string, Uint8Array>, name: string) =>
      new Float32Array(of.get(name)!.slice().buffer);
    // AdamW by hand, from the parameter before an update and the moments after it.
    const expectUpdate = async (name: string, step: number, count: number) => {
      const [before, after] = [await bits(output, step - 1), await bits(output, step)];
      const [p, next] = [floats(before, name), floats(after, name)];
      const [m, v] = ['first', 'second'].map((kind) => floats(after, `${kind} moment ${name}`));
      const [correction1, correction2] = [1 - 0.9 ** count, 1 - 0.999 ** count];
      p.forEach((value, i) => {
        const ratio = m![i]! / correction1 / (Math.sqrt(v![i]! / correction2) + 1e-8);
        const expected = value * (1 - 0.003 * 0.01) - 0.003 * ratio;
        expect(Math.abs(next[i]! - expected), `${name} ${i}, step ${step}`).toBeLessThan(2e-6);
      });
    };
    expect(good(border, border + 5)).toBeGreaterThan(2);
    for (let step = border + 1; step <= border + 5; step++) {
      if (steps[step - 1]?.skipped) continue;
      await expectUpdate(late, step, good(border, step));
      await expectUpdate(always, step, good(0, step));
    }
  });

  test('after parameters are loaded, the next update multiplies with the new ones', async () => {
    const { config, pooling, readRows, tokenizer } = await openCheckpoint(join(folder.path, 'tiny'));
    const set = await TrainingSet.read(
      openTrainingData({ format: 'pairs-jsonl', path: join(folder.path, 'pairs.jsonl') }),
    );
    const encode: Encode = async (texts) =>
      (await tokenizer.encodeBatch(texts, { maxLength: 16 })).map(({ ids }) => ids);
    const store = new ParameterStore(executor, encoderParameters(config, pooling));
    await store.load('parameter', readRows);
    const trainer = new Trainer({
      executor,
      store,
      config,
      pooling,
      encode,
      seed: 1,
      precision: 'mixed',
      sampler: new BatchSampler(set, { batchSize: 8, seed: 1, mode: 'monolingual' }),
      objectives: [contrastiveObjective({ temperature: 0.05, direction: 'query-to-passage' })],
      optimizer: { method: defaultAdamW, maxGradientNorm: 1, decay: 'matrices' },
      schedule: { learningRate: 0.01, steps: 9, warmupSteps: 0, decay: 'constant' },
      lossScale: { initial: 1024 },
    });
    const start = trainer.state();
    const { loss } = await trainer.update();
    await trainer.update();
    await store.load('parameter', readRows);
    trainer.restore(start);
    expect((await trainer.update()).loss).toBe(loss);
    await trainer.destroy();
    store.destroy();
  });

  test('an overflow at any loss scale ends the run with an error', async () => {
    const huge = join(folder.path, 'huge');
    await saveTinyModel(huge, undefined, { initializerRange: 3e4 });
    const config = { ...configure(`steps: 9, precision: mixed, loss_scale: ${2 ** -9}`), model: huge };
    await expect(train('hopeless', config)).rejects.toMatchObject({
      code: 'TRAIN_DIVERGED',
      message: expect.stringMatching(/loss scale.*precision f32/),
    });
  });
});
