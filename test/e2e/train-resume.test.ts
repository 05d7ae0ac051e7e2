/**
 * `synglot train` killed with SIGKILL and resumed: weights, optimiser state and metrics are those of the
 * unbroken run, bit for bit, and a folder with a checkpoint's name is whole, whenever the kill comes.
 */
import { existsSync, readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { openCheckpoint, partialMark, SafetensorsFile } from '@synglot/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { miniLm, type RunningCli, runCliWell, startCli } from '../support/cli.js';
import { readMetrics, saveTinyModel, sharedPath, testFolder, tinyPairs, writeJsonl } from './support.js';

let folder: Awaited<ReturnType<typeof testFolder>>;
beforeAll(async () => {
  folder = await testFolder('resume');
});
afterAll(() => folder.remove());

const checkpointName = /^step-\d{6,}$/;

/** Entries of a run's checkpoint folder. */
function checkpointEntries(run: string): string[] {
  const path = join(run, 'checkpoints');
  return existsSync(path) ? readdirSync(path) : [];
}

/** Waits until `ready`, or until the run has ended; says which. */
async function waitFor({ child }: RunningCli, ready: () => boolean | Promise<boolean>): Promise<boolean> {
  while (child.exitCode === null && child.signalCode === null) {
    if (await ready()) return true;
    await setTimeout(1);
  }
  return false;
}

/** Expects that everything under a checkpoint's name can be read to its last byte; returns how many there are. */
async function expectWholeCheckpoints(run: string): Promise<number> {
  const names = checkpointEntries(run).filter((name) => checkpointName.test(name));
  for (const name of names) {
    const path = join(run, 'checkpoints', name);
    const model = await openCheckpoint(join(path, 'model'));
    for (const { name: parameter } of model.parameters) await model.readTensor(parameter);
    const optimizer = await SafetensorsFile.open(join(path, 'optimizer.safetensors'));
    for (const tensor of optimizer.entries.keys()) await optimizer.read(tensor);
    const state = JSON.parse(await readFile(join(path, 'trainer.json'), 'utf8')) as { step: number };
    expect(state.step).toBe(Number(name.slice('step-'.length)));
  }
  return names.length;
}

async function expectEqualRuns(actual: string, expected: string, lastCheckpoint: string): Promise<void> {
  for (const file of [
    'model/model.safetensors',
    'model/config.json',
    'model/tokenizer.json',
    `checkpoints/${lastCheckpoint}/optimizer.safetensors`,
    `checkpoints/${lastCheckpoint}/trainer.json`,
  ]) {
    const [a, b] = [await readFile(join(actual, file)), await readFile(join(expected, file))];
    expect(a.equals(b), `${file} of the resumed run equals that of the unbroken one`).toBe(true);
  }
  expect(await readMetrics(actual)).toEqual(await readMetrics(expected));
}

const data = sharedPath('data/squad2-fi-en');

describe.skipIf(!data)('MiniLM on squad2-fi-en with hybrid batches', () => {
  it('killed at a random moment and resumed, ends with the same bits as unbroken', async () => {
    const steps = 6;
    const config = join(folder.path, 'minilm.yaml');
    await writeFile(
      config,
      `model: ${miniLm}
data:
  - { format: squad2-fi-en, path: ${data}, limit: 600 }
sampling: { mode: hybrid, alpha: 0.5, batch_size: 4 }
text: { query_max_length: 6, passage_max_length: 10 }
optimizer: { learning_rate: 2.0e-4 }
training: { steps: ${steps}, seed: 3 }
validation: { fraction: 0.2, every: 3, batches: 1 }
checkpoint: { every: 2 }
`,
    );
    const unbroken = join(folder.path, 'minilm-unbroken');
    const { seconds } = await runCliWell(['train', config, '--output', unbroken]);
    const metrics = await readMetrics(unbroken);
    expect(metrics.filter((entry) => 'loss' in entry)).toHaveLength(steps);
    expect(metrics.filter((entry) => 'validation_loss' in entry)).toHaveLength(2);
    expect(new Set(metrics.map(({ mode }) => mode))).toContain('cross-lingual');
    expect(new Set(metrics.map(({ mode }) => mode))).toContain('monolingual');

    const broken = join(folder.path, 'minilm-broken');
    const killAfter = Math.floor(Math.random() * steps);
    const delayMs = Math.round(Math.random() * 1500);
    const run = startCli(['train', config, '--output', broken]);
    const seen = await waitFor(run, async () => {
      await setTimeout(5);
      return (await readMetrics(broken)).filter((entry) => 'loss' in entry).length >= killAfter;
    });
    if (seen) await setTimeout(delayMs);
    run.child.kill('SIGKILL');
    const { signal } = await run.done;
    const done = (await readMetrics(broken)).length;
    console.log(
      `unbroken run: ${seconds.toFixed(1)} s; the other killed (${signal}) ${delayMs} ms after step ${killAfter}, with ${done} lines of metrics, checkpoints: ${checkpointEntries(broken).join(', ') || 'none'}`,
    );
    await expectWholeCheckpoints(broken);
    const resumed = await runCliWell(['train', config, '--output', broken, '--resume']);
    console.log(resumed.errorLines.filter((line) => /resumed|beginning/.test(line)).join('\n'));
    await expectEqualRuns(broken, unbroken, 'step-000006');
  }, 600_000);
});

describe('a small model with a checkpoint after every step', () => {
  const steps = 12;
  const mostKills = 5;

  it('killed again and again while checkpoints are written, leaves only whole ones and the same bits', async () => {
    const model = join(folder.path, 'tiny');
    // A table that is large for so small a model: most of a step goes into writing it.
    await saveTinyModel(model, undefined, { vocabularySize: 40_000 });
    const pairs = join(folder.path, 'pairs.jsonl');
    await writeJsonl(pairs, tinyPairs(40));
    const config = join(folder.path, 'tiny.yaml');
    await writeFile(
      config,
      `model: ${model}
data: [{ format: pairs-jsonl, path: ${pairs} }]
sampling: { batch_size: 4 }
training: { steps: ${steps} }
optimizer: { learning_rate: 0.01 }
checkpoint: { every: 1, keep: 2 }
`,
    );
    const unbroken = join(folder.path, 'tiny-unbroken');
    await runCliWell(['train', config, '--output', unbroken]);

    const broken = join(folder.path, 'tiny-broken');
    const kills: string[] = [];
    let partial = 0;
    let finished = false;
    while (!finished && kills.length < mostKills) {
      const before = new Set(checkpointEntries(broken));
      const run = startCli(['train', config, '--output', broken, '--resume']);
      // Every other kill comes while a checkpoint is being written, at once or a little later; the rest at any time.
      const writing = kills.length % 2 === 0;
      const delayMs = writing ? kills.length * 3 : Math.round(Math.random() * 100);
      const wanted = writing ? partialMark : 'step-';
      const seen = await waitFor(run, () =>
        checkpointEntries(broken).some((name) => !before.has(name) && name.includes(wanted)),
      );
      if (seen) await setTimeout(delayMs);
      run.child.kill('SIGKILL');
      const { code } = await run.done;
      finished = code === 0;
      const entries = checkpointEntries(broken);
      partial += entries.some((name) => name.includes(partialMark)) ? 1 : 0;
      kills.push(`${delayMs} ms: ${entries.join(' ')}`);
      await expectWholeCheckpoints(broken);
    }
    console.log(
      `${kills.length} kills, ${partial} of them while a checkpoint was written\n${kills.join('\n')}`,
    );
    expect(partial).toBeGreaterThan(0);
    await runCliWell(['train', config, '--output', broken, '--resume']);
    expect(await expectWholeCheckpoints(broken)).toBe(2);
    expect(checkpointEntries(broken).filter((name) => !checkpointName.test(name))).toEqual([]);
    await expectEqualRuns(broken, unbroken, `step-${String(steps).padStart(6, '0')}`);
  }, 300_000);
});

describe('cached gradients', () => {
  const steps = 6;

  /** Beside `loss`: all objectives that are computed over the embeddings of a batch. */
  const every = `matryoshka: { dimensions: [16, 8] }
adversarial: { hidden: 8, learning_rate_scale: 5 }
margin_mse: { margins: scores, scale: 0.1 }
loss: { direction: both, learnable_temperature: { learning_rate_scale: 20 } }
`;
  it.each([
    ['contrastive', 'loss: { direction: both }\n'],
    ['every', every],
  ])(
    '%s: train as uncached ones do, and resume with the same bits',
    async (kind, objectives) => {
      const inFolder = (name: string) => join(folder.path, `${kind}-${name}`);
      const model = inFolder('tiny-cached-model');
      await saveTinyModel(model);
      const pairs = inFolder('cached-pairs.jsonl');
      const rows = tinyPairs(40);
      const scored = rows.map((row, index) => ({
        ...row,
        negatives: [6, 9].map((offset) => {
          const { passage: text, ...other } = rows[(index + offset) % rows.length] as (typeof rows)[number];
          return { text, lang: other.lang, parallel_id: other.parallel_id };
        }),
        scores: [5 + (index % 7), (index % 3) - 4, (index % 5) - 8],
      }));
      await writeJsonl(pairs, kind === 'every' ? scored : rows);
      const write = async (name: string, training: string) => {
        const path = inFolder(`${name}.yaml`);
        await writeFile(
          path,
          `model: ${model}
data: [{ format: pairs-jsonl, path: ${pairs} }]
sampling: { batch_size: 9 }
${objectives}training: { steps: ${steps}, accumulation: 2${training} }
optimizer: { learning_rate: 0.001 }
validation: { fraction: 0.3, every: 3, batches: 2 }
checkpoint: { every: 2 }
`,
        );
        return path;
      };
      const [uncached, cached] = [await write('uncached', ''), await write('cached', ', cache_tokens: 40')];
      const plain = inFolder('uncached-run');
      await runCliWell(['train', uncached, '--output', plain]);
      const unbroken = inFolder('cached-unbroken');
      await runCliWell(['train', cached, '--output', unbroken]);

      const [expected, metrics] = [await readMetrics(plain), await readMetrics(unbroken)];
      expect(metrics).toHaveLength(steps + 2);
      for (const [index, entry] of metrics.entries()) {
        const other = expected[index] as Record<string, number>;
        expect(Object.keys(entry)).toEqual(Object.keys(other));
        for (const [key, value] of Object.entries(entry)) {
          if (typeof value !== 'number') expect(value).toBe(other[key]);
          else expect(Math.abs(value - (other[key] as number)), `line ${index}, ${key}`).toBeLessThan(1e-4);
        }
      }

      const broken = inFolder('cached-broken');
      const run = startCli(['train', cached, '--output', broken]);
      await waitFor(run, () => checkpointEntries(broken).some((name) => checkpointName.test(name)));
      run.child.kill('SIGKILL');
      await run.done;
      await expectWholeCheckpoints(broken);
      await runCliWell(['train', cached, '--output', broken, '--resume']);
      await expectEqualRuns(broken, unbroken, 'step-000006');
    },
    300_000,
  );
});
