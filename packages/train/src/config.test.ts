/** Configurations: defaults, and mistakes in one line with their place and the nearest right name. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseConfig } from './config.js';

const least = 'model: m\ndata:\n  - { format: pairs-jsonl, path: p.jsonl }\ntraining: { steps: 10 }\n';

test('the least configuration gets every default', () => {
  const config = parseConfig(least, 'run.yaml');
  expect(config.sampling).toMatchObject({ mode: 'hybrid', batch_size: 32, languages: 'uniform' });
  expect(config.loss).toEqual({ temperature: 0.05, direction: 'query-to-passage', weight: 1 });
  expect(config.optimizer).toMatchObject({ name: 'adamw', learning_rate: 3e-5, betas: [0.9, 0.999] });
});

test('options of a format are given in snake_case', () => {
  const text = least.replace(
    'pairs-jsonl, path: p.jsonl',
    'squad2-fi-en, path: p, questions_per_paragraph: 5',
  );
  expect(parseConfig(text, 'run.yaml').data[0]).toMatchObject({ questions_per_paragraph: 5 });
});

test('a source may be several files, and a path may begin at home', () => {
  const text = least.replace('p.jsonl', '[~/a/p.jsonl, "b/p-*.jsonl"]').replace('model: m', 'model: ~/m');
  const config = parseConfig(text, 'run.yaml', ['data.0.dataset=d', 'output=~/runs/a']);
  expect(config.data[0]!.path).toEqual([join(homedir(), 'a/p.jsonl'), 'b/p-*.jsonl']);
  expect(config.model).toBe(join(homedir(), 'm'));
  expect(config.output).toBe(join(homedir(), 'runs/a'));
  expect(parseConfig(least.replace('p.jsonl', 'p~/a.jsonl'), 'run.yaml').data[0]!.path).toBe('p~/a.jsonl');
});

const mistakes: [what: string, text: string, message: RegExp][] = [
  [
    'a misspelt key',
    `${least}sampling:\n  mode: hybrid\n  aplha: 0.5\n`,
    /^run\.yaml:7: unknown key 'sampling\.aplha'.*alpha/,
  ],
  [
    'a key of another section',
    `${least}batch_size: 8\n`,
    /^run\.yaml:5: unknown key 'batch_size'; that is sampling\.batch_size here; known here: model, /,
  ],
  [
    'a misspelt key that must be there',
    least.replace('steps: 10', 'stpes: 10'),
    /^run\.yaml:4: unknown key 'training\.stpes' \(did you mean 'steps'\?\)/,
  ],
  [
    'a key as another tool calls it',
    least.replace('steps: 10', 'num_train_epochs: 3'),
    /^run\.yaml:4: unknown key 'training\.num_train_epochs'; that is training\.steps \(pairs × epochs/,
  ],
  [
    'a key as another tool calls it, which another section has for something else',
    `${least}loss: { scale: 20 }\n`,
    /^run\.yaml:5: unknown key 'loss\.scale'; that is loss\.temperature \(1 \/ scale\) or margin_mse\.scale here/,
  ],
  [
    'a name, which another section has for something else',
    `${least}loss: { name: triplet }\n`,
    /^run\.yaml:5: unknown key 'loss\.name'; known here: temperature, /,
  ],
  [
    'a misspelt option of a format',
    least.replace('p.jsonl }', 'p.jsonl,\n      limt: 5 }'),
    /^run\.yaml:4: unknown key 'limt' of format 'pairs-jsonl'.*limit/,
  ],
  [
    'a misspelt format',
    least.replace('pairs-jsonl', 'pair-jsonl'),
    /^run\.yaml:3: unknown data format 'pair-jsonl'.*pairs-jsonl/,
  ],
  [
    'a path that is neither text nor list',
    least.replace('p.jsonl', '{ train: p.jsonl }'),
    /^run\.yaml:3: 'data\.0\.path': expected a path, a list of paths, or a glob such as \S+ but received \{"train"/,
  ],
  [
    'an empty list of paths',
    least.replace('p.jsonl', '[]'),
    /^run\.yaml:3: 'data\.0\.path': expected .* but received \[\]$/,
  ],
  [
    'a source without a path',
    least.replace(', path: p.jsonl', ''),
    /^run\.yaml:3: 'data\.0\.path': expected a path, a list of paths/,
  ],
  ['a missing key', 'model: m\ntraining: { steps: 1 }\n', /^run\.yaml:1: 'data' is missing/],
  ['a value out of range', `${least}loss: { temperature: -1 }\n`, /^run\.yaml:5: 'loss\.temperature'/],
  [
    'a value of another type, which is not missing',
    `${least}sampling: { batch_size: 8.5 }\n`,
    /^run\.yaml:5: 'sampling\.batch_size': expected a whole number but received 8\.5$/,
  ],
  [
    'keys where a list belongs',
    'model: m\ndata: { format: pairs-jsonl, path: p.jsonl }\ntraining: { steps: 1 }\n',
    /^run\.yaml:2: 'data': expected a list but received \{"format":"pairs-jsonl"/,
  ],
  [
    'an unknown choice',
    `${least}sampling: { mode: mono }\n`,
    /^run\.yaml:5: 'sampling\.mode': expected monolingual, .*, hybrid but received "mono" \(did you mean 'monolingual'\?\)$/,
  ],
  [
    'an alpha that is no share, number or list',
    `${least}sampling: { alpha: half }\n`,
    /^run\.yaml:5: 'sampling\.alpha': "half" is none of what may stand here; see docs\/training\.md$/,
  ],
  [
    'a dropout of everything',
    least.replace('steps: 10', 'steps: 10, dropout: 1'),
    /^run\.yaml:4: 'training\.dropout': expected less than 1 but received 1$/,
  ],
  [
    'an epsilon that is 0 in f32',
    `${least}optimizer: { epsilon: 1.0e-50 }\n`,
    /^run\.yaml:5: 'optimizer\.epsilon': expected at least 1e-30 but received 1e-50$/,
  ],
  [
    'a beta of 1',
    `${least}optimizer: { betas: [0.9, 1] }\n`,
    /^run\.yaml:5: 'optimizer\.betas\.1': expected less than 1 but received 1$/,
  ],
  [
    'a number that is none',
    `${least}optimizer: { learning_rate: .nan }\n`,
    /^run\.yaml:5: 'optimizer\.learning_rate': expected a number but received NaN$/,
  ],
  [
    'one value where two belong',
    `${least}optimizer: { betas: 0.9 }\n`,
    /^run\.yaml:5: 'optimizer\.betas': expected a list but received 0\.9$/,
  ],
  [
    'a warmup that is neither a share nor whole updates',
    least.replace('steps: 10', 'steps: 10, warmup: 1.5'),
    /^run\.yaml:4: 'training\.warmup': expected a share of the steps below 1, or a whole number of steps$/,
  ],
  [
    'the last word of a format',
    least.replace('pairs-jsonl', 'jsonl'),
    /^run\.yaml:3: unknown data format 'jsonl' \(did you mean 'pairs-jsonl'\?\)/,
  ],
  [
    'a list in place of the keys',
    '- model: m\n',
    /^run\.yaml:1: the file: expected keys and values but received \[\{"model":"m"\}\]$/,
  ],
  [
    'a pattern that YAML takes for an alias',
    least.replace('steps: 10', 'steps: 10, freeze: [*.weight]'),
    /^run\.yaml:4: not YAML: \*\.weight names no anchor; put a value that begins with \* in quotes$/,
  ],
  [
    'an alpha without the mode that it is for',
    `${least}sampling: { mode: monolingual, alpha: 0.5 }\n`,
    /^run\.yaml:5: sampling: `alpha` is only for mode 'hybrid', but the mode is 'monolingual'$/,
  ],
  [
    'perturbations with gradient caching',
    `${least.replace('steps: 10', 'steps: 10, cache_tokens: 512')}fgm: {}\n`,
    /^run\.yaml:5: fgm: perturbations go over the encoder twice.*; leave training\.cache_tokens out$/,
  ],
  [
    'an unknown measure',
    `${least}validation:\n  every: 5\n  measure: nDCG10\n`,
    /^run\.yaml:7: validation\.measure: No measure "nDCG10".*Recall@k.*, or loss, rank-distance, mAP$/,
  ],
  [
    'a best model without validations',
    `${least}checkpoint: { keep_best: true }\n`,
    /^run\.yaml:5: checkpoint\.keep_best needs validations: add `validation: \{ fraction: 0\.02 \}`$/,
  ],
  [
    'patience without validations',
    `${least}validation: { fraction: 0, patience: 2 }\n`,
    /^run\.yaml:5: validation\.patience needs validations: add/,
  ],
  ['text that is no YAML', 'model: [m\n', /^run\.yaml:\d: not YAML/],
];

test.each(mistakes)('%s is one line', (_what, text, message) => {
  const attempt = () => parseConfig(text, 'run.yaml');
  expect(attempt).toThrow(message);
  expect(attempt).toThrow(expect.objectContaining({ code: 'INPUT_CONFIG' }));
  expect(attempt).toThrow(/^[^\n]*$/);
});
