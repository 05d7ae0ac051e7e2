/** Names of formats. */
import { expect, test } from 'vitest';
import { openTrainingData, readers, type TrainingSource } from './registry.js';

test('an unknown format and a name that does not fit its format are refused at once', () => {
  const open = (format: string, path: string) => () => openTrainingData({ format, path } as TrainingSource);
  expect(open('squad2', 'x')).toThrow(`x: unknown data format 'squad2' (did you mean 'squad' or`);
  expect(open('toString', 'x')).toThrow(expect.objectContaining({ code: 'INPUT_FORMAT' }));
  expect(open('parquet', 'x.jsonl')).toThrow(
    "x.jsonl: format 'parquet' expects a name ending in .parquet; is it 'pairs-jsonl'?",
  );
  expect(Object.keys(readers)).toHaveLength(16);
});
