/** What the tokenizer of a model with random weights is trained on. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Pair, TrainingSetBuilder } from '@synglot/data';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseConfig } from './config.js';
import { makeFreshModel } from './fresh-model.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'synglot-fresh-model-'));
});
afterAll(() => rm(folder, { recursive: true }));

const row = (text: string) => ({ id: text, text, lang: 'zh', parallelId: text, dataset: 'd', domain: 'd' });
const pair = (query: string, passage: string, ...negatives: string[]): Pair => ({
  query: row(query),
  passage: row(passage),
  negatives: negatives.map(row),
});

test('a held-out passage is not among its texts, even where it is a hard negative in the data', async () => {
  const builder = new TrainingSetBuilder();
  const sibling = new TrainingSetBuilder(builder);
  builder.add(pair('天地', '玄黃', '宇宙', '洪荒'));
  sibling.add(pair('日月', '洪荒'));
  const training = builder.build([sibling.build()]);
  const config = parseConfig(
    'model: fresh\nfresh_model: { vocabulary_size: 40, hidden_size: 4, heads: 1, intermediate_size: 4 }\n' +
      'data: [{ format: pairs-jsonl, path: p.jsonl }]\ntraining: { steps: 1 }\n',
    'run.yaml',
  );
  const model = join(folder, 'model');
  await makeFreshModel(model, config, training);
  const tokenizer = await readFile(join(model, 'tokenizer.json'), 'utf8');
  const known = [...'天地玄黃宇宙洪荒日月'].filter((letter) => tokenizer.includes(letter));
  expect(known.join('')).toBe('天地玄黃宇宙');
});
