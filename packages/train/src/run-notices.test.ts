/** What a run says before it starts: the data in one line, and settings that do nothing. */
import { type Pair, TrainingSet } from '@synglot/data';
import { expect, test } from 'vitest';
import { parseConfig } from './config.js';
import { describeData, idleSettings } from './run-notices.js';
import { row } from './test-support.js';

const pair = (query: string, passage: string, queryLang: string, passageLang = queryLang): Pair => ({
  query: row(query, queryLang),
  passage: row(passage, passageLang),
  negatives: [],
});

test('the data in one line', () => {
  const set = TrainingSet.from([
    pair('q1', 'p1', 'en'),
    pair('q2', 'p2', 'en'),
    pair('q3', 'p3', 'de'),
    pair('q4', 'p4', 'de', 'en'),
  ]);
  const validation = TrainingSet.from([pair('q5', 'p5', 'en')]);
  expect(describeData(set)).toBe('data: 4 pairs; in one language: en 2, de 1; only across languages: 1');
  expect(describeData(set, validation)).toContain('; for validation: 1');
});

test('more languages than a line holds are counted', () => {
  const langs = Array.from({ length: 15 }, (_, i) => `a${String.fromCharCode(97 + i)}`);
  const set = TrainingSet.from(langs.map((lang) => pair(`q ${lang}`, `p ${lang}`, lang)));
  expect(describeData(set)).toMatch(/al 1, 3 languages more$/);
});

const config = (more: string, source = '{ format: pairs-jsonl, path: p.jsonl }') =>
  parseConfig(`model: m\ndata: [${source}]\ntraining: { steps: 1 }\n${more}`, 'run.yaml');

test('lengths beyond the model, and a batch of one', () => {
  const set = TrainingSet.from([pair('q1', 'p1', 'en')]);
  expect(idleSettings(config('text: { query_max_length: 64, passage_max_length: 512 }'), set, 128)).toEqual([
    'lengths: texts are cut at 128 tokens, the most that the model takes, and not at text.passage_max_length 512',
  ]);
  const one = 'text: { passage_max_length: 64 }\nsampling: { batch_size: 1 }';
  expect(idleSettings(config(one), set, 128)).toEqual([expect.stringMatching(/^sampling\.batch_size 1: /)]);
  const hard = TrainingSet.from([{ ...pair('q1', 'p1', 'en'), negatives: [row('n', 'en')] }]);
  expect(idleSettings(config(one), hard, 128)).toEqual([]);
  const none = 'text: { passage_max_length: 64 }\nsampling: { batch_size: 1, negatives: 0 }\n';
  expect(idleSettings(config(none), hard, 128)).toEqual([expect.stringMatching(/^sampling\.batch_size 1: /)]);
  const warmed = (warmup: number) => {
    const { training, ...rest } = config('text: { passage_max_length: 64 }');
    return idleSettings({ ...rest, training: { ...training, steps: 10, warmup } }, hard, 512);
  };
  expect(warmed(9)).toEqual([]);
  expect(warmed(10)).toEqual([
    expect.stringMatching(/^training\.warmup 10: .* still rising at the last of 10 updates/),
  ]);
});

test('a temperature that is a scale', () => {
  const set = TrainingSet.from([pair('q1', 'p1', 'en')]);
  const lines = (temperature: number, cosine?: boolean) =>
    idleSettings(config(`loss: { temperature: ${temperature} }`), set, 256, cosine);
  expect(lines(20)).toEqual([
    'loss.temperature 20: cosines are divided by it, and all passages then score about alike; a scale of sentence-transformers is 1 / temperature',
  ]);
  expect(lines(20, false)).toEqual([]);
  expect(lines(1)).toEqual([]);
});

test("a measure's setting without a measure", () => {
  const set = TrainingSet.from([pair('q1', 'p1', 'en')]);
  const lines = (validation: string) => idleSettings(config(`validation: { ${validation} }`), set, 256);
  expect(lines('setting: cross-lingual')).toEqual([
    'validation.setting cross-lingual: nothing comes of it where the loss says what is best; name a measure, such as validation.measure: mAP',
  ]);
  expect(lines('questions: 50, measure: loss')).toEqual([
    expect.stringMatching(/^validation\.questions 50: /),
  ]);
  expect(lines('setting: cross-lingual, measure: mAP, questions: 50')).toEqual([]);
  expect(lines('every: 10')).toEqual([]);
});

test('hard negatives that no batch takes, and rounds of mining that never come', () => {
  const set = TrainingSet.from([{ ...pair('q1', 'p1', 'en'), negatives: [row('n', 'en')] }]);
  const lines = (more: string) => idleSettings(config(more), set, 256);
  const margins = 'margin_mse: { teacher: t }\n';
  expect(lines(`sampling: { negatives: 0 }\nmining: {}\n${margins}`)).toEqual([
    'sampling.negatives 0: no batch has hard negatives, and nothing comes of mining and margin_mse; raise it',
  ]);
  expect(lines('mining: { start: 1 }\n')).toEqual([
    'mining.start 1: after the last of 1 updates, nothing is mined; lower it',
  ]);
  expect(lines(`sampling: { negatives: 1 }\nmining: {}\n${margins}`)).toEqual([]);
});

test.each([
  ['fresh_model: { layers: 2 }', 'fresh_model: nothing comes of it where model is not fresh'],
  ['optimizer: { name: sgd, betas: [0.8, 0.9] }', 'optimizer.betas: nothing comes of it with sgd'],
  ['optimizer: { name: sgd, epsilon: 1.0e-6 }', 'optimizer.epsilon: nothing comes of it with sgd'],
  ['training: { steps: 9, loss_scale: 1024 }', /^training\.loss_scale: .* with training\.precision f32$/],
  ['sampling: { mode: monolingual, only_pairs: [[en, de]] }', /^sampling\.only_pairs: .* is monolingual$/],
  ['sampling: { mode: multilingual, language_pair: per-batch }', /^sampling\.language_pair per-batch: /],
  ['sampling: { negatives: 4 }', 'sampling.negatives 4: the data have no hard negatives, and none are mined'],
  [
    'validation: { every: 1, measure: rank-distance, setting: mean }',
    /^validation\.setting: .*the multilingual pool$/,
  ],
  [
    'validation: { every: 3, patience: 2 }',
    /^validation\.patience 2: nothing comes of it in 3 validations; /,
  ],
  [
    'adversarial: { schedule: linear, gamma: 5 }',
    'adversarial.gamma: nothing comes of it with adversarial.schedule linear',
  ],
  ['mining: { seed: 3 }', 'mining.seed: nothing comes of it with mining.sampling top'],
  [
    'training: { steps: 9, freeze: [{ parameters: "*", from: 9 }] }',
    /^training\.freeze\.0: .* in 9 updates: it begins after 9$/,
  ],
])('what nothing comes of: %s', (more, line) => {
  const set = TrainingSet.from([pair('q1', 'p1', 'en')]);
  const nine = more.startsWith('training') ? '' : 'training: { steps: 9 }\n';
  const of = (text: string) =>
    idleSettings(
      parseConfig(`model: m\ndata: [{ format: pairs-jsonl, path: p.jsonl }]\n${text}`, 'run.yaml'),
      set,
      256,
    );
  expect(of(`${nine}${more}\n`)).toEqual([typeof line === 'string' ? line : expect.stringMatching(line)]);
});

test('what something comes of is not told', () => {
  const set = TrainingSet.from([{ ...pair('q1', 'p1', 'en'), negatives: [row('n', 'en')] }]);
  const text = `model: fresh
data: [{ format: pairs-jsonl, path: p.jsonl }]
fresh_model: { layers: 2 }
optimizer: { betas: [0.8, 0.9], epsilon: 1.0e-6 }
training: { steps: 9, precision: mixed, loss_scale: 1024, freeze: [{ parameters: "*", from: 8 }] }
sampling: { mode: cross-lingual, only_pairs: [[en, de]], language_pair: per-batch, negatives: 4 }
validation: { every: 3, patience: 1, measure: mAP, setting: mean }
adversarial: { gamma: 5 }
mining: { seed: 3, sampling: random }
`;
  expect(idleSettings(parseConfig(text, 'run.yaml'), set, 256)).toEqual([]);
});
