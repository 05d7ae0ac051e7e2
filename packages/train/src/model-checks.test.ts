/** What does not fit a model's shape is refused before data are read, and before a fresh model's tokenizer is trained. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Pair, TrainingSetBuilder } from '@synglot/data';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseConfig } from './config.js';
import { freshShape } from './fresh-model.js';
import { checkDropoutViews, checkModelShape } from './model-checks.js';
import { openRun } from './open-run.js';
import { objectiveParameterNames, runObjectives } from './run-objectives.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'synglot-model-checks-'));
});
afterAll(() => rm(folder, { recursive: true }));

const config = (more: string) =>
  parseConfig(
    `model: fresh\nfresh_model: { hidden_size: 16 }\ndata: [{ format: pairs-jsonl, path: none.jsonl }]\n${more}\n`,
    'run.yaml',
  );
const steps = 'training: { steps: 2 }';

test.each([
  [
    `${steps}\noptimizer: { groups: [{ parameters: "embedings.*", weight_decay: 0 }] }`,
    "run.yaml:5: optimizer.groups.0.parameters: 'embedings.*' names no parameter of the model (did you mean 'embeddings.*'?)",
  ],
  [
    `${steps}\noptimizer: { groups: [{ parameters: "language_discriminator.*", weight_decay: 0 }] }`,
    "'language_discriminator.*' names no parameter of the model",
  ],
  [
    'training: { steps: 2, freeze: ["encoder.layer.1.*"] }',
    "run.yaml:4: training.freeze.0: 'encoder.layer.1.*' names no",
  ],
  [`${steps}\nmining: {}\nmargin_mse: { margins: scores }`, 'run.yaml:6: margin_mse.margins: scores: what'],
  [
    `${steps}\ndistillation: { teacher: none }`,
    "run.yaml:5: distillation.teacher: none: no stored teacher's",
  ],
  [`${steps}\nmargin_mse: { teacher: none }`, "run.yaml:5: margin_mse.teacher: none: no stored teacher's"],
  ['training: { steps: 2, cache_tokens: 40 }', 'a text may have 64 tokens; raise it'],
  [
    `${steps}\nmatryoshka: { dimensions: [16, 20] }`,
    'run.yaml:5: matryoshka.dimensions: expected multiples of 4 up to 16',
  ],
  [`${steps}\nadapter: { kind: pfeiffer, layers: [1] }`, 'run.yaml:5: adapter.layers: there is no layer 1'],
  [
    'training: { steps: 2, freeze: [{ parameters: "*", from: 2, until: 1 }] }',
    'run.yaml:4: training.freeze.0: until 1 is not after from 2',
  ],
  ['training:\n  steps: 2\n  freeze: ["*"]', 'run.yaml:6: training.freeze: every parameter is frozen'],
])('%s', async (more, message) => {
  const output = join(folder, 'run');
  const openExecutor = () => Promise.reject(new Error('a device was opened'));
  await expect(openRun({ config: config(more), output }, openExecutor)).rejects.toMatchObject({
    code: 'INPUT_CONFIG',
    message: expect.stringContaining(message),
  });
  expect(await readdir(folder)).toEqual([]);
});

test('a rank up to which nothing can be mined is told before data are read, too', async () => {
  const openExecutor = () => Promise.reject(new Error('a device was opened'));
  const mining = config(`${steps}\nmining: { range_max: 2 }`);
  await expect(openRun({ config: mining, output: join(folder, 'run') }, openExecutor)).rejects.toThrow(
    'run.yaml:5: mining: `range_max`: expected a whole number from 4 (`range_min` 0 + 4 negatives)',
  );
});

test('a group may name only parameters of objectives, whose names are known without data', async () => {
  const wanted = config(
    `${steps}\nadversarial: {}\nloss: { learnable_temperature: {} }\noptimizer: { groups: [{ parameters: "language_discriminator.0.*", weight_decay: 0 }, { parameters: "contrastive.*", weight_decay: 0 }] }`,
  );
  checkModelShape(wanted, freshShape(wanted));

  const row = (id: string, lang: string) => ({
    id,
    text: id,
    lang,
    parallelId: id,
    dataset: 'd',
    domain: 'd',
  });
  const builder = new TrainingSetBuilder();
  for (const lang of ['en', 'de', 'fi']) {
    const pair: Pair = { query: row(`q ${lang}`, lang), passage: row(`p ${lang}`, lang), negatives: [] };
    builder.add(pair);
  }
  const objectives = await runObjectives(wanted, {
    dimension: 16,
    normalize: false,
    training: builder.build(),
    onNotice: () => undefined,
  });
  const made = objectives.flatMap(({ parameters = [] }) => parameters.map(({ spec }) => spec.name));
  expect(made).toHaveLength(5);
  expect(objectiveParameterNames(wanted)).toEqual(made);
});

test('two views of a text need dropout', () => {
  const encoder = { hiddenDropout: 0, attentionDropout: 0 } as Parameters<typeof checkDropoutViews>[1];
  const config = (source: string) =>
    parseConfig(`model: m\ndata: [${source}]\ntraining: { steps: 1 }\n`, 'run.yaml');
  const views = config('{ format: raw-text, path: t.txt, lang: en }');
  expect(() => checkDropoutViews(views, encoder)).toThrow(
    /^run\.yaml:2: t\.txt: dropout-views needs dropout.*training\.dropout/,
  );
  checkDropoutViews(views, { ...encoder, hiddenDropout: 0.1 });
  checkDropoutViews(config('{ format: raw-text, path: t.txt, task: inverse-cloze }'), encoder);
});
