/** What the tokenizer of a model with random weights is trained on. */
import { type Pair, TrainingSetBuilder } from '@synglot/data';
import { expect, test } from 'vitest';
import { parseConfig } from './config.js';
import { freshTokenizer } from './fresh-model.js';

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
  const { tokenizer } = (await freshTokenizer(config, training)).files;
  const known = [...'天地玄黃宇宙洪荒日月'].filter((letter) => tokenizer.includes(letter));
  expect(known.join('')).toBe('天地玄黃宇宙');
});
