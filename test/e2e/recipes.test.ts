/**
 * Every recipe in `recipes/` trains for a few updates with a tiny model, and a run that is stopped and
 * resumed equals an unbroken one byte for byte. A line `# quick: key=value …` in a recipe adds settings that
 * make its method act within those updates.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Executor } from '@synglot/gpu';
import {
  readConfig,
  readData,
  runTraining,
  type TrainConfig,
  teacherTexts,
  writeTeacher,
} from '@synglot/train';
import { mineForTraining } from 'synglot';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { root } from '../support/cli.js';
import { openTestExecutor } from '../support/executor.js';
import { randomFloats } from '../support/random.js';
import { readMetrics, saveTinyModel, sharedPath, testFolder, tinyPairs, writeJsonl } from './support.js';

const steps = 5;
const stopAfter = 2;
const recipes = readdirSync(join(root, 'recipes'))
  .filter((name) => name.endsWith('.yaml'))
  .sort();
const shared = sharedPath('data');

let folder: Awaited<ReturnType<typeof testFolder>>;
let executor: Executor;
beforeAll(async () => {
  folder = await testFolder('recipes');
  executor = await openTestExecutor();
  // Layers enough for a recipe's patterns of names, and short positions: texts are cut.
  await writeTriplets();
  await saveTinyModel(join(folder.path, 'tiny'), undefined, { layers: 6 });
});
afterAll(async () => {
  executor?.destroy();
  await folder.remove();
});

/** Files that recipes need and other commands make; a `# quick:` line names them in capitals. */
const madeHere = ['TEACHER', 'TRIPLETS.jsonl', 'SCORED.jsonl'] as const;
const inFolder = (name: string) => join(folder.path, name);

/** Triplets of the tiny pairs: the answers of other questions are the hard negatives. */
async function writeTriplets(): Promise<void> {
  const pairs = tinyPairs(40);
  const negative = (index: number) => {
    const { passage: text, lang, parallel_id } = pairs[index % pairs.length] as (typeof pairs)[number];
    return { text, lang, parallel_id };
  };
  const rows = pairs.map((pair, index) => ({
    ...pair,
    negatives: [negative(index + 6), negative(index + 9)],
  }));
  await writeJsonl(inFolder('TRIPLETS.jsonl'), rows);
  // The same with a teacher's scores, which differ from row to row.
  const scored = rows.map(({ passage: positive, ...row }, index) => ({
    ...row,
    positive,
    scores: [5 + (index % 7), (index % 3) - 4, (index % 5) - 8],
  }));
  await writeJsonl(inFolder('SCORED.jsonl'), scored);
}

/** A teacher of random embeddings for all English texts of a configuration. */
async function writeTeacherOf(config: TrainConfig): Promise<void> {
  const { training } = await readData(config, () => undefined);
  const texts = teacherTexts(training, 'en');
  const info = { model: 'random', lang: 'en', query_prefix: '', passage_prefix: '' };
  await writeTeacher(inFolder('TEACHER'), info, texts, randomFloats(texts.length * 16, 1));
}

/** The recipe with a tiny model, little data and few updates. */
async function quickConfig(name: string): Promise<TrainConfig> {
  const path = join(root, 'recipes', name);
  const text = readFileSync(path, 'utf8');
  const quick = /^# quick: (.*)$/m.exec(text)?.[1]?.split(' ') ?? [];
  const { model, data, validation } = parse(text) as { model: string; data: unknown[]; validation?: object };
  const tiny =
    model === 'fresh'
      ? [
          'fresh_model.vocabulary_size=600',
          'fresh_model.tokenizer=wordpiece',
          'fresh_model.hidden_size=16',
          'fresh_model.intermediate_size=32',
        ]
      : [`model=${join(folder.path, 'tiny')}`];
  const config = await readConfig(path, [
    ...tiny,
    ...data.map((_, index) => `data.${index}.limit=120`),
    'sampling.batch_size=6',
    `training.steps=${steps}`,
    'text.query_max_length=12',
    'text.passage_max_length=24',
    'checkpoint.every=1',
    ...(validation ? ['validation.fraction=0.2', 'validation.every=2', 'validation.batches=1'] : []),
    ...quick.map((setting) => madeHere.reduce((text, name) => text.replace(name, inFolder(name)), setting)),
  ]);
  const located = (path: string) => path.replace(/^\.\.\/shared\/data/, shared ?? '');
  const sources = config.data.map((source) => ({
    ...source,
    path: typeof source.path === 'string' ? located(source.path) : source.path.map(located),
  }));
  return { ...config, data: sources };
}

test('there are recipes, and each opens with a paragraph', () => {
  expect(recipes.length).toBeGreaterThan(0);
  for (const name of recipes) {
    const lines = readFileSync(join(root, 'recipes', name), 'utf8').split('\n');
    const comment = lines.slice(
      0,
      lines.findIndex((line) => !line.startsWith('#')),
    );
    expect(comment.length, name).toBeGreaterThanOrEqual(5);
    expect(readFileSync(join(root, 'recipes/README.md'), 'utf8'), name).toContain(`(${name})`);
  }
});

describe.skipIf(!shared)('with the shared data', () => {
  test.each(recipes)('%s trains, and resumes with the same bits', async (name) => {
    const config = await quickConfig(name);
    if (config.distillation || config.margin_mse?.teacher) await writeTeacherOf(config);
    const unbroken = join(folder.path, name, 'unbroken');
    const common = { executor, config, mine: mineForTraining };
    const { model } = await runTraining({ ...common, output: unbroken });
    expect(model).toBe(join(unbroken, 'model'));

    const broken = join(folder.path, name, 'broken');
    const stop = new AbortController();
    const first = await runTraining({
      ...common,
      output: broken,
      signal: stop.signal,
      onStep: ({ step }) => step === stopAfter && stop.abort(),
    });
    expect(first).toMatchObject({ steps: stopAfter });
    expect(first.model).toBeUndefined();
    await runTraining({ ...common, output: broken, resume: true });

    const metrics = await readMetrics(unbroken);
    const updates = metrics.filter((entry) => 'loss' in entry).length;
    // Early stopping may end a run before its last step.
    if (config.validation?.patience === undefined) expect(updates).toBe(steps);
    const last = `checkpoints/step-${String(updates).padStart(6, '0')}`;
    const weights = config.adapter ? 'model/adapter_model.safetensors' : 'model/model.safetensors';
    for (const file of [weights, `${last}/optimizer.safetensors`, `${last}/trainer.json`]) {
      const [a, b] = await Promise.all([unbroken, broken].map((run) => readFile(join(run, file))));
      expect(a!.equals(b!), `${file} of the resumed run equals that of the unbroken one`).toBe(true);
    }
    expect(await readMetrics(broken)).toEqual(metrics);
  });
});
