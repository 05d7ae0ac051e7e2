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

test.each<[what: string, source: object, message: RegExp]>([
  ['a language that is a number', { lang: 3 }, /^x\.jsonl: `lang`: expected a text but received number 3$/],
  [
    'languages that are a text',
    { langs: 'en' },
    /`langs`: expected a list of texts but received the text "en"/,
  ],
  ['a switch that is a text', { header: 'yes' }, /`header`: expected true or false but received the text/],
  ['columns in a list', { columns: ['a', 'b'] }, /`columns`: expected a column for each field, .* a list$/],
  [
    'a misspelt field among the columns',
    { columns: { qeury: 'a' } },
    /`columns`: unknown field 'qeury' \(did you mean 'query'\?\); there are id, query/,
  ],
  [
    'several columns for one text',
    { columns: { query: ['a', 'b'] } },
    /`columns`: 'query': expected the name or number of a column but received a list$/,
  ],
  [
    'columns by field where order counts',
    { format: 'sentence-transformers', columns: { query: 'a' } },
    /`columns`: expected a list of names, .* but received an object$/,
  ],
])('%s is refused before anything is read', (_what, options, message) => {
  const source = { format: 'pairs-jsonl', path: 'x.jsonl', ...options } as unknown as TrainingSource;
  expect(() => openTrainingData(source)).toThrow(message);
  expect(() => openTrainingData(source)).toThrow(expect.objectContaining({ code: 'INPUT_OPTION' }));
});

test('columns may be names, numbers and, for negatives, several', () => {
  const columns = { query: 0, passage: 'p', negatives: [2, 'n'] };
  openTrainingData({ format: 'pairs-jsonl', path: 'x.jsonl', columns, lang: 'en', limit: 3 });
  openTrainingData({ format: 'sentence-transformers', path: 'x.jsonl', columns: ['a', 'b'] });
});
