import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Pair } from '../rows.js';
import { openTrainingData, type TrainingSource } from './registry.js';

let folder = '';
let count = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'synglot-scores-'));
});
afterAll(() => rm(folder, { recursive: true }));

const text = { query: 'q', passage: 'p', negatives: ['a', 'b'], lang: 'en' };

/** Reads lines of a file; objects are lines of JSON. */
async function read(
  format: TrainingSource['format'],
  lines: readonly (object | string)[],
  options: object = {},
): Promise<Pair[]> {
  const path = join(folder, `${count++}.${format === 'pairs-tsv' ? 'tsv' : 'jsonl'}`);
  await writeFile(path, lines.map((l) => `${typeof l === 'string' ? l : JSON.stringify(l)}\n`).join(''));
  const pairs: Pair[] = [];
  const source = { format, path, scores: true, ...options } as TrainingSource;
  for await (const pair of openTrainingData(source)) pairs.push(pair);
  return pairs;
}
const margins = async (...given: Parameters<typeof read>) =>
  (await read(...given)).map((pair) => pair.margins);
const refusal = (...given: Parameters<typeof read>) =>
  read(...given).then(
    () => 'not refused',
    (error: Error & { code?: string }) => `${error.code}: ${error.message.replaceAll(folder, '')}`,
  );

describe('scores of a row', () => {
  test.each([
    ['scores', { scores: [5, 3.5, -1] }],
    ['margins', { margins: [1.5, 6] }],
    ['a list of labels', { label: [1.5, 6] }],
    ['a score for each side', { positive_score: 5, negative_scores: [3.5, -1] }],
  ])('%s', async (_, fields) => {
    expect(await margins('pairs-jsonl', [{ ...text, ...fields }])).toEqual([[1.5, 6]]);
  });

  test.each([{ margin: 2.5 }, { label: 2.5 }, { positive_score: 2, negative_score: -0.5 }])(
    'of one negative: %o',
    async (fields) => {
      expect(await margins('pairs-jsonl', [{ ...text, negatives: 'a', ...fields }])).toEqual([[2.5]]);
    },
  );

  test('are not looked at unless asked for, and not needed without negatives', async () => {
    const odd = { ...text, scores: 'none' };
    expect(await margins('pairs-jsonl', [odd], { scores: false })).toEqual([undefined]);
    expect(await margins('pairs-jsonl', [{ ...text, negatives: [] }])).toEqual([undefined]);
  });

  test('stand in columns of a TSV file', async () => {
    const columns = { query: 2, passage: 3, negatives: 4, scores: [0, 1] };
    expect(await margins('pairs-tsv', ['4\t1.5\tq\tp\tn'], { columns, lang: 'en' })).toEqual([[2.5]]);
    const named = ['query\tpassage\tnegatives\tmargin', 'q\tp\tn\t-3e-1'];
    expect(await margins('pairs-tsv', named, { header: true, lang: 'en' })).toEqual([[-0.3]]);
  });

  test("sentence-transformers' and FlagEmbedding's files", async () => {
    const row = { query: 'q', positive: 'p', negative_1: 'a', negative_2: 'b', lang: 'en' };
    for (const label of [{ label: [1.5, 6] }, { score: [5, 3.5, -1] }]) {
      const pairs = await read('sentence-transformers', [{ ...row, ...label }]);
      expect(pairs.map(({ negatives }) => negatives.map((negative) => negative.text))).toEqual([['a', 'b']]);
      expect(pairs.map((pair) => pair.margins)).toEqual([[1.5, 6]]);
    }
    const flag = { query: 'q', pos: ['p', 'r'], neg: ['a', 'b'], pos_scores: [5, 4], neg_scores: [3, 2] };
    expect(await margins('flag-embedding', [flag], { lang: 'en' })).toEqual([
      [2, 3],
      [1, 2],
    ]);
  });
});

describe('one line for', () => {
  const wrong = (fields: object) =>
    refusal('pairs-jsonl', [
      { ...text, margins: [1, 2] },
      { ...text, ...fields },
    ]);

  test('a row without scores', async () => {
    expect(await wrong({})).toMatch(
      /^INPUT_COLUMN: \/\d+\.jsonl:2: the row has negatives but no scores; add 'scores' .* or leave the row out$/,
    );
    expect(await refusal('sentence-transformers', [{ a: 'x', b: 'y', c: 'z', lang: 'en' }])).toMatch(
      /jsonl:1: the row has negatives but no scores/,
    );
    expect(await wrong({ positive_score: 3 })).toMatch(/:2: 'positive_score' without 'negative_scores'; add/);
  });

  test('another count of scores than passages', async () => {
    expect(await wrong({ scores: [1, 2, 3, 4] })).toMatch(
      /:2: expected 3 scores \(the passage's, then one a negative\) in 'scores' but received 4$/,
    );
    // One short is a forgotten score, not a list of margins.
    expect(await wrong({ scores: [1, 2] })).toMatch(/:2: expected 3 scores .* in 'scores' but received 2$/);
    expect(await wrong({ label: 1 })).toMatch(/or 2 margins in 'label' but received 1$/);
    const flag = { query: 'q', pos: ['p'], neg: ['a', 'b'], pos_scores: [5], neg_scores: [3] };
    expect(await refusal('flag-embedding', [flag], { lang: 'en' })).toMatch(
      /:1: expected 2 scores in 'neg_scores', one a text, but received 1$/,
    );
  });

  test('what is no finite number', async () => {
    expect(await wrong({ scores: [1, null, 2] })).toMatch(
      /:2: expected a finite number in 'scores\[1\]' but received null; correct it or leave the row out$/,
    );
    expect(await wrong({ scores: [1, '', 2] })).toMatch(/'scores\[1\]' but received the text ""/);
    expect(await wrong({ scores: [true, 1, 2] })).toMatch(/'scores\[0\]' but received boolean true/);
    const columns = { negatives: 2, scores: 3 };
    const line = 'q\tp\tn\tNaN';
    expect(await refusal('pairs-tsv', [line], { columns, lang: 'en' })).toMatch(
      /tsv:1: expected a finite number in '3' but received the text "NaN"/,
    );
    expect(await refusal('pairs-tsv', [line], { columns: { ...columns, scores: 9 }, lang: 'en' })).toMatch(
      /:1: expected a finite number in '9' but received nothing/,
    );
  });

  test('a NaN in JSON, which has none', async () => {
    const line = '{"query":"q","passage":"p","negatives":"n","lang":"en","scores":[NaN,1]}';
    expect(await refusal('pairs-jsonl', [line])).toMatch(/^INPUT_JSON: \/\d+\.jsonl:1: not JSON/);
  });
});
