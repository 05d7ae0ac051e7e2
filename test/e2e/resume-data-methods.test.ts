/**
 * Runs that change what is drawn or how texts read, stopped in the middle and resumed: weights, state and
 * metrics are those of the unbroken run, bit for bit.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Executor } from '@synglot/gpu';
import { parseConfig, runTraining } from '@synglot/train';
import { afterAll, beforeAll, expect, it } from 'vitest';
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

async function run(name: string, lines: string, stopAfter?: number): Promise<void> {
  const config = parseConfig(
    `model: ${inFolder('model')}
data: [{ format: pairs-jsonl, path: ${inFolder('pairs.jsonl')} }]
training: { steps: ${steps}, seed: 5 }
optimizer: { learning_rate: 0.01 }
checkpoint: { every: 2 }
${lines}`,
    `${name}.yaml`,
  );
  const stop = new AbortController();
  await runTraining({
    executor,
    config,
    output: inFolder(name),
    resume: true,
    signal: stop.signal,
    onStep: ({ step }) => {
      if (step === stopAfter) stop.abort();
    },
  });
}

/** Runs to the end at once, and with a stop after each of `stops`; returns the metrics of both. */
async function expectSameRuns(name: string, lines: string, stops: readonly number[]) {
  const [whole, broken] = [`${name}-whole`, `${name}-broken`];
  await run(whole, lines);
  for (const stop of stops) await run(broken, lines, stop);
  await run(broken, lines);
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
  await run('not-switching', sampling);
  expect((await readMetrics(inFolder('not-switching')))[0]!.loss).not.toBe(metrics[0]!.loss);
});
