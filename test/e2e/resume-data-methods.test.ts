/**
 * Runs that change what is drawn or how texts read, stopped in the middle and resumed: weights, state and
 * metrics are those of the unbroken run, bit for bit.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TrainingSet } from '@synglot/data';
import { openTrainingData } from '@synglot/data/files';
import type { Executor } from '@synglot/gpu';
import { parseConfig, runTraining } from '@synglot/train';
import { mineForTraining } from 'synglot';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCliWell } from '../support/cli.js';
import { openTestExecutor } from '../support/executor.js';
import { readMetrics, saveTinyModel, testFolder, tinyPairs, writeJsonl } from './support.js';

let folder: Awaited<ReturnType<typeof testFolder>>;
let executor: Executor;
const inFolder = (name: string) => join(folder.path, name);
beforeAll(async () => {
  folder = await testFolder('resume-data');
  executor = await openTestExecutor();
  await saveTinyModel(inFolder('model'));
  await writeJsonl(inFolder('pairs.jsonl'), tinyPairs(30));
});
afterAll(async () => {
  executor.destroy();
  await folder.remove();
});

const steps = 6;

/** @param stopAfter so many updates; with `mining`, in the round after them */
async function run(
  name: string,
  lines: string,
  stopAfter?: number | { readonly mining: number },
  data = `data: [{ format: pairs-jsonl, path: ${inFolder('pairs.jsonl')} }]\n`,
  training = `training: { steps: ${steps}, seed: 5 }\n`,
) {
  const config = parseConfig(
    `model: ${inFolder('model')}
${data}${training}optimizer: { learning_rate: 0.01 }
checkpoint: { every: 2 }
${lines}`,
    `${name}.yaml`,
  );
  const stop = new AbortController();
  const inRound = typeof stopAfter === 'object' ? stopAfter.mining : undefined;
  return runTraining({
    executor,
    config,
    output: inFolder(name),
    resume: true,
    signal: stop.signal,
    mine: (request) => {
      if (request.step === inRound) stop.abort();
      return mineForTraining(request);
    },
    onStep: ({ step }) => {
      if (step === stopAfter) stop.abort();
    },
  });
}

/** Runs to the end at once, and with a stop after each of `stops`; returns the metrics of both. */
async function expectSameRuns(name: string, lines: string, stops: readonly number[], data?: string) {
  const [whole, broken] = [`${name}-whole`, `${name}-broken`];
  await run(whole, lines, undefined, data);
  for (const stop of stops) await run(broken, lines, stop, data);
  await run(broken, lines, undefined, data);
  for (const file of ['model/model.safetensors', `checkpoints/step-00000${steps}/trainer.json`]) {
    const [a, b] = [
      await readFile(join(inFolder(broken), file)),
      await readFile(join(inFolder(whole), file)),
    ];
    expect(a.equals(b), `${file} of the resumed run equals that of the unbroken one`).toBe(true);
  }
  const metrics = await readMetrics(inFolder(whole));
  expect(await readMetrics(inFolder(broken))).toEqual(metrics);
  return metrics;
}

it('code-switching', async () => {
  await writeFile(inFolder('en-fi.txt'), 'red punainen\ngreen vihreä\napple omena\nhouse talo\nold vanha\n');
  await writeFile(inFolder('en-de.txt'), 'red rot\nriver Fluss\nbird Vogel\n');
  const lexicons = `[${inFolder('en-fi.txt')}, ${inFolder('en-de.txt')}]`;
  const sampling = 'sampling: { mode: multilingual, batch_size: 6 }\n';
  const metrics = await expectSameRuns(
    'switching',
    `${sampling}code_switching: { lexicons: ${lexicons}, rate: 0.8 }\n`,
    [1, 3],
  );
  const switched = metrics.map(({ texts }) => (texts as { switched_words: number }).switched_words);
  expect(Math.min(...switched)).toBeGreaterThan(0);
  await writeFile(inFolder('en-fi.txt'), 'red punainen\n');
  await expect(
    run('switching-broken', `${sampling}code_switching: { lexicons: ${lexicons}, rate: 0.8 }\n`),
  ).rejects.toMatchObject({ code: 'INPUT_RESUME', message: expect.stringMatching(/lexicons\.json: /) });
  await run('not-switching', sampling);
  expect((await readMetrics(inFolder('not-switching')))[0]!.loss).not.toBe(metrics[0]!.loss);
});

it('a model that is another one by now is refused', async () => {
  const lines = 'sampling: { batch_size: 4 }\n';
  await run('another-model', lines, 3);
  const changes = {
    'tokenizer.json': (text: string) => text.replace(/"lowercase": *false/, '"lowercase":true'),
    'config.json': (text: string) => text.replace('"layer_norm_eps": 1e-12', '"layer_norm_eps": 1e-5'),
  };
  for (const [name, change] of Object.entries(changes)) {
    const file = join(inFolder('model'), name);
    const text = await readFile(file, 'utf8');
    expect(change(text)).not.toBe(text);
    await writeFile(file, change(text));
    await expect(run('another-model', lines)).rejects.toMatchObject({
      code: 'INPUT_RESUME',
      message: expect.stringContaining(`${inFolder('model')}: is no longer the model from which`),
    });
    await writeFile(file, text);
  }
  await run('another-model', lines);
});

it('hard negatives mined anew every two updates', async () => {
  const lines = `sampling: { mode: monolingual, batch_size: 5, negatives: 2 }
mining: { start: 1, every: 2, negatives: 3, sampling: random, range_max: 12 }
`;
  // A stop before the first round, at one, and between two.
  const metrics = await expectSameRuns('mining', lines, [1, 3, 4]);
  const rounds = await Promise.all(
    [1, 3, 5].map((step) => readFile(join(inFolder('mining-whole'), `mined/step-00000${step}.json`), 'utf8')),
  );
  expect(new Set(rounds.map((round) => JSON.stringify(JSON.parse(round).negatives))).size).toBe(3);
  await run('not-mining', 'sampling: { mode: monolingual, batch_size: 5, negatives: 2 }\n');
  const plain = await readMetrics(inFolder('not-mining'));
  // Before the first round the runs are one; after it the batches hold negatives.
  expect(plain[0]).toEqual(metrics[0]);
  expect(metrics[1]!.tokens).toBeGreaterThan(plain[1]!.tokens as number);
});

it('a stop during a round of mining, before the first update and after it, does not wait for its end', async () => {
  const lines = `sampling: { mode: monolingual, batch_size: 5, negatives: 2 }
mining: { every: 3, negatives: 3, range_max: 12 }
`;
  await run('rounds-whole', lines);
  expect(await run('rounds', lines, { mining: 0 })).toEqual({ steps: 0, loss: Number.NaN });
  const stopped = await run('rounds', lines, { mining: 3 });
  expect(stopped).toEqual({ steps: 3, loss: expect.any(Number) });
  expect(await readdir(inFolder('rounds/mined'))).toEqual(['step-000000.json']);
  expect(await readdir(inFolder('rounds/checkpoints'))).toContain('step-000003');
  // Again, where it was resumed: its checkpoint is there.
  expect(await run('rounds', lines, { mining: 3 })).toEqual({ ...stopped, loss: Number.NaN });
  await run('rounds', lines);
  const [a, b] = await Promise.all(
    ['rounds', 'rounds-whole'].map((name) => readFile(inFolder(`${name}/model/model.safetensors`))),
  );
  expect(a!.equals(b!)).toBe(true);
  expect(await readMetrics(inFolder('rounds'))).toEqual(await readMetrics(inFolder('rounds-whole')));
});

it('two stages of domains with replay, from raw text', async () => {
  const texts = tinyPairs(30, ['en']).map(({ query, passage }) => `${passage} ${query} ${passage}\n`);
  await writeFile(inFolder('science.txt'), texts.join(''));
  const data = `data:
  - { format: pairs-jsonl, path: ${inFolder('pairs.jsonl')}, domain: general }
  - { format: raw-text, path: ${inFolder('science.txt')}, lang: en, task: inverse-cloze, words: 3, domain: science }
`;
  const weights = `[[0, { general: 1, science: 0 }], [2, { general: 0.2, science: 0.8 }]]`;
  await expectSameRuns(
    'stages',
    `sampling: { mode: monolingual, batch_size: 5, homogeneous_domain: true, domains: { weights: ${weights} } }\n`,
    [1, 2, 5],
    data,
  );
});

it('the two views of a text differ by dropout, and by nothing else', async () => {
  await writeFile(
    inFolder('views.txt'),
    tinyPairs(20, ['en'])
      .map(({ passage }) => `${passage}\n`)
      .join(''),
  );
  const data = `data: [{ format: raw-text, path: ${inFolder('views.txt')}, lang: en }]\n`;
  const lossOf = async (dropout: number): Promise<number> => {
    const training = `training: { steps: 1, seed: 5, dropout: ${dropout} }\n`;
    const lines = 'sampling: { mode: monolingual, batch_size: 8 }\nloss: { temperature: 0.01 }\n';
    await run(`views-${dropout}`, lines, undefined, data, training);
    return (await readMetrics(inFolder(`views-${dropout}`)))[0]!.loss as number;
  };
  // Without dropout a text equals its copy, and there is nothing to learn.
  await expect(lossOf(0)).rejects.toThrow('dropout-views needs dropout');
  // With little of it no other text is nearer: at a low temperature no loss but for near duplicates. The stronger
  // dropout is, the further the copies are apart.
  const [little, some, much] = [await lossOf(0.001), await lossOf(0.1), await lossOf(0.3)];
  expect(little).toBeLessThan(some);
  expect(some).toBeLessThan(much);
});

it('a round of mining that leaves nothing: refused before the first update, told after it', async () => {
  const rules = (start: number) =>
    `sampling: { mode: monolingual, batch_size: 5 }\nmining: { start: ${start}, every: 3, max_score: -1 }\n`;
  await expect(run('none-at-0', rules(0))).rejects.toThrow('mining leaves no negative');
  await expectSameRuns('none-at-2', rules(2), [2, 5]);
  const round = JSON.parse(
    await readFile(join(inFolder('none-at-2-whole'), 'mined/step-000005.json'), 'utf8'),
  );
  expect(round.negatives).toEqual([]);
});

it('synglot mine writes triplets that training reads', async () => {
  const output = inFolder('triplets.jsonl');
  const { stdout } = await runCliWell([
    'mine',
    ...['--model', inFolder('model'), '--data', inFolder('pairs.jsonl'), '--output', output],
    ...['--negatives', '2', '--languages', 'across', '--range-min', '1'],
  ]);
  expect(stdout).toMatch(/triplets\.jsonl: 90 lines, 180 negatives for 90 questions; of \d+ passages/);
  const set = await TrainingSet.read(openTrainingData({ format: 'pairs-jsonl', path: output }));
  expect(set.items).toHaveLength(30);
  for (const item of set.items) {
    expect(item.negatives.length).toBeGreaterThan(0);
    expect(item.negatives).not.toContain(item.passage);
  }
});

it('synglot mine searches a corpus beside the pairs', async () => {
  await writeJsonl(inFolder('corpus.jsonl'), [
    ...tinyPairs(2, ['en']).map(({ passage }, index) => ({ _id: `${index}`, title: '', text: passage })),
    { _id: 'stone', title: 'A stone', text: 'old stone house' },
  ]);
  const output = inFolder('with-corpus.jsonl');
  const data = ['--model', inFolder('model'), '--data', inFolder('pairs.jsonl')];
  const corpus = ['--corpus', inFolder('corpus.jsonl'), '--corpus-lang', 'en'];
  await runCliWell(['mine', ...data, ...corpus, '--output', output, '--negatives', '29']);
  const lines = (await readFile(output, 'utf8')).trimEnd().split('\n');
  const rows = lines.map((line) => JSON.parse(line) as MinedLine);
  const english = rows.filter(({ query_lang }) => query_lang === 'en');
  expect(english).toHaveLength(30);
  for (const { passage, negatives } of english) {
    const texts = negatives.map(({ text }) => text);
    expect(texts).not.toContain(passage);
    expect(new Set(texts).size).toBe(29);
  }
  const fromCorpus = english.filter(({ negatives }) =>
    negatives.some(({ text }) => text === 'A stone old stone house'),
  );
  expect(fromCorpus.length).toBeGreaterThan(0);
});

interface MinedLine {
  readonly query_lang: string;
  readonly passage: string;
  readonly negatives: readonly { readonly text: string; readonly score: number }[];
}
