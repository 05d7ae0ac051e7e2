/**
 * Early stopping and the best model: a run ends where its validations say so, its result is the best of them,
 * and both are the same when it is stopped anywhere and resumed.
 */
import { readdirSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Executor } from '@synglot/gpu';
import { openCheckpoint } from '@synglot/models';
import { ParameterStore } from '@synglot/nn';
import { parseConfig, runTraining, type TrainConfig, writeBest } from '@synglot/train';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { runCliWell } from '../support/cli.js';
import { openTestExecutor } from '../support/executor.js';
import { readMetrics, saveTinyModel, testFolder, tinyPairs, writeJsonl } from './support.js';

let folder: Awaited<ReturnType<typeof testFolder>>;
let executor: Executor;
let text: string;
beforeAll(async () => {
  folder = await testFolder('early-stopping');
  executor = await openTestExecutor();
  const model = join(folder.path, 'tiny');
  await saveTinyModel(model);
  const pairs = join(folder.path, 'pairs.jsonl');
  await writeJsonl(pairs, tinyPairs(80));
  text = `model: ${model}
data: [{ format: pairs-jsonl, path: ${pairs} }]
sampling: { batch_size: 4 }
training: { steps: 60, schedule: constant, warmup: 0 }
validation: { fraction: 0.3, every: 2, batches: 2 }
checkpoint: { every: 3, keep_best: true }
`;
});
afterAll(async () => {
  executor?.destroy();
  await folder.remove();
});

const configOf = (...set: string[]) => parseConfig(text, 'tiny.yaml', set);
const read = (...parts: string[]) => readFile(join(folder.path, ...parts));

/** The value of each validation, by step. */
async function validations(run: string, column: string): Promise<[number, number][]> {
  const lines = await readMetrics(run);
  return lines.flatMap((line) => (column in line ? [[line.step as number, line[column] as number]] : []));
}

describe.each([
  // A rate at which a small model soon gets worse.
  { name: 'loss', set: ['optimizer.learning_rate=0.02'], column: 'validation_loss', sign: -1 },
  {
    name: "loss, with an objective's own parameter",
    set: ['optimizer.learning_rate=0.02', 'loss.learnable_temperature.learning_rate_scale=5'],
    column: 'validation_loss',
    sign: -1,
  },
  {
    name: 'mAP',
    set: ['optimizer.learning_rate=0.02', 'validation.measure=mAP', 'validation.setting=mean'],
    column: 'validation_measure',
    sign: 1,
  },
  {
    name: 'rank distance',
    set: ['optimizer.learning_rate=0.02', 'validation.measure=rank-distance', 'validation.min_delta=0.5'],
    column: 'validation_measure',
    sign: -1,
  },
])('on $name', ({ name, set, column, sign }) => {
  it('ends in time with the best model, and so does a run stopped after any update', async () => {
    const config = configOf(...set, 'validation.patience=2');
    const unbroken = join(folder.path, `${name} unbroken`);
    const result = await runTraining({ executor, config, output: unbroken });
    const values = await validations(unbroken, column);
    // What ends the run, from the values alone.
    const delta = config.validation?.min_delta ?? 0;
    let [best, since] = [values[0]!, 0];
    const seen = values.slice(1).map(([step, value]) => {
      if (sign * (value - best[1]) > delta) [best, since] = [[step, value], 0];
      else since += 1;
      return since;
    });
    expect(seen.indexOf(2)).toBe(seen.length - 1);
    expect(result.steps).toBe(values.at(-1)![0]);
    expect(result.steps).toBeLessThan(60);
    expect(result.best).toEqual({ step: best[0], value: best[1] });

    const model = await read(`${name} unbroken/model/model.safetensors`);
    const kept = await read(`${name} unbroken/checkpoints/best/model/model.safetensors`);
    expect(model.equals(kept)).toBe(true);
    const card = String(await read(`${name} unbroken/model/README.md`));
    expect(card).toContain(`with hybrid batches for ${best[0]} steps.`);
    // The best model is that of a run which ends there.
    const short = join(folder.path, `${name} short`);
    await runTraining({
      executor,
      config: { ...config, training: { ...config.training, steps: best[0] } },
      output: short,
    });
    expect((await read(`${name} short/model/model.safetensors`)).equals(model)).toBe(true);

    const broken = join(folder.path, `${name} broken`);
    await inPieces(config, broken, result.steps);
    expect((await read(`${name} broken/model/model.safetensors`)).equals(model)).toBe(true);
    expect(await readMetrics(broken)).toEqual(await readMetrics(unbroken));
    // There is nothing left to do.
    const again = await runTraining({ executor, config, output: broken, resume: true });
    expect(again).toMatchObject({ steps: result.steps, best: result.best });
    expect(await readMetrics(broken)).toEqual(await readMetrics(unbroken));

    const weights = join(broken, 'checkpoints/best/model/model.safetensors');
    const bytes = await readFile(weights);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(weights, bytes);
    await expect(runTraining({ executor, config, output: broken, resume: true })).rejects.toMatchObject({
      code: 'INPUT_RESUME',
      message: expect.stringContaining(`${weights}: damaged since it was written; take the last model`),
    });
  });
});

/** Stops after every few updates, and resumes. */
async function inPieces(config: TrainConfig, output: string, steps: number): Promise<void> {
  for (let piece = 0, done = 0; done < steps && piece < steps; piece++) {
    const stop = new AbortController();
    const until = done + 1 + (piece % 3);
    const result = await runTraining({
      executor,
      config,
      output,
      resume: piece > 0,
      signal: stop.signal,
      onStep: ({ step }) => step >= until && stop.abort(),
    });
    done = result.steps;
    if (result.model) return;
  }
}

test('without patience the run goes on to its end', async () => {
  const config = configOf('training.steps=6', 'checkpoint.keep_best=false');
  const result = await runTraining({ executor, config, output: join(folder.path, 'endless') });
  expect(result.steps).toBe(6);
});

test.each([false, true])('with keep_best %s, the last line says which model was saved', async (keepBest) => {
  const file = join(folder.path, 'line.yaml');
  await writeFile(file, text);
  const output = join(folder.path, `line ${keepBest}`);
  const set = ['optimizer.learning_rate=0.02', 'validation.patience=2', `checkpoint.keep_best=${keepBest}`];
  const { stdout } = await runCliWell([
    'train',
    file,
    '--output',
    output,
    ...set.flatMap((each) => ['--set', each]),
  ]);
  const values = await validations(output, 'validation_loss');
  const [step, value] = values.reduce((best, each) => (each[1] < best[1] ? each : best));
  const [last] = values.at(-1)!;
  const loss = (await readMetrics(output)).find((line) => line.step === last)?.loss as number;
  const saved = keepBest
    ? `the model is that of step ${step}, with the best validation, ${value.toFixed(4)}`
    : `the model is the last one; the best validation was ${value.toFixed(4)}, after step ${step} (checkpoint.keep_best keeps that one)`;
  expect(stdout).toBe(
    `${output}/model: trained for ${last} steps until validation.patience ended it, last loss ${loss.toFixed(4)}; ${saved}\n`,
  );
  expect(String(await read(`line ${keepBest}/model/README.md`))).toContain(
    `for ${keepBest ? step : last} steps.`,
  );
});

test('a best model is replaced as a whole: under its name there never is a part of one', async () => {
  const { config, pooling, maxLength, tokenizer, parameters, readRows } = await openCheckpoint(
    join(folder.path, 'tiny'),
  );
  const store = new ParameterStore(executor, parameters);
  await store.load('parameter', readRows);
  const best = join(folder.path, 'best');
  // The removal of many files takes many turns of the event loop.
  await mkdir(join(best, 'old'), { recursive: true });
  const files = Array.from({ length: 1000 }, (_, index) => join(best, 'old', String(index)));
  await Promise.all(files.map((path) => writeFile(path, '')));
  const seen = new Set<number>();
  const look = () => {
    try {
      seen.add(readdirSync(join(best, 'old')).length);
    } catch {
      seen.add(0);
    }
  };
  let done = false;
  const written = writeBest(best, store, { config, pooling, maxLength, tokenizer }).finally(() => {
    done = true;
  });
  for (; !done; await setImmediate()) look();
  await written;
  look();
  store.destroy();
  expect([...seen].sort()).toEqual([0, 1000]);
  expect((await readdir(folder.path)).filter((name) => name.startsWith('best'))).toEqual(['best']);
});

test('validation in one language is monolingual, and no other language of those passages is trained on', async () => {
  const output = join(folder.path, 'english');
  const config = configOf('validation.langs=[en]', 'training.steps=4');
  const result = await runTraining({ executor, config, output });
  expect(result.best?.step).toBeGreaterThan(0);
});

test.each([
  [['validation.measure=mAP', 'validation.langs=[en]'], /1 languages.*setting: monolingual/],
  [['validation.fraction=0.0001'], /checkpoint\.keep_best needs validations/],
  [
    ['validation.fraction=0.0001', 'checkpoint.keep_best=false', 'validation.patience=1'],
    /validation\.patience needs/,
  ],
])('%j is a mistake', async (set, message) => {
  const run = runTraining({ executor, config: configOf(...set), output: join(folder.path, 'mistake') });
  await expect(run).rejects.toThrow(message);
  await expect(run).rejects.toThrow(expect.objectContaining({ code: 'INPUT_CONFIG' }));
});
