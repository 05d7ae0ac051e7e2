import type { Executor } from '@synglot/gpu';
import type { ParameterStore } from '@synglot/nn';
import { expect, test } from 'vitest';
import { parseConfig } from './config.js';
import type { OpenedRun } from './open-run.js';
import { trainerOptions } from './run-trainer.js';

/** The trainer's options for a configuration with these sections; `asked` receives the length limit of each call. */
function optionsOf(sections: string, asked: number[] = []) {
  const config = parseConfig(
    `model: m\ndata: [{ format: pairs-jsonl, path: p.jsonl }]\n${sections}`,
    'test.yaml',
  );
  const tokenizer = {
    encodeBatch: async (texts: string[], { maxLength }: { maxLength: number }) => {
      asked.push(maxLength);
      return texts.map(() => ({ ids: [1] }));
    },
  };
  const run = { data: {}, model: { checkpoint: { tokenizer, maxLength: 128 }, use: {} }, phase: {} };
  const device = { executor: {} as Executor, store: {} as ParameterStore };
  return trainerOptions(config, run as unknown as OpenedRun, device);
}

// Shares as math.ceil(num_training_steps * warmup_ratio) of transformers' TrainingArguments.get_warmup_steps.
test.each([
  [0.1, 200, 20],
  [0.1, 201, 21],
  [0.07, 100, 8],
  [0.001, 200, 1],
  [0, 200, 0],
  [7, 200, 7],
])('a warmup of %d of %i steps takes %i', (warmup, steps, warmupSteps) => {
  const { schedule } = optionsOf(`training: { steps: ${steps}, warmup: ${warmup} }`);
  expect(schedule).toMatchObject({ steps, warmupSteps });
});

test("questions and passages are each cut at their own length, and at most at the model's", async () => {
  const asked: number[] = [];
  const text = 'text: { query_max_length: 32, passage_max_length: 512 }';
  const { encode } = optionsOf(`training: { steps: 1 }\n${text}`, asked);
  await encode(['q'], 'query');
  await encode(['p'], 'passage');
  expect(asked).toEqual([32, 128]);
});
