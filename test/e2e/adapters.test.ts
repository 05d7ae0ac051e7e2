/**
 * Runs that train adapters: what is saved, resuming, merging, the commands; and PEFT and
 * sentence-transformers, where SYNGLOT_PYTHON names a Python that has them.
 */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Executor } from '@synglot/gpu';
import { EmbeddingModel, openCheckpoint, readNpy, SafetensorsFile } from '@synglot/models';
import { isAdapterParameter } from '@synglot/nn';
import { parseConfig, runTraining } from '@synglot/train';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectMistake } from '../faults/cli-support.js';
import { root, runCliWell } from '../support/cli.js';
import { openTestExecutor } from '../support/executor.js';
import { noHalf } from '../support/half.js';
import {
  labsePooling,
  readMetrics,
  saveTinyAdapter,
  saveTinyModel,
  testFolder,
  tinyDocuments,
  tinyPairs,
  writeJsonl,
} from './support.js';

const python = process.env.SYNGLOT_PYTHON;
if (!python) {
  console.warn('adapters in Python: skipped, set SYNGLOT_PYTHON to a Python that has peft');
}

let folder: Awaited<ReturnType<typeof testFolder>>;
let executor: Executor;
const inFolder = (...names: string[]) => join(folder.path, ...names);
beforeAll(async () => {
  folder = await testFolder('adapters');
  executor = await openTestExecutor();
  await saveTinyModel(inFolder('model'), undefined, { layers: 2 });
  await saveTinyModel(inFolder('labse'), labsePooling, { layers: 2 });
  await writeJsonl(inFolder('pairs.jsonl'), tinyPairs(20));
});
afterAll(async () => {
  executor?.destroy();
  await folder.remove();
});

const texts = ['red apple 3', 'der alte Baum', 'vanha talo, uusi joki', 'A bird on a stone.', 'neu'];
const steps = 4;

const configText = (adapter: string, model = 'model') => `model: ${inFolder(model)}
adapter: ${adapter}
data: [{ format: pairs-jsonl, path: ${inFolder('pairs.jsonl')} }]
sampling: { batch_size: 6 }
text: { query_max_length: 12, passage_max_length: 16 }
optimizer: { learning_rate: 0.03 }
training: { steps: ${steps}, warmup: 0, seed: 3, dropout: 0.1 }
checkpoint: { every: 2 }
`;

async function train(name: string, adapter: string, options: { model?: string; stopAfter?: number } = {}) {
  const stop = new AbortController();
  return runTraining({
    executor,
    config: parseConfig(configText(adapter, options.model), `${name}.yaml`),
    output: inFolder(name),
    resume: true,
    signal: stop.signal,
    onStep: ({ step }) => {
      if (step === options.stopAfter) stop.abort();
    },
  });
}

async function embed(model: string, adapter?: string): Promise<Float32Array> {
  const checkpoint = await openCheckpoint(model, adapter === undefined ? {} : { adapter });
  const loaded = await EmbeddingModel.load(executor, checkpoint);
  const vectors = await loaded.embed(texts);
  await loaded.destroy();
  return vectors;
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((worst, value, i) => Math.max(worst, Math.abs(value - (b[i] as number))), 0);
}

const kinds = {
  lora: '{ kind: lora, rank: 6, targets: [query, value, 1.output.dense], dropout: 0.1 }',
  'lora-norms':
    '{ kind: lora, targets: all-linear, rank_stabilized: true, layer_norms: trained, embeddings: trained }',
  houlsby: '{ kind: houlsby, size: 4 }',
  pfeiffer: '{ kind: pfeiffer, size: 8, layers: [1], layer_norms: trained }',
};

describe.each(Object.entries(kinds))('%s', (name, adapter) => {
  it('changes the model, saves only what is trained, and resumes bit for bit', async () => {
    const { model } = await train(`${name}-whole`, adapter);
    expect(model).toBe(inFolder(`${name}-whole`, 'model'));
    await train(`${name}-broken`, adapter, { stopAfter: 1 });
    await train(`${name}-broken`, adapter, { stopAfter: 3 });
    await train(`${name}-broken`, adapter);
    const last = `checkpoints/step-00000${steps}`;
    for (const file of [
      'model/adapter_model.safetensors',
      `${last}/model/adapter_model.safetensors`,
      `${last}/optimizer.safetensors`,
    ]) {
      const [a, b] = await Promise.all(
        ['whole', 'broken'].map((run) => readFile(inFolder(`${name}-${run}`, file))),
      );
      expect(a!.equals(b!), file).toBe(true);
    }
    expect(await readMetrics(inFolder(`${name}-broken`))).toEqual(
      await readMetrics(inFolder(`${name}-whole`)),
    );

    const checkpoint = await openCheckpoint(model as string);
    const trained = checkpoint.parameters.filter(
      ({ name, trainable = true }) => isAdapterParameter(name) || trainable,
    );
    const weights = await SafetensorsFile.open(join(model as string, 'adapter_model.safetensors'));
    expect(weights.entries.size).toBe(trained.length);
    const state = await SafetensorsFile.open(inFolder(`${name}-whole`, last, 'optimizer.safetensors'));
    expect([...state.entries.keys()].sort()).toEqual(
      ['first', 'second'].flatMap((order) => trained.map((spec) => `${order} moment ${spec.name}`)).sort(),
    );
    expect(await readdir(model as string)).not.toContain('model.safetensors');
    expect(largestDifference(await embed(model as string), await embed(inFolder('model')))).toBeGreaterThan(
      1e-3,
    );
    expect(await embed(inFolder('model'), model as string)).toEqual(await embed(model as string));
  });
});

it('does not go on over other weights than it began with', async () => {
  await saveTinyModel(inFolder('base'), undefined, { layers: 2 });
  await train('moved', kinds.lora, { model: 'base', stopAfter: 3 });
  const { model: other } = await train('other-weights', '{ kind: lora, merge: true }');
  const weights = join('base', 'model.safetensors');
  const before = await readFile(inFolder(weights));
  await writeFile(inFolder(weights), await readFile(join(other as string, 'model.safetensors')));
  await expect(train('moved', kinds.lora, { model: 'base' })).rejects.toMatchObject({
    code: 'INPUT_RESUME',
    message: expect.stringContaining(`${inFolder('base')}: is no longer the model from which`),
  });
  await writeFile(inFolder(weights), before);
  expect(await train('moved', kinds.lora, { model: 'base' })).toMatchObject({ steps });
});

it('a fresh LoRA leaves the embeddings what they were, bit for bit', async () => {
  const text = configText(kinds.lora).replace('learning_rate: 0.03', 'learning_rate: 1.0e-30');
  const config = parseConfig(text, 'still.yaml');
  const { model } = await runTraining({ executor, config, output: inFolder('still') });
  expect(await embed(model as string)).toEqual(await embed(inFolder('model')));
});

it('an adapter is trained further from its own folder, the model under it is found again', async () => {
  const { model } = await train('further', kinds.lora);
  const text = configText(kinds.lora)
    .replace(/^adapter: .*\n/m, '')
    .replace(inFolder('model'), model as string);
  const run = (name: string, stopAfter?: number) => {
    const stop = new AbortController();
    return runTraining({
      executor,
      config: parseConfig(text, 'further.yaml'),
      output: inFolder(name),
      resume: true,
      signal: stop.signal,
      onStep: ({ step }) => {
        if (step === stopAfter) stop.abort();
      },
    });
  };
  const whole = await run('further-whole');
  await run('further-broken', 2);
  const broken = await run('further-broken');
  const vectors = await embed(whole.model as string);
  expect(await embed(broken.model as string)).toEqual(vectors);
  expect(largestDifference(vectors, await embed(model as string))).toBeGreaterThan(1e-4);
  const saved = await openCheckpoint(whole.model as string);
  expect(saved.adapterBase).toBe(inFolder('model'));
});

it("an adapter of 'model: fresh' names the run's own first model, whatever is called fresh beside it", async () => {
  await mkdir(inFolder('fresh'), { recursive: true });
  const text = configText('{ kind: lora }').replace(inFolder('model'), 'fresh');
  await writeFile(inFolder('from-nothing.yaml'), text);
  await runCliWell(['train', 'from-nothing.yaml', '--output', 'from-nothing'], { cwd: folder.path });
  const saved = await openCheckpoint(inFolder('from-nothing', 'model'));
  expect(saved.adapterBase).toBe(inFolder('from-nothing', 'initial-model'));
});

describe.each(['lora', 'houlsby', 'pfeiffer'] as const)('losses of %s', (name) => {
  const losses = async (more: string) => {
    const output = inFolder(`${name}-${more.replace(/\W/g, '-')}`);
    const text = configText(kinds[name]).replace('seed: 3', `seed: 3, ${more}`);
    await runTraining({ executor, config: parseConfig(text, 'variant.yaml'), output, resume: true });
    return (await readMetrics(output)).map(({ loss }) => loss as number);
  };

  it('gradient caching', async () => {
    expect(largestDifference(await losses('cache_tokens: 64'), await losses('accumulation: 1'))).toBeLessThan(
      1e-3,
    );
  });

  it('mixed precision', async ({ skip }) => {
    skip(!executor.device.features.includes('shader-f16'), noHalf);
    const [mixed, plain] = [
      await losses('precision: mixed, loss_scale: 64'),
      await losses('accumulation: 1'),
    ];
    expect(largestDifference(mixed, plain)).toBeLessThan(0.05);
    expect(mixed).not.toEqual(plain);
  });
});

describe('merging', () => {
  it.each(['lora', 'lora-norms'])('%s: merged equals unmerged within rounding', async (name) => {
    const run = inFolder(`${name}-whole`, 'model');
    const merged = inFolder(`${name}-merged`);
    await runCliWell(['merge', '--model', inFolder('model'), '--adapter', run, '--output', merged]);
    expect((await openCheckpoint(merged)).config.adapter).toBeUndefined();
    expect(largestDifference(await embed(merged), await embed(run))).toBeLessThan(5e-6);
  });

  it('at the end of a run, with a dense head', async () => {
    const { model } = await train('run-merged', '{ kind: lora, rank: 4, merge: true }', { model: 'labse' });
    expect((await openCheckpoint(model as string)).config.adapter).toBeUndefined();
    const [merged, over] = [await embed(model as string), await embed(inFolder('run-merged', 'adapter'))];
    expect(largestDifference(merged, over)).toBeLessThan(5e-6);
    expect(largestDifference(merged, await embed(inFolder('labse')))).toBeGreaterThan(1e-3);
  });

  it('bottlenecks cannot be', () =>
    expectMistake(
      ['merge', '--model', inFolder('houlsby-whole', 'model'), '--output', inFolder('none')],
      ['houlsby adapter cannot be merged'],
    ));
});

it('synglot encode --adapter', async () => {
  const [input, output] = [inFolder('texts.txt'), inFolder('texts.npy')];
  await writeFile(input, `${texts.join('\n')}\n`);
  const run = inFolder('pfeiffer-whole', 'model');
  await runCliWell([
    'encode',
    '--model',
    inFolder('model'),
    '--adapter',
    run,
    '--input',
    input,
    '--output',
    output,
  ]);
  const { data } = await readNpy(output);
  expect(largestDifference(data, await embed(run))).toBeLessThan(1e-5);
});

describe('mistakes', () => {
  const expectTrainMistake = async (
    name: string,
    adapter: string,
    expected: readonly (string | RegExp)[],
  ) => {
    const config = inFolder(`${name}.yaml`);
    await writeFile(config, configText(adapter));
    await expectMistake(['train', config, '--output', inFolder(`mistake-${name}`)], expected);
  };

  it('a module that does not exist', () =>
    expectTrainMistake('module', '{ kind: lora, targets: [qeury] }', [
      "ends in 'qeury'",
      "did you mean 'query'?",
    ]));
  it('a module of a layer that does not exist', () =>
    expectTrainMistake('far', '{ kind: lora, targets: [layer.7.attention.self.query] }', [
      "'layer.7.attention.self.query'",
      'encoder.layer.0 to encoder.layer.1',
    ]));
  it('a layer that does not exist', () =>
    expectTrainMistake('layer', '{ kind: houlsby, layers: [0, 2] }', ['no layer 2', 'layers 0 to 1']));
  it('a key of another kind', () =>
    expectTrainMistake('key', '{ kind: pfeiffer, rank: 8 }', ['adapter.rank', 'it takes size, activation']));
  it('a kind that does not exist', () =>
    expectTrainMistake('kind', '{ kind: lorra }', [/kind\.yaml:2/, 'lora']));
  it('a size that kernels cannot take', () =>
    expectTrainMistake('size', '{ kind: houlsby, size: 6 }', ['multiple of 4', 'choose 8']));
  it('an adapter of another model', async () => {
    await saveTinyModel(inFolder('shallow'), undefined, { layers: 1 });
    await expectMistake(
      [
        'merge',
        '--model',
        inFolder('shallow'),
        '--adapter',
        inFolder('lora-whole', 'model'),
        '--output',
        inFolder('x'),
      ],
      ['encoder.layer.1', 'it has 1 layers', 'another model'],
    );
  });
  it('an index made over another base, or with another vocabulary', async () => {
    const [adapter, store, corpus] = ['indexed', 'store', 'corpus.jsonl'].map((name) => inFolder(name));
    await saveTinyModel(inFolder('under'), undefined, { layers: 2 });
    await saveTinyAdapter(adapter!, inFolder('under'));
    await writeJsonl(corpus!, tinyDocuments(4));
    const json = inFolder('under', 'tokenizer.json');
    const { model } = JSON.parse(await readFile(json, 'utf8')) as { model: { vocab: object } };
    const tokens = Object.keys(model.vocab);
    await rm(json);
    await writeFile(inFolder('under', 'vocab.txt'), tokens.join('\n'));
    const index = (name: string) => ['index', '--model', adapter!, '--store', name, '--corpus', corpus!];
    await runCliWell(index(store!));
    expect((await runCliWell(index(store!))).stdout).toContain('4 passages, 0 encoded now');
    const refused = () => expectMistake(index(store!), [`${store}: made with model`], { late: true });
    await writeFile(inFolder('under', 'vocab.txt'), [...tokens, 'more'].join('\n'));
    await refused();
    await writeFile(inFolder('under', 'vocab.txt'), tokens.join('\n'));
    await runCliWell(index(store!));
    await saveTinyModel(inFolder('other'), undefined, { layers: 2, initializerRange: 0.2 });
    await copyFile(inFolder('other', 'model.safetensors'), inFolder('under', 'model.safetensors'));
    await refused();
  });
  it('a folder without an adapter', () =>
    expectMistake(
      ['merge', '--model', inFolder('model'), '--adapter', inFolder('model'), '--output', inFolder('x')],
      ['adapter_config.json'],
    ));
});

describe.skipIf(!python)('Python', () => {
  interface Found {
    readonly embeddings: number[][];
    readonly names: string[];
  }
  async function peft(...given: string[]): Promise<Found> {
    const script = join(root, 'test/parity/check_peft.py');
    const { stdout } = await promisify(execFile)(python as string, [script, ...given, ...texts], {
      maxBuffer: 2 ** 26,
    });
    return JSON.parse(stdout.trim().split('\n').at(-1) as string) as Found;
  }

  it.each(['lora', 'lora-norms'])('PEFT computes what synglot does with %s', async (name) => {
    const run = inFolder(`${name}-whole`, 'model');
    const found = await peft('load', inFolder('model'), run);
    const stored = await SafetensorsFile.open(join(run, 'adapter_model.safetensors'));
    expect(found.names.length).toBe(stored.entries.size);
    expect(largestDifference(found.embeddings.flat(), await embed(run))).toBeLessThan(5e-6);
  });

  it("PEFT's own adapter loads here with equal embeddings", async () => {
    const made = inFolder('peft-made');
    const found = await peft('make', inFolder('model'), made);
    const checkpoint = await openCheckpoint(inFolder('model'), { adapter: made });
    expect(checkpoint.config.adapter).toMatchObject({
      rank: 6,
      alpha: 9,
      rankStabilized: true,
      trainsLayerNorms: true,
    });
    expect(largestDifference(found.embeddings.flat(), await embed(inFolder('model'), made))).toBeLessThan(
      5e-6,
    );
    expect(largestDifference(found.embeddings.flat(), await embed(inFolder('model')))).toBeGreaterThan(1e-3);
  });

  it("a run's folder loads in sentence-transformers, adapter included", async () => {
    const run = inFolder('lora-whole', 'model');
    const found = await peft('sentence-transformers', run);
    expect(found.names.length).toBe(10);
    expect(largestDifference(found.embeddings.flat(), await embed(run))).toBeLessThan(5e-6);
  });
});
