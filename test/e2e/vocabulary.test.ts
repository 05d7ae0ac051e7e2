/**
 * Trimmed and extended vocabularies on real tokenizers: MiniLM's WordPiece, XLM-R's unigram with its 250,002
 * pieces, mBERT's. A trimmed model's embeddings equal the full one's, bit for bit, on text that it covers.
 */
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Executor } from '@synglot/gpu';
import {
  EmbeddingModel,
  loadTokenizer,
  openCheckpoint,
  saveCheckpoint,
  trimVocabulary,
} from '@synglot/models';
import { type EncoderConfig, encoderParameters, freshParameters } from '@synglot/nn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectMistake } from '../faults/cli-support.js';
import { miniLm, runCliWell } from '../support/cli.js';
import { openTestExecutor } from '../support/executor.js';
import { meanPooling, saveTinyModel, sharedPath, testFolder } from './support.js';

let folder: Awaited<ReturnType<typeof testFolder>>;
let executor: Executor;
const inFolder = (...names: string[]) => join(folder.path, ...names);
beforeAll(async () => {
  folder = await testFolder('vocabulary');
  executor = await openTestExecutor();
});
afterAll(async () => {
  executor?.destroy();
  await folder.remove();
});

const covered = [
  'The station is behind the old town hall, 300 m from here.',
  'Wo ist der Bahnhof? Hinter dem alten Rathaus.',
  'La gare est derrière l’ancien hôtel de ville…',
  'naïve café — 東京 Москва 🙂',
];
/** Parts of covered texts, in another order: words of them are covered too. */
const recombined = ['hall station old', 'der alten gare', 'derrière 東京'];

async function embed(model: string, texts: readonly string[]): Promise<Float32Array> {
  const loaded = await EmbeddingModel.load(executor, await openCheckpoint(model));
  const vectors = await loaded.embed(texts);
  await loaded.destroy();
  return vectors;
}

async function expectTrimmed(full: string, trimmed: string): Promise<void> {
  const text = inFolder('covered.txt');
  await writeFile(text, `${covered.join('\n')}\n`);
  const stdout = await runCliWell([
    'vocabulary',
    'trim',
    '--model',
    full,
    '--keep-text',
    text,
    '--output',
    trimmed,
  ]);
  expect(JSON.stringify(stdout)).toMatch(/\d+ of \d+ tokens/);
  const [before, after] = [await openCheckpoint(full), await openCheckpoint(trimmed)];
  expect(after.config.vocabularySize).toBeLessThan(before.config.vocabularySize / 2);
  const texts = [...covered, ...recombined];
  expect(await embed(trimmed, texts)).toEqual(await embed(full, texts));
}

it('MiniLM, trimmed', () => expectTrimmed(miniLm, inFolder('minilm-small')), 120_000);

it('covers what a configuration sets aside, which the model is evaluated on', async () => {
  const pairs = inFolder('aside.jsonl');
  const words = covered.join(' ').split(' ');
  const rows = words.map((word, i) => ({ query: word, passage: `${word} ${i}`, lang: 'en' }));
  await writeFile(pairs, rows.map((row) => JSON.stringify(row)).join('\n'));
  const config = inFolder('aside.yaml');
  await writeFile(
    config,
    `model: m\ndata: [{ format: pairs-jsonl, path: ${pairs} }]\ntraining: { steps: 1 }\nhold_out: { fraction: 0.4 }\nvalidation: { fraction: 0.6 }\n`,
  );
  const trim = async (...texts: string[]) => {
    const output = inFolder(`trimmed by ${texts[0]}`);
    await runCliWell(['vocabulary', 'trim', '--model', miniLm, '--output', output, ...texts]);
    return (await openCheckpoint(output)).config.vocabularySize;
  };
  const all = await trim('--data', pairs);
  expect(await trim('--config', config)).toBe(all);
  expect(await trim('--config', config, '--set', 'data.0.limit=1')).toBeLessThan(all);
  expect(await trim('--config', config, '--set', 'data.0.limit=1', '--data', pairs)).toBe(all);
}, 120_000);

const xlmr = sharedPath('data/tokenizers/xlm-roberta/tokenizer.json.gz');
const xlmrConfig: EncoderConfig = {
  family: 'xlm-roberta',
  vocabularySize: 250_002,
  hiddenSize: 8,
  layers: 1,
  heads: 2,
  intermediateSize: 16,
  maxPositions: 66,
  typeVocabularySize: 1,
  layerNormEpsilon: 1e-5,
  hiddenDropout: 0,
  attentionDropout: 0,
  positionOffset: 2,
  initializerRange: 0.5,
};

describe.skipIf(!xlmr)('XLM-R', () => {
  it('trimmed: unigram, the special tokens in their places', async () => {
    const tokenizerFolder = inFolder('xlmr-tokenizer');
    await mkdir(tokenizerFolder);
    await copyFile(xlmr as string, join(tokenizerFolder, 'tokenizer.json.gz'));
    const tokenizer = await loadTokenizer(tokenizerFolder);
    const specs = encoderParameters(xlmrConfig, meanPooling);
    const rows = freshParameters(xlmrConfig, specs, 3);
    const full = inFolder('xlmr');
    await saveCheckpoint(full, {
      config: xlmrConfig,
      pooling: meanPooling,
      maxLength: 64,
      tokenizer,
      tensors: specs.map(({ name, shape }) => ({
        name,
        shape,
        read: () => rows(name, 0, shape[0] as number),
      })),
    });
    await expectTrimmed(full, inFolder('xlmr-small'));
    const { tokenizer: small } = await openCheckpoint(inFolder('xlmr-small'));
    expect(['<s>', '<pad>', '</s>', '<unk>'].map((token) => small.tokenToId(token))).toEqual([0, 1, 2, 3]);
    expect(small.tokenToId('<mask>')).toBe(small.vocabularySize - 1);
  }, 240_000);
});

const references = sharedPath('data/tokenizers/reference-tokenizations.jsonl');
describe.skipIf(!references)('texts of many languages', () => {
  it.each(['bert-base-uncased', 'mbert-cased', 'xlm-roberta'])(
    '%s: the same tokens after trimming',
    async (name) => {
      const tokenizer = await loadTokenizer(sharedPath(`data/tokenizers/${name}`) as string);
      const lines = (await readFile(references as string, 'utf8')).trim().split('\n');
      const texts = lines.map((line) => (JSON.parse(line) as { text: string }).text);
      const { tokenizer: trimmed, oldIds } = await trimVocabulary(tokenizer, texts);
      const [before, after] = [await tokenizer.encodeBatch(texts), await trimmed.encodeBatch(texts)];
      for (const [index, { ids }] of after.entries())
        expect(
          [...ids].map((id) => oldIds[id]),
          texts[index],
        ).toEqual([...before[index]!.ids]);
      expect(oldIds.length).toBeLessThan(tokenizer.vocabularySize);
    },
    120_000,
  );
});

it('extended for another language: old texts keep their embeddings, the new language gets shorter', async () => {
  const [full, extended] = [inFolder('tiny'), inFolder('tiny-el')];
  await saveTinyModel(full);
  const greek = Array.from({ length: 30 }, (_, i) => `Το παλιό σπίτι ${i} κοντά στο ποτάμι`);
  for (const part of [0, 1]) {
    await writeFile(inFolder(`el-${part}.txt`), `${greek.slice(15 * part, 15 * (part + 1)).join('\n')}\n`);
  }
  await runCliWell([
    'vocabulary',
    'extend',
    '--model',
    full,
    '--text',
    inFolder('el-*.txt'),
    '--tokens',
    '60',
    '--output',
    extended,
  ]);
  const texts = ['red apple 3', 'der alte Baum', 'vanha talo'];
  expect(await embed(extended, texts)).toEqual(await embed(full, texts));
  const [a, b] = await embed(extended, ['παλιό', 'ποτάμι']).then((rows) => [
    rows.subarray(0, 16),
    rows.subarray(16),
  ]);
  expect(a).not.toEqual(b);
  const { tokenizer } = await openCheckpoint(extended);
  const { ids } = await tokenizer.encode(greek[0] as string);
  expect([...ids]).not.toContain(tokenizer.tokenToId('[UNK]'));
});

describe('mistakes', () => {
  it('no texts', () =>
    expectMistake(
      ['vocabulary', 'trim', '--model', miniLm, '--output', inFolder('x')],
      ['no texts', '--keep-text'],
    ));
  it('settings without a configuration', () =>
    expectMistake(
      ['vocabulary', 'trim', '--model', miniLm, '--output', inFolder('x'), '--data', 'p', '--set', 'a=1'],
      ['--set is for a configuration', '--config'],
    ));

  it('a file that is not there', () =>
    expectMistake(
      [
        'vocabulary',
        'trim',
        '--model',
        miniLm,
        '--keep-text',
        inFolder('none.txt'),
        '--output',
        inFolder('x'),
      ],
      [/--keep-text \S+none\.txt: there is no such file/],
    ));
  it('files without a text', async () => {
    await writeFile(inFolder('blank.txt'), '\n \n');
    const text = ['--text', inFolder('blank.txt'), '--output', inFolder('x')];
    await expectMistake(
      ['vocabulary', 'extend', '--model', miniLm, ...text],
      ['no texts: give files with --text'],
    );
  });
  it('a glob that matches nothing', () =>
    expectMistake(
      ['vocabulary', 'extend', '--model', miniLm, '--text', inFolder('q*.txt'), '--output', inFolder('x')],
      [/--text \S+q\*\.txt: no file matches; in \S+ there are/],
    ));
  it('a command that does not exist', () =>
    expectMistake(['vocabulary', 'trimm'], ["unknown command 'trimm'", 'Did you mean trim?']));
});
