import { expect, test } from 'vitest';
import { parseConfig } from './config.js';
import { toOptimizer } from './run-optimizer.js';

const config = (optimizer: string) =>
  parseConfig(
    `model: m\ndata: [{ format: pairs-jsonl, path: p }]\ntraining: { steps: 1 }\noptimizer: ${optimizer}`,
    'run.yaml',
  );

test('a rate of its own becomes a factor of the run’s, a single pattern a list', () => {
  const optimizer = toOptimizer(
    config(
      '{ learning_rate: 2.0e-5, layer_decay: 0.9, groups: [{ parameters: "embeddings.*", learning_rate: 1.0e-5 }, { parameters: ["*"], learning_rate_scale: 3, weight_decay: 0 }] }',
    ),
  );
  expect(optimizer.layerDecay).toBe(0.9);
  expect(optimizer.groups).toEqual([
    { parameters: ['embeddings.*'], learningRateScale: 0.5 },
    { parameters: ['*'], learningRateScale: 3, weightDecay: 0 },
  ]);
});

test('a group with two learning rates is refused', () => {
  expect(() => config('{ groups: [{ parameters: "*", learning_rate: 1, learning_rate_scale: 1 }] }')).toThrow(
    'give learning_rate or learning_rate_scale, not both',
  );
});
