import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openCheckpoint } from './checkpoint.js';
import type { CheckpointContents } from './checkpoint-files.js';
import { saveCheckpoint } from './checkpoint-writer.js';
import { formatHfConfig } from './hf-config.js';
import { readJsonObject } from './json-files.js';
import type { TensorSource } from './safetensors/format.js';
import { writeSafetensors } from './safetensors/writer.js';
import {
  expectModelError,
  LABSE_POOLING,
  temporaryFolder,
  tensorSources,
  tinyConfig,
  tinyTokenizer,
  tinyWeights,
} from './test-support.js';

const config = tinyConfig();
const weights = tinyWeights(config, LABSE_POOLING);

async function contents(overrides: Partial<CheckpointContents> = {}): Promise<CheckpointContents> {
  return {
    config,
    pooling: LABSE_POOLING,
    maxLength: 16,
    prompts: { query: 'query: ' },
    tokenizer: await tinyTokenizer(),
    tensors: tensorSources(config, LABSE_POOLING, weights),
    ...overrides,
  };
}

async function saved(overrides: Partial<CheckpointContents> = {}): Promise<string> {
  const folder = join(await temporaryFolder(), 'model');
  await saveCheckpoint(folder, await contents(overrides));
  return folder;
}

/** A plain Hugging Face folder whose tensors the caller may rename, drop or reshape. */
async function plainFolder(
  change: (tensor: TensorSource) => TensorSource | undefined = (tensor) => tensor,
): Promise<string> {
  const folder = await temporaryFolder();
  const tensors = tensorSources(config, { mode: 'mean', normalize: true }, weights).map(change);
  await writeSafetensors(
    join(folder, 'model.fp32.safetensors'),
    tensors.filter((tensor) => tensor !== undefined),
  );
  await writeFile(join(folder, 'config.json'), JSON.stringify(formatHfConfig(config)));
  await writeFile(join(folder, 'tokenizer.json'), (await tinyTokenizer()).files.tokenizer);
  return folder;
}

describe('saving and opening', () => {
  it('gives back everything, weights bit for bit', async () => {
    const folder = await saved();
    const model = await openCheckpoint(folder);
    expect(model).toMatchObject({
      config,
      pooling: LABSE_POOLING,
      maxLength: 16,
      prompts: { query: 'query: ' },
      similarity: 'cosine',
    });
    expect(model.tokenizer.files.tokenizer).toBe((await tinyTokenizer()).files.tokenizer);
    expect(model.parameters.map(({ name }) => name)).toEqual([...weights.keys()]);
    for (const [name, values] of weights) expect(await model.readTensor(name)).toEqual(values);
    const rows = await model.readRows('embeddings.word_embeddings.weight', 3, 5);
    expect(rows).toEqual(weights.get('embeddings.word_embeddings.weight')!.subarray(24, 40));
    await expect(model.readTensor('pooler.dense.weight')).rejects.toThrow(
      'no parameter "pooler.dense.weight"',
    );
  });

  it('a folder may be a URL object, as an address in a page', async () => {
    const folder = await saved();
    const { source, maxLength } = await openCheckpoint(pathToFileURL(folder));
    expect({ source, maxLength }).toEqual({ source: folder, maxLength: 16 });
    await expectModelError(
      () => openCheckpoint(folder, { adapter: pathToFileURL(folder) }),
      'INPUT_CHECKPOINT',
      `${join(folder, 'adapter_config.json')}: missing`,
    );
    await expectModelError(
      () => openCheckpoint(new URL('https://models.example/one')),
      'INPUT_MODEL',
      'https://models.example/one: no such model folder; give a folder',
    );
  });

  it('writes the sentence-transformers layout', async () => {
    const folder = await saved({ description: 'Trained on apples.', baseModel: 'some/apple' });
    expect((await readdir(folder, { recursive: true })).sort()).toEqual([
      '1_Pooling',
      join('1_Pooling', 'config.json'),
      '2_Dense',
      join('2_Dense', 'config.json'),
      join('2_Dense', 'model.safetensors'),
      '3_Normalize',
      join('3_Normalize', 'config.json'),
      'README.md',
      'config.json',
      'config_sentence_transformers.json',
      'model.safetensors',
      'modules.json',
      'sentence_bert_config.json',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    const card = await readFile(join(folder, 'README.md'), 'utf8');
    expect(card).toContain('Trained on apples.');
    expect(card).toMatch(/^---\n[^#]*base_model: some\/apple\n/);
    expect(await readJsonObject(join(folder, 'config.json'))).toMatchObject({
      architectures: ['BertModel'],
      pad_token_id: 0,
    });
  });

  it('takes tensors from an asynchronous source in any order', async () => {
    async function* reversed() {
      yield* tensorSources(config, LABSE_POOLING, weights).reverse();
    }
    const folder = await saved({ tensors: reversed() });
    const original = await saved();
    expect(await readFile(join(folder, 'model.safetensors'))).toEqual(
      await readFile(join(original, 'model.safetensors')),
    );
  });

  it('replaces an earlier checkpoint, and leaves no other folder', async () => {
    const folder = await saved();
    await saveCheckpoint(`${folder}/`, await contents({ maxLength: 9 }));
    expect((await openCheckpoint(folder)).maxLength).toBe(9);
    expect(await readdir(join(folder, '..'))).toEqual(['model']);
  });

  it('of several checkpoints that are saved at once, one stays', async () => {
    const folder = join(await temporaryFolder(), 'model');
    const lengths = [8, 9, 10, 11, 12, 13];
    const all = await Promise.all(lengths.map((maxLength) => contents({ maxLength })));
    await Promise.all(all.map((each) => saveCheckpoint(folder, each)));
    expect(lengths).toContain((await openCheckpoint(folder)).maxLength);
    expect(await readdir(join(folder, '..'))).toEqual(['model']);
  });
});

describe('a saving that fails', () => {
  const failing = (error: unknown): TensorSource[] =>
    tensorSources(config, LABSE_POOLING, weights).map((tensor, i) =>
      i < 10 ? tensor : { ...tensor, read: () => Promise.reject(error) },
    );

  it('leaves the earlier checkpoint as it was', async () => {
    const folder = await saved();
    const saving = saveCheckpoint(
      folder,
      await contents({ maxLength: 9, tensors: failing(new Error('device lost')) }),
    );
    await expect(saving).rejects.toThrow('device lost');
    expect((await openCheckpoint(folder)).maxLength).toBe(16);
    expect(await readdir(join(folder, '..'))).toEqual(['model']);
  });

  it('names a file in the way', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'model'), 'text');
    const into = async (path: string) => saveCheckpoint(path, await contents());
    await expectModelError(() => into(join(folder, 'model')), 'INPUT_DISK', /model: not written, .*file/);
    await expectModelError(
      () => into(join(folder, 'model', 'inner')),
      'INPUT_DISK',
      /not written, .*ENOTDIR/,
    );
    await expectModelError(
      () => into(join(folder, 'n'.repeat(300))),
      'INPUT_DISK',
      /not written, a name in the path is too long: .*ENAMETOOLONG/,
    );
    expect(await readdir(folder)).toEqual(['model']);
  });

  it('refuses tensors that are not the parameters', async () => {
    const sources = tensorSources(config, LABSE_POOLING, weights);
    const saving = (tensors: TensorSource[]) => saved({ tensors });
    await expect(saving(sources.slice(1))).rejects.toThrow(
      '"embeddings.word_embeddings.weight" is not among the 38 given',
    );
    await expect(saving([...sources, sources[0]!])).rejects.toThrow('given twice');
    await expect(saving([...sources, { ...sources[0]!, name: 'x' }])).rejects.toThrow(
      '"x" is not a parameter',
    );
    await expect(saving([{ ...sources[0]!, shape: [8, 64] }, ...sources.slice(1)])).rejects.toThrow(
      'shape [8, 64], expected [64, 8]',
    );
    await expect(saved({ maxLength: 21 })).rejects.toThrow(
      'maxLength 21, expected a whole number from 1 to 20',
    );
    await expectModelError(
      () => saved({ config: tinyConfig({ vocabularySize: 8 }) }),
      'INPUT_TOKENIZER',
      /table of 8 rows/,
    );
  });
});

describe('a checkpoint that is not whole', () => {
  it('is refused while it has its temporary name', async () => {
    const folder = await saved();
    const partial = `${folder}.partial-123-abc`;
    await rename(folder, partial);
    await expectModelError(() => openCheckpoint(partial), 'INPUT_CHECKPOINT', /cut short; delete it/);
    await expectModelError(() => openCheckpoint(join(partial, '2_Dense')), 'INPUT_CHECKPOINT', /cut short/);
  });

  it.each([
    ['config.json', 'INPUT_CHECKPOINT', /config\.json: missing/],
    ['model.safetensors', 'INPUT_CHECKPOINT', /no \*\.safetensors file/],
    ['tokenizer.json', 'INPUT_TOKENIZER', /no tokenizer\.json/],
    [join('1_Pooling', 'config.json'), 'INPUT_CHECKPOINT', /1_Pooling.config\.json: missing/],
    [join('2_Dense', 'model.safetensors'), 'INPUT_CHECKPOINT', /2_Dense: no \*\.safetensors/],
  ] as const)('is refused without %s', async (file, code, message) => {
    const folder = await saved();
    await rm(join(folder, file));
    await expectModelError(() => openCheckpoint(folder), code, message);
  });

  it('is refused when its weights are cut', async () => {
    const folder = await saved();
    const path = join(folder, 'model.safetensors');
    await writeFile(path, (await readFile(path)).subarray(0, -100));
    await expectModelError(
      () => openCheckpoint(folder),
      'INPUT_CHECKPOINT',
      /model\.safetensors: tensor .* ends at byte/,
    );
  });
});

describe('a plain Hugging Face folder', () => {
  it('opens with mean pooling, or what its user says', async () => {
    const folder = await plainFolder();
    expect(await openCheckpoint(folder)).toMatchObject({
      pooling: { mode: 'mean', normalize: true },
      maxLength: 20,
    });
    const options = { pooling: { mode: 'cls', normalize: false }, maxLength: 5 } as const;
    expect(await openCheckpoint(folder, options)).toMatchObject(options);
    await expectModelError(
      () => openCheckpoint(folder, { maxLength: 21 }),
      'INPUT_CHECKPOINT',
      /maximum length 21: .* at most 20/,
    );
  });

  it('may carry prefixes, old names, heads and buffers', async () => {
    const folder = await plainFolder(({ name, ...rest }) => ({
      ...rest,
      name: `bert.${name.replace('LayerNorm.weight', 'LayerNorm.gamma').replace('LayerNorm.bias', 'LayerNorm.beta')}`,
    }));
    const model = await openCheckpoint(folder);
    expect(await model.readTensor('embeddings.LayerNorm.bias')).toEqual(
      weights.get('embeddings.LayerNorm.bias'),
    );
  });

  const word = 'embeddings.word_embeddings.weight';
  it.each<[string, (tensor: TensorSource) => TensorSource | undefined, RegExp]>([
    [
      'misses a tensor',
      (t) => (t.name.endsWith('1.output.dense.bias') ? undefined : t),
      /tensor "encoder\.layer\.1\.output\.dense\.bias" is missing \(expected shape \[8\]\)/,
    ],
    [
      'has one too many',
      (t) => (t.name === word ? t : { ...t, name: t.name.replace('layer.1', 'layer.2') }),
      /"encoder\.layer\.1\.attention\.self\.query\.weight" is missing/,
    ],
    [
      'has a prefix of its own',
      (t) => ({ ...t, name: `model.${t.name}` }),
      /is missing .*; there is "model\.embeddings\.word_embeddings\.weight": rename the tensors, without "model\."$/,
    ],
    [
      'has another shape',
      (t) => (t.name === word ? { ...t, shape: [32, 16] } : t),
      /tensor "embeddings\.word_embeddings\.weight" has shape \[32, 16\], expected \[64, 8\] \(vocab_size × hidden_size/,
    ],
  ])('is refused when it %s', async (_, change, message) => {
    const folder = await plainFolder(change);
    await expectModelError(() => openCheckpoint(folder), 'INPUT_CHECKPOINT', message);
  });

  it('is refused when its configuration knows fewer layers, or a tensor comes twice', async () => {
    const folder = await plainFolder();
    const fewer = formatHfConfig({ ...config, layers: 1 });
    await writeFile(join(folder, 'config.json'), JSON.stringify(fewer));
    await expectModelError(
      () => openCheckpoint(folder),
      'INPUT_CHECKPOINT',
      /"encoder\.layer\.1\.\S+" is not expected by config\.json/,
    );
    const name = 'bert.embeddings.LayerNorm.weight';
    await writeSafetensors(join(folder, 'model.safetensors'), [
      { name, shape: [8], read: () => new Float32Array(8) },
      { name: name.slice(5), shape: [8], read: () => new Float32Array(8) },
    ]);
    await expectModelError(
      () => openCheckpoint(folder),
      'INPUT_CHECKPOINT',
      /are both embeddings\.LayerNorm\.weight/,
    );
  });

  it('is refused with a tokenizer of another model', async () => {
    const folder = await plainFolder();
    const json = JSON.parse((await tinyTokenizer()).files.tokenizer);
    json.model.vocab.zebra = 64;
    await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(json));
    await expectModelError(
      () => openCheckpoint(folder),
      'INPUT_TOKENIZER',
      /has ids up to 64, but .*config\.json gives the model a table of 64 rows/,
    );
  });

  it('is refused with broken JSON, naming the line', async () => {
    const folder = await plainFolder();
    await writeFile(join(folder, 'config.json'), '{\n  "model_type": "bert",\n  "vocab_size": 64,,\n}\n');
    await expectModelError(
      () => openCheckpoint(folder),
      'INPUT_CHECKPOINT',
      /config\.json:3: not valid JSON/,
    );
  });
});

describe('a path', () => {
  it('that is no folder is named', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'empty'));
    await writeFile(join(folder, 'file'), '');
    await expectModelError(
      () => openCheckpoint(join(folder, 'file')),
      'INPUT_MODEL',
      /a file, expected a model folder/,
    );
    await expectModelError(
      () => openCheckpoint(join(folder, 'nothing')),
      'INPUT_MODEL',
      /no such model folder; give a folder/,
    );
    await expectModelError(
      () => openCheckpoint(join(folder, 'empty')),
      'INPUT_CHECKPOINT',
      /config\.json: missing/,
    );
  });

  // To the superuser every folder is open.
  it.skipIf(process.getuid?.() === 0)('that may not be looked into is not called empty', async () => {
    const folder = await saved();
    await chmod(folder, 0);
    await expectModelError(
      () => openCheckpoint(folder),
      'INPUT_CHECKPOINT',
      /no permission to read it; change its rights \(chmod\)/,
    );
    await chmod(folder, 0o700);
  });
});
