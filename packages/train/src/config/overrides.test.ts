import { expect, test } from 'vitest';
import { parseConfig } from '../config.js';

const text = `model: m
data:
  - { format: pairs-jsonl, path: p.jsonl }
sampling: { alpha: 0.5 }
training: { steps: 10 }
`;
const configOf = (...overrides: string[]) => parseConfig(text, 'run.yaml', overrides);

test('settings take the place of the file’s, in sections that are there or not, the last one wins', () => {
  const config = configOf(
    'sampling.alpha=0.3',
    'data.0.limit=7',
    'optimizer.betas=[0.8, 0.99]',
    'validation.every=5',
    'sampling.alpha=0.4',
    'output=runs/a=b',
  );
  expect(config.sampling.alpha).toBe(0.4);
  expect(config.data[0]).toMatchObject({ path: 'p.jsonl', limit: 7 });
  expect(config.optimizer.betas).toEqual([0.8, 0.99]);
  expect(config.validation).toEqual({ fraction: 0.02, every: 5, batches: 8 });
  expect(config.output).toBe('runs/a=b');
  expect(configOf().sampling.alpha).toBe(0.5);
});

test.each([
  ['sampling.aplha=1', /^sampling\.aplha=1: unknown key 'sampling\.aplha' \(did you mean 'alpha'\?\)/],
  ['sampling.alpha=2', /^sampling\.alpha=2: 'sampling\.alpha'/],
  ['sampling={aplha: 1}', /^sampling=\{aplha: 1\}: unknown key/],
  [
    'data.0.limt=1',
    /^data\.0\.limt=1: unknown key 'limt' of format 'pairs-jsonl' \(did you mean 'limit'\?\)/,
  ],
  ['data.2.limit=1', /^data\.2\.limit=1: 'data' is a list of 1, whose entries are counted from 0$/],
  ['data.limit=1', /^data\.limit=1: 'data' is a list of 1, whose entries are counted from 0$/],
  ['model.name=x', /^model\.name=x: cannot be set/],
  ['training.steps=[', /^training\.steps=\[: cannot be set: .*[^:\n]$/],
  ['sampling.alpha', /^'sampling\.alpha': expected key=value/],
  ['=1', /expected key=value/],
])('%s is a mistake of that setting, in one line', (override, message) => {
  expect(() => configOf(override)).toThrow(message);
  expect(() => configOf(override)).toThrow(expect.objectContaining({ code: 'INPUT_CONFIG' }));
  expect(() => configOf(override)).toThrow(/^[^\n]*$/);
});

test('a mistake of the file keeps its line', () => {
  expect(() => parseConfig(`${text}loss: { temperature: -1 }\n`, 'run.yaml', ['sampling.alpha=1'])).toThrow(
    /^run\.yaml:6: 'loss\.temperature'/,
  );
});
