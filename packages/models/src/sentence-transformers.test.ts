import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openCheckpoint } from './checkpoint.js';
import { formatLayout, readLayout } from './sentence-transformers.js';
import { expectModelError, LABSE_POOLING, TINY_TEXTS, temporaryFolder } from './test-support.js';
import { trainTokenizer } from './tokenizer-training.js';

async function folderOf(files: Iterable<readonly [string, unknown]>): Promise<string> {
  const folder = await temporaryFolder();
  for (const [path, json] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), typeof json === 'string' ? json : JSON.stringify(json));
  }
  return folder;
}

const modules = (...kinds: [kind: string, path: string][]) =>
  kinds.map(([kind, path], idx) => ({ idx, name: String(idx), path, type: kind }));

/** LaBSE's files as version 6.2 writes them. */
const NEW: [string, unknown][] = [
  [
    'modules.json',
    modules(
      ['sentence_transformers.base.modules.transformer.Transformer', ''],
      ['sentence_transformers.sentence_transformer.modules.pooling.Pooling', '1_Pooling'],
      ['sentence_transformers.base.modules.dense.Dense', '2_Dense'],
      ['sentence_transformers.base.modules.normalize.Normalize', '3_Normalize'],
    ),
  ],
  ['1_Pooling/config.json', { embedding_dimension: 8, pooling_mode: 'cls', include_prompt: true }],
  [
    '2_Dense/config.json',
    {
      in_features: 8,
      out_features: 4,
      bias: true,
      activation_function: 'torch.nn.modules.activation.Tanh',
      module_input_name: 'sentence_embedding',
      module_output_name: 'sentence_embedding',
    },
  ],
  ['sentence_bert_config.json', { transformer_task: 'feature-extraction' }],
  ['tokenizer_config.json', { model_max_length: 32 }],
  [
    'config_sentence_transformers.json',
    { prompts: { query: 'q: ', document: '' }, default_prompt_name: 'query', similarity_fn_name: 'dot' },
  ],
];

function changed(path: string, json: unknown): [string, unknown][] {
  return [...NEW.filter(([name]) => name !== path), [path, json]];
}

describe('reading', () => {
  it('takes the new key names', async () => {
    expect(await readLayout(await folderOf(NEW), 8)).toEqual({
      encoderPath: '',
      densePath: '2_Dense',
      pooling: LABSE_POOLING,
      maxLength: 32,
      prompts: { query: 'q: ', document: '' },
      defaultPromptName: 'query',
      similarity: 'dot',
    });
  });

  it('takes the old ones, with the encoder in its own folder', async () => {
    const folder = await folderOf([
      [
        'modules.json',
        modules(
          ['sentence_transformers.models.Transformer', '0_Transformer'],
          ['sentence_transformers.models.Pooling', '1_Pooling'],
        ),
      ],
      ['0_Transformer/sentence_bert_config.json', { max_seq_length: 128, do_lower_case: false }],
      [
        '1_Pooling/config.json',
        { word_embedding_dimension: 8, pooling_mode_cls_token: false, pooling_mode_mean_tokens: true },
      ],
    ]);
    expect(await readLayout(folder, 8)).toEqual({
      encoderPath: '0_Transformer',
      pooling: { mode: 'mean', normalize: false },
      maxLength: 128,
      prompts: {},
    });
  });

  it('gives a plain Hugging Face folder mean pooling, normalised', async () => {
    const folder = await folderOf([['tokenizer_config.json', { model_max_length: 1e30 }]]);
    expect(await readLayout(folder, 8)).toEqual({
      encoderPath: '',
      pooling: { mode: 'mean', normalize: true },
      prompts: {},
    });
  });

  const pooling = '1_Pooling/config.json';
  const dense = '2_Dense/config.json';
  it.each<[string, string, unknown, RegExp]>([
    ['a list that is none', 'modules.json', {}, /modules\.json:1: expected a JSON list/],
    ['broken JSON', 'modules.json', '[\n{"idx": 0,\n]', /modules\.json:3: not valid JSON/],
    [
      'a number that is none',
      'modules.json',
      '[\n{"idx": NaN}\n]\n',
      /modules\.json: not valid JSON \(.*idx": NaN/,
    ],
    ['a module without a path', 'modules.json', [{ type: 'x.Transformer' }], /module 0 is/],
    [
      'a module outside the folder',
      'modules.json',
      modules(['Transformer', '../x']),
      /module 0 lies outside/,
    ],
    [
      'another order',
      'modules.json',
      modules(
        ['Transformer', ''],
        ['Pooling', '1_Pooling'],
        ['Normalize', '2_Normalize'],
        ['Dense', '2_Dense'],
      ),
      /modules Transformer, Pooling, Normalize, Dense are not supported/,
    ],
    [
      'an unknown module',
      'modules.json',
      modules(['Transformer', ''], ['Pooling', '1_Pooling'], ['x.WordWeights', 'w']),
      /WordWeights are not supported/,
    ],
    [
      "an encoder by the model's own code",
      'modules.json',
      modules(['custom_st.Transformer', ''], ['Pooling', '1_Pooling']),
      /modules custom_st\.Transformer, Pooling are not supported/,
    ],
    [
      'max pooling',
      pooling,
      { pooling_mode: 'max' },
      /pooling "max" is not supported, expected "cls" or "mean"/,
    ],
    [
      'two old modes',
      pooling,
      { pooling_mode_cls_token: true, pooling_mode_mean_tokens: true },
      /pooling \["cls","mean"\] is not supported/,
    ],
    [
      'another width',
      pooling,
      { embedding_dimension: 9, pooling_mode: 'cls' },
      /embedding_dimension is 9, expected 8/,
    ],
    [
      'prompts left out of the mean',
      pooling,
      { pooling_mode: 'mean', include_prompt: false },
      /include_prompt false/,
    ],
    ['a truncation', 'config_sentence_transformers.json', { truncate_dim: 4 }, /truncate_dim is 4/],
    ['another dense width', dense, { in_features: 9, out_features: 4 }, /in_features is 9, expected 8/],
    ['a dense layer to nowhere', dense, { in_features: 8 }, /out_features is nothing/],
    [
      'another activation',
      dense,
      { in_features: 8, out_features: 4, activation_function: 'torch.nn.modules.activation.ReLU' },
      /ReLU" is not supported/,
    ],
    ['a residual', dense, { in_features: 8, out_features: 8, use_residual: true }, /use_residual/],
    [
      'a normalisation of tokens',
      '3_Normalize/config.json',
      { module_input_name: 'token_embeddings' },
      /token_emb/,
    ],
    ['lengths by role', 'sentence_bert_config.json', { query_length: 6 }, /query_length is 6/],
    [
      'filled questions',
      'sentence_bert_config.json',
      { query_expansion: { length: 8 } },
      /query_expansion is/,
    ],
    [
      'a head',
      'sentence_bert_config.json',
      { transformer_task: 'fill-mask' },
      /transformer_task is "fill-mask"/,
    ],
    ['a length that is none', 'sentence_bert_config.json', { max_seq_length: 0 }, /max_seq_length is 0/],
    [
      'a text for a length',
      'tokenizer_config.json',
      { model_max_length: '9' },
      /tokenizer_config\.json: model_max_length is "9"/,
    ],
  ])('refuses %s', async (_, path, json, message) => {
    const folder = await folderOf(changed(path, json));
    await expectModelError(() => readLayout(folder, 8), 'INPUT_CHECKPOINT', message);
  });

  it('takes lower-casing where the tokenizer does it, and refuses it elsewhere', async () => {
    const folder = await folderOf(changed('sentence_bert_config.json', { do_lower_case: true }));
    for (const lowercase of [true, false]) {
      for (const model of ['unigram', 'wordpiece'] as const) {
        const { files } = await trainTokenizer(TINY_TEXTS, { vocabularySize: 60, model, lowercase });
        await writeFile(join(folder, 'tokenizer.json'), files.tokenizer);
        const config = JSON.stringify({ do_lower_case: lowercase, model_max_length: 32 });
        await writeFile(join(folder, 'tokenizer_config.json'), config);
        const read = () => readLayout(folder, 8);
        if (lowercase) expect(await read()).toMatchObject({ maxLength: 32 });
        else await expectModelError(read, 'INPUT_CHECKPOINT', /do_lower_case is true/);
      }
    }
  });

  it('names the modules of a model that has no encoder at its top', async () => {
    const folder = await folderOf([
      ['modules.json', modules(['sentence_transformers.base.modules.router.Router', ''])],
    ]);
    await expectModelError(
      () => openCheckpoint(folder),
      'INPUT_CHECKPOINT',
      /modules Router are not supported/,
    );
  });

  it('misses a folder that modules.json names', async () => {
    const folder = await folderOf(NEW.filter(([path]) => path !== pooling));
    await expectModelError(
      () => readLayout(folder, 8),
      'INPUT_CHECKPOINT',
      /1_Pooling.config\.json: missing/,
    );
  });
});

describe('writing', () => {
  it.each([
    LABSE_POOLING,
    { mode: 'mean', normalize: false } as const,
    {
      ...LABSE_POOLING,
      dense: { inFeatures: 8, outFeatures: 8, bias: false, activation: 'identity' },
    } as const,
  ])('is read back as it was: %o', async (wanted) => {
    const folder = await folderOf(
      formatLayout({ pooling: wanted, hiddenSize: 8, maxLength: 17, prompts: { query: 'q ' } }),
    );
    expect(await readLayout(folder, 8)).toMatchObject({
      pooling: wanted,
      maxLength: 17,
      prompts: { query: 'q ' },
      similarity: 'cosine',
    });
  });
});
