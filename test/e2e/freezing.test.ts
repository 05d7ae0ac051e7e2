/**
 * Freezing schedules: what is frozen keeps its bits and has no optimiser state, what is unfrozen moves, and a
 * run that is stopped after any update, at a border or not, equals an unbroken one.
 */
import { rmSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Executor } from '@synglot/gpu';
import { openCheckpoint, SafetensorsFile } from '@synglot/models';
import { parseConfig, runTraining } from '@synglot/train';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestExecutor } from '../support/executor.js';
import { readMetrics, saveTinyModel, testFolder, tinyPairs, writeJsonl } from './support.js';

let folder: Awaited<ReturnType<typeof testFolder>>;
let executor: Executor;
let text: string;
beforeAll(async () => {
  folder = await testFolder('freezing');
  executor = await openTestExecutor();
  await saveTinyModel(join(folder.path, 'tiny'), undefined, { layers: 2 });
  const pairs = join(folder.path, 'pairs.jsonl');
  await writeJsonl(pairs, tinyPairs(40));
  text = `model: ${join(folder.path, 'tiny')}
data: [{ format: pairs-jsonl, path: ${pairs} }]
sampling: { batch_size: 4 }
optimizer: { learning_rate: 0.01 }
training:
  steps: 8
  warmup: 0
  freeze:
    - embeddings.word_embeddings.weight
    - { parameters: "encoder.layer.0.*", until: 3 }
    - { parameters: "encoder.layer.1.*", from: 5 }
checkpoint: { every: 100, keep: 9 }
`;
});
afterAll(async () => {
  executor?.destroy();
  await folder.remove();
});

const words = 'embeddings.word_embeddings.weight';
const lower = 'encoder.layer.0.output.dense.weight';
const upper = 'encoder.layer.1.output.dense.weight';

test('each phase trains what it says, and a run in pieces ends with the same bits', async () => {
  const config = parseConfig(text, 'tiny.yaml');
  const unbroken = join(folder.path, 'unbroken');
  const steps: number[] = [];
  await runTraining({ executor, config, output: unbroken, onStep: ({ step }) => steps.push(step) });
  expect(steps).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);

  const at = (step: number) => join(unbroken, 'checkpoints', `step-${String(step).padStart(6, '0')}`);
  const models = [join(folder.path, 'tiny'), ...[3, 5, 8].map((step) => join(at(step), 'model'))];
  const checkpoints = await Promise.all(models.map((path) => openCheckpoint(path)));
  const moved = async (name: string) => {
    const values = await Promise.all(checkpoints.map((checkpoint) => checkpoint.readTensor(name)));
    return values.slice(1).map((now, index) => now.some((value, i) => value !== values[index]![i]));
  };
  expect(await moved(words)).toEqual([false, false, false]);
  expect(await moved(lower)).toEqual([false, true, true]);
  expect(await moved(upper)).toEqual([true, true, false]);
  const withState = await Promise.all(
    [3, 5, 8].map(async (step) => {
      const { entries } = await SafetensorsFile.open(join(at(step), 'optimizer.safetensors'));
      return [words, lower, upper].map((name) => entries.has(`first moment ${name}`));
    }),
  );
  expect(withState).toEqual([
    [false, false, true],
    [false, true, true],
    [false, true, false],
  ]);

  const broken = join(folder.path, 'broken');
  for (let done = 0; done < 8; done++) {
    const stop = new AbortController();
    const result = await runTraining({
      executor,
      config,
      output: broken,
      resume: done > 0,
      signal: stop.signal,
      onStep: () => stop.abort(),
    });
    expect(result.steps).toBe(done + 1);
  }
  for (const file of ['model/model.safetensors', 'checkpoints/step-000008/optimizer.safetensors']) {
    const [a, b] = await Promise.all([unbroken, broken].map((run) => readFile(join(run, file))));
    expect(a!.equals(b!), file).toBe(true);
  }
  expect(await readMetrics(broken)).toEqual(await readMetrics(unbroken));
});

test('the data are read once, whatever is frozen when, and what they lack is said once', async () => {
  const path = join(folder.path, 'once.jsonl');
  await writeJsonl(path, [...tinyPairs(8), ...tinyPairs(1, ['sv'])]);
  const config = parseConfig(text, 'once.yaml', [
    `data.0.path=${path}`,
    'sampling.on_too_few=leave-out',
    'validation.fraction=0.0001',
  ]);
  const notices: string[] = [];
  const output = join(folder.path, 'once');
  await runTraining({
    executor,
    config,
    output,
    onNotice: (line) => notices.push(line),
    onStep: ({ step }) => step === 1 && rmSync(path),
  });
  const about = (start: string) => notices.filter((line) => line.startsWith(start));
  expect(about('left out: ')).toEqual([expect.stringContaining("'sv'")]);
  expect(about('validation.fraction')).toHaveLength(1);
  // The borders are no end: only who goes on with --resume is told where.
  const checkpoints = (await readdir(join(output, 'checkpoints'))).sort();
  expect(checkpoints).toEqual(['step-000003', 'step-000005', 'step-000008']);
  expect(about('resumed after')).toEqual([]);
});

test('with perturbed embeddings (FGM): what is frozen keeps its bits, and a run in pieces ends with the same', async () => {
  const config = parseConfig(`${text}fgm: { epsilon: 0.02 }\n`, 'fgm.yaml', ['training.dropout=0']);
  const unbroken = join(folder.path, 'fgm-unbroken');
  await runTraining({ executor, config, output: unbroken });
  const metrics = await readMetrics(unbroken);
  // The table is perturbed although it is not trained.
  for (const { loss, perturbed_loss: perturbed } of metrics as { loss: number; perturbed_loss: number }[]) {
    expect(perturbed).toBeGreaterThan(loss);
  }
  const [before, after] = await Promise.all(
    [join(folder.path, 'tiny'), join(unbroken, 'model')].map((path) => openCheckpoint(path)),
  );
  expect(await after!.readTensor(words)).toEqual(await before!.readTensor(words));
  expect(await after!.readTensor(lower)).not.toEqual(await before!.readTensor(lower));

  const broken = join(folder.path, 'fgm-broken');
  // Within the first phase, at a border, within the last phase.
  for (const last of [2, 5, 6, 8]) {
    const stop = new AbortController();
    const onStep = ({ step }: { step: number }) => step === last && stop.abort();
    await runTraining({ executor, config, output: broken, resume: last > 2, signal: stop.signal, onStep });
  }
  for (const file of ['model/model.safetensors', 'checkpoints/step-000008/optimizer.safetensors']) {
    const [a, b] = await Promise.all([unbroken, broken].map((run) => readFile(join(run, file))));
    expect(a!.equals(b!), file).toBe(true);
  }
  expect(await readMetrics(broken)).toEqual(metrics);
});

test('a layer that is not there is a mistake in one line', async () => {
  const config = parseConfig(text, 'tiny.yaml', ['training.freeze=["encoder.layer.9.*"]']);
  const run = runTraining({ executor, config, output: join(folder.path, 'mistake') });
  await expect(run).rejects.toThrow(
    /^training\.freeze=\S+: training\.freeze\.0: 'encoder\.layer\.9\.\*' names no parameter/,
  );
});
