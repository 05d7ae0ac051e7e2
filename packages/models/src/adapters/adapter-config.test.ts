import { expect, it } from 'vitest';
import { expectModelError, tinyConfig } from '../test-support.js';
import { parseAdapterConfig } from './adapter-config.js';

const query = 'encoder.layer.0.attention.self.query';
const parse = (more: object) =>
  parseAdapterConfig(
    { peft_type: 'LORA', r: 4, lora_alpha: 8, ...more },
    'a.json',
    tinyConfig(),
    new Set([`${query}.lora_A.weight`, `${query}.lora_B.weight`]),
  );

it.each([{}, { init_lora_weights: true }, { init_lora_weights: 'gaussian', use_dora: false, bias: 'none' }])(
  'takes %j',
  (more) => {
    expect(parse(more)).toMatchObject({ kind: 'lora', modules: [query], rank: 4, alpha: 8 });
  },
);

// PEFT changes the model under an adapter that was begun so, each time that it loads it.
it.each([
  { init_lora_weights: 'pissa' },
  { init_lora_weights: 'olora' },
  { use_dora: true },
  { bias: 'all' },
])('refuses %j', async (more) => {
  const [[key, value]] = Object.entries(more) as [[string, unknown]];
  await expectModelError(
    () => parse(more),
    'INPUT_CHECKPOINT',
    `a.json: ${key} is ${JSON.stringify(value)}, which is not supported`,
  );
});
