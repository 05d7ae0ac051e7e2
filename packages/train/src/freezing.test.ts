import type { ParameterSpec } from '@synglot/nn';
import { expect, test } from 'vitest';
import { parseConfig } from './config.js';
import { countedBefore, freezingPhases, phaseAt, skippedBefore } from './freezing.js';

const specs: ParameterSpec[] = [
  { name: 'embeddings.word_embeddings.weight', shape: [20, 8] },
  { name: 'encoder.layer.0.output.dense.weight', shape: [8, 16] },
  { name: 'encoder.layer.1.output.dense.weight', shape: [8, 16] },
];
const [words, lower, upper] = specs.map(({ name }) => name) as [string, string, string];

function phasesOf(freeze: string) {
  const text = `model: m\ndata: [{ format: pairs-jsonl, path: p }]\ntraining: { steps: 100, freeze: ${freeze} }`;
  const phases = freezingPhases(parseConfig(text, 'run.yaml'), specs);
  return phases.map(({ begin, end, specs: marked, updatesBefore }) => ({
    updates: [begin, end],
    frozen: marked.filter(({ trainable = true }) => !trainable).map(({ name }) => name),
    updatesBefore,
  }));
}

test('nothing frozen, or frozen throughout, is one phase', () => {
  expect(phasesOf('[]')).toEqual([{ updates: [0, 100], frozen: [], updatesBefore: {} }]);
  expect(phasesOf('["embeddings.*"]')).toEqual([{ updates: [0, 100], frozen: [words], updatesBefore: {} }]);
});

test('gradual unfreezing: each border adds parameters, which count their own updates', () => {
  const freeze =
    '[{ parameters: "embeddings.*", until: 60 }, { parameters: "encoder.layer.0.*", until: 30 }, { parameters: "*.dense.*", from: 200 }]';
  expect(phasesOf(freeze)).toEqual([
    { updates: [0, 30], frozen: [words, lower], updatesBefore: {} },
    { updates: [30, 60], frozen: [words], updatesBefore: { [lower]: 30 } },
    { updates: [60, 100], frozen: [], updatesBefore: { [lower]: 30, [words]: 60 } },
  ]);
});

test('updates that mixed precision skipped are none of those before a border', () => {
  const text =
    'model: m\ndata: [{ format: pairs-jsonl, path: p }]\ntraining: { steps: 100, freeze: [{ parameters: "embeddings.*", until: 60 }, { parameters: "encoder.layer.0.*", until: 30 }] }';
  const [first, second, third] = freezingPhases(parseConfig(text, 'run.yaml'), specs);
  const scale = (skipped: number) => ({ loss_scale: { scale: 8, good: 0, skipped } });
  expect(skippedBefore(first!, undefined)).toBeUndefined();
  expect(skippedBefore(second!, { step: 30 })).toBeUndefined();
  expect(skippedBefore(first!, { step: 12, ...scale(5) })).toBeUndefined();
  // At the border, and when the run is resumed within the phase.
  const at30 = skippedBefore(second!, { step: 30, ...scale(7) });
  expect(at30).toEqual({ 30: 7 });
  const later = { ...scale(9), ...(at30 ? { skipped_before: at30 } : {}) };
  expect(skippedBefore(second!, { step: 45, ...later })).toEqual({ 30: 7 });
  const at60 = skippedBefore(third!, { step: 60, ...later });
  expect(at60).toEqual({ 30: 7, 60: 9 });
  expect(countedBefore(third!, at60)).toEqual({ [lower]: 23, [words]: 51 });
  expect(countedBefore(third!)).toEqual({ [lower]: 30, [words]: 60 });
});

test('what is frozen again starts anew when it is trained once more', () => {
  expect(phasesOf(`[{ parameters: "${upper}", from: 10, until: 20 }]`)).toEqual([
    { updates: [0, 10], frozen: [], updatesBefore: {} },
    { updates: [10, 20], frozen: [upper], updatesBefore: {} },
    { updates: [20, 100], frozen: [], updatesBefore: { [upper]: 20 } },
  ]);
});

test('parameters that the model itself keeps frozen stay so', () => {
  const config = parseConfig(
    'model: m\ndata: [{ format: pairs-jsonl, path: p }]\ntraining: { steps: 5, freeze: [{ parameters: "*", from: 3 }] }',
    'run.yaml',
  );
  const marked = specs.map((spec) => (spec.name === words ? { ...spec, trainable: false } : spec));
  expect(() => freezingPhases(config, marked)).toThrow(/every parameter is frozen in updates 4 to 5/);
});

test.each([
  ['["*"]', /every parameter is frozen in updates 1 to 100/],
  [
    '["embedings.*"]',
    /training\.freeze\.0: 'embedings\.\*' names no parameter.*did you mean 'embeddings\.\*'/,
  ],
  ['[{ parameters: "*", from: 5, until: 5 }]', /until 5 is not after from 5/],
])('%s is a mistake', (freeze, message) => {
  expect(() => phasesOf(freeze)).toThrow(message);
});

test('the phase of an update', () => {
  const config = parseConfig(
    'model: m\ndata: [{ format: pairs-jsonl, path: p }]\ntraining: { steps: 9, freeze: [{ parameters: "embeddings.*", until: 4 }] }',
    'run.yaml',
  );
  const phases = freezingPhases(config, specs);
  expect([0, 3, 4, 8, 9].map((done) => phaseAt(phases, done).begin)).toEqual([0, 0, 4, 4, 4]);
});
