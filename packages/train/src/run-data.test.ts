/** Which pairs go to validation, and languages of it that the data have not. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseConfig } from './config.js';
import { readData } from './run-data.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'synglot-run-data-'));
  const rows = ['en', 'de'].flatMap((lang) =>
    Array.from({ length: 40 }, (_, i) => ({
      ...{ query: `q${i} ${lang}`, passage: `p${i} ${lang}`, lang, parallel_id: String(i) },
    })),
  );
  await writeFile(join(folder, 'p.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
});
afterAll(() => rm(folder, { recursive: true }));

const read = (validation: string) => {
  const path = JSON.stringify(join(folder, 'p.jsonl'));
  const text = `model: m\ndata: [{ format: pairs-jsonl, path: ${path} }]\ntraining: { steps: 1 }\nvalidation: ${validation}\n`;
  const notices: string[] = [];
  return readData(parseConfig(text, 'run.yaml'), (line) => notices.push(line));
};

test('languages of the validation may be spelt as the data spell them', async () => {
  const { training, validation } = await read('{ fraction: 0.5, langs: [English] }');
  expect(validation?.languages).toEqual(['en']);
  // What is held out is in no language of the training data.
  const held = new Set(validation!.rows.map(({ parallelId }) => parallelId));
  expect(held.size).toBeGreaterThan(5);
  expect(training.rows.some(({ parallelId }) => held.has(parallelId))).toBe(false);
});

test('a language of the validation that the data have not is refused: its share would be lost', async () => {
  await expect(read('{ fraction: 0.5, langs: [fi] }')).rejects.toThrow(
    "validation.langs: unknown language 'fi'; the data have de, en",
  );
});
