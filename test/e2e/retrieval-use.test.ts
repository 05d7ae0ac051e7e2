/**
 * Folders as sentence-transformers saves them: the score is the cosine though no module normalises, and the model's
 * own prompts stand before questions and passages, in training, evaluation and what is saved.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readNpy } from '@synglot/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli, runCliWell } from '../support/cli.js';
import { saveTinyModel, testFolder, tinyPairs, writeJsonl } from './support.js';

let folder: Awaited<ReturnType<typeof testFolder>>;
const inPlace = (name: string) => join(folder.path, name);
const json = async (path: string) => JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
const settingsFile = 'config_sentence_transformers.json';

beforeAll(async () => {
  folder = await testFolder('retrieval-use');
  await writeJsonl(inPlace('pairs.jsonl'), tinyPairs(12));
  await saveTinyModel(inPlace('unit'));
  await saveTinyModel(inPlace('raw'), { mode: 'mean', normalize: false });
});
afterAll(() => folder.remove());

/** One update, and the loss before it and after it. */
async function train(name: string, model: string, text: object = {}) {
  const settings = {
    text,
    model: inPlace(model),
    data: [{ format: 'pairs-jsonl', path: inPlace('pairs.jsonl') }],
    sampling: { mode: 'hybrid', batch_size: 4 },
    validation: { fraction: 0.3, every: 1, measure: 'mAP' },
    training: { steps: 1, warmup: 0, dropout: 0 },
  };
  await writeFile(inPlace(`${name}.yaml`), JSON.stringify(settings));
  const { stdout, stderr } = await runCliWell(['train', inPlace(`${name}.yaml`), '--output', inPlace(name)]);
  const [step, validation] = (await readFile(join(inPlace(name), 'metrics.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, number>);
  return { output: stdout + stderr, step: step!, validation: validation! };
}

describe('embeddings that no module normalises', () => {
  it('are trained and validated by their cosine', async () => {
    const unit = await train('run-unit', 'unit');
    const raw = await train('run-raw', 'raw');
    expect(raw.step.loss).toBeCloseTo(unit.step.loss!, 5);
    expect(raw.step.gradient_norm).toBeCloseTo(unit.step.gradient_norm!, 4);
    expect(raw.validation.validation_measure).toBeCloseTo(unit.validation.validation_measure!, 5);
    expect(await json(join(inPlace('run-raw'), 'model', settingsFile))).toMatchObject({
      similarity_fn_name: 'cosine',
    });
  });

  it('are ranked by their cosine, or by the dot product where the folder says so', async () => {
    const documents = tinyPairs(40, ['en']).map(({ passage }, i) => ({ _id: `d${i}`, text: passage }));
    await writeJsonl(inPlace('corpus.jsonl'), documents);
    await writeFile(inPlace('topics.tsv'), 'q0\tnew tree\nq1\tthe old red bird 3\n');
    const search = async (model: string, store: string) => {
      const [at, run] = [['--model', inPlace(model), '--store', inPlace(store)], inPlace(`${store}.run`)];
      await runCliWell(['index', ...at, '--corpus', inPlace('corpus.jsonl')]);
      await runCliWell(['search', ...at, '--queries', inPlace('topics.tsv'), '--save-run', run]);
      return (await readFile(run, 'utf8'))
        .trim()
        .split('\n')
        .map((line) => line.split(' '));
    };
    const unit = await search('unit', 'store-unit');
    const raw = await search('raw', 'store-raw');
    for (const [i, [, , , , score]] of raw.entries()) {
      expect(Number(score)).toBeCloseTo(Number(unit[i]![4]), 5);
    }
    const settings = join(inPlace('raw'), settingsFile);
    const saved = await readFile(settings, 'utf8');
    await writeFile(settings, saved.replace('"cosine"', '"dot"'));
    const dot = await search('raw', 'store-dot');
    await writeFile(settings, saved);
    expect(Number(dot[0]![4])).toBeGreaterThan(2);
  });
});

describe("a model's own prompts", () => {
  beforeAll(async () => {
    await saveTinyModel(inPlace('prompted'));
    const settings = join(inPlace('prompted'), settingsFile);
    const prompts = { query: 'red apple ', document: 'old stone ', sorting: 'new river ' };
    await writeFile(
      settings,
      JSON.stringify({ ...(await json(settings)), prompts, default_prompt_name: 'sorting' }),
    );
  });

  it('stand before questions and passages of a run, and in its model under the names that Python asks for', async () => {
    const own = await train('own', 'prompted');
    expect(own.output).toContain('questions begin with "red apple ", passages with "old stone "');
    const told = await train('told', 'unit', { query_prefix: 'red apple ', passage_prefix: 'old stone ' });
    const none = await train('none', 'prompted', { query_prefix: '', passage_prefix: '' });
    const unit = await train('plain', 'unit');
    expect(own.step.loss).toBe(told.step.loss);
    expect(own.validation).toEqual(told.validation);
    expect(none.step.loss).toBe(unit.step.loss);
    expect(none.validation).toEqual(unit.validation);
    const saved = async (name: string) =>
      (await json(join(inPlace(name), 'model', settingsFile))) as { prompts: object };
    expect(await saved('own')).toMatchObject({
      prompts: { query: 'red apple ', document: 'old stone ', passage: 'old stone ', sorting: 'new river ' },
      default_prompt_name: 'sorting',
    });
    expect((await saved('told')).prompts).toMatchObject({ query: 'red apple ', document: 'old stone ' });
    expect((await saved('none')).prompts).toMatchObject({ query: '', document: '' });
  });

  it('by default stand before what is encoded', async () => {
    const encode = async (name: string, text: string, ...options: string[]) => {
      await writeFile(inPlace('texts.txt'), `${text}\n`);
      const at = ['--model', inPlace('prompted'), '--input', inPlace('texts.txt')];
      await runCliWell(['encode', ...at, '--output', inPlace(name), ...options]);
      return (await readNpy(inPlace(name))).data;
    };
    const prompted = await encode('a.npy', 'der Apfel');
    expect(prompted).toEqual(await encode('b.npy', 'new river der Apfel', '--prefix', ''));
    expect(prompted).not.toEqual(await encode('c.npy', 'der Apfel', '--prefix', ''));
  });

  it('by default stand before both sides of a bitext', async () => {
    await mkdir(inPlace('tatoeba'));
    const [de, en] = ['de', 'en'].map((lang) => tinyPairs(12, [lang]).map(({ passage }) => passage));
    await writeFile(inPlace('tatoeba/tatoeba.deu-eng.deu'), `${de!.join('\n')}\n`);
    await writeFile(inPlace('tatoeba/tatoeba.deu-eng.eng'), `${en!.join('\n')}\n`);
    const at = ['eval', '--task', 'tatoeba', '--data', inPlace('tatoeba'), '--model', inPlace('prompted')];
    const table = async (...options: string[]) => (await runCliWell([...at, ...options])).stdout;
    const unasked = await table();
    expect(unasked).toBe(await table('--passage-prefix', 'new river '));
    expect(unasked).not.toBe(await table('--passage-prefix', 'old stone '));
    const { code, errorLines } = await runCli([...at, '--query-prefix', 'x ']);
    expect([code, errorLines.at(-1)]).toEqual([
      2,
      expect.stringContaining('--query-prefix is not for --task tatoeba'),
    ]);
  });
});
