import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readQrels, readRun } from './trec-read.js';
import { writeQrels, writeRun } from './trec-write.js';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trec-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});
const put = async (text: string, name = 'file.txt') => {
  const file = join(folder, name);
  await writeFile(file, name.endsWith('.gz') ? gzipSync(text) : text);
  return file;
};

test('judgments: white space, comments, blank lines, no last newline, gzip', async () => {
  const text = '# made by hand\nq1 0 d#1 1\r\n\n q1\t0  d2 -1 \n# between\n#again\nq2 0 d1 +2';
  const expected = new Map([
    [
      'q1',
      new Map([
        ['d#1', 1],
        ['d2', -1],
      ]),
    ],
    ['q2', new Map([['d1', 2]])],
  ]);
  expect(await readQrels(await put(text))).toEqual(expected);
  expect(await readQrels(await put(text, 'q.txt.gz'))).toEqual(expected);
});

test("BEIR's judgments have a header and three columns", async () => {
  const file = await put('query-id\tcorpus-id\tscore\n1\t31715818\t1\n');
  expect(await readQrels(file)).toEqual(new Map([['1', new Map([['31715818', 1]])]]));
});

test('runs: rank ignored, tag of the last line, infinite scores, fields after the tag', async () => {
  const file = await put('#c\nq1 Q0 d1 7 1e-3 one\nq1 Q0 d2 1 -inf two more fields\n\n');
  expect(await readRun(file)).toEqual({
    tag: 'two',
    topics: new Map([
      [
        'q1',
        new Map([
          ['d1', 0.001],
          ['d2', Number.NEGATIVE_INFINITY],
        ]),
      ],
    ]),
  });
});

test('a document listed twice is a mistake, or the last line counts, as the profile says', async () => {
  const run = await put('q1 Q0 d1 1 3 t\nq1 Q0 d1 2 2 t\n');
  await expect(readRun(run)).rejects.toThrow(
    /file\.txt:2: document "d1" of topic "q1" is ranked a second time; profile trec_eval/,
  );
  await expect(readRun(run, { profile: 'msmarco' })).rejects.toThrow(/profile msmarco/);
  expect((await readRun(run, { profile: 'beir' })).topics.get('q1')!.get('d1')).toBe(2);
  const qrels = await put('q1 0 d1 1\nq1 0 d1 0\n');
  await expect(readQrels(qrels)).rejects.toThrow(/:2: document "d1" of topic "q1" is judged a second time/);
  expect((await readQrels(qrels, { profile: 'beir' })).get('q1')!.get('d1')).toBe(0);
});

test.each([
  ['run', 'q1 Q0 d1 1 nan t\n', /file\.txt:1: the score of document "d1" is "nan", expected a number/],
  ['run', 'q1 Q0 d1 1 3 t\nq1 Q0 d2 2 high t\n', /:2: the score of document "d2" is "high"/],
  ['run', 'q1 Q0 d1 1 3\n', /:1: expected 6 fields \(topic, Q0, document, rank, score, tag\), got 5/],
  ['run', '# nothing\n', /file\.txt: holds no rankings/],
  ['qrels', 'q1 0 d1\n', /:1: expected 4 fields \(topic, iteration, document, grade\), got 3/],
  ['qrels', 'q1 0 d1 0.5\n', /:1: expected a whole number as the grade, got "0\.5"/],
  ['qrels', '\n', /holds no judgments/],
] as const)('refuses a %s file with %j', async (kind, text, message) => {
  const file = await put(text);
  const read = kind === 'run' ? readRun(file) : readQrels(file);
  await expect(read).rejects.toThrow(message);
  await expect(read).rejects.toMatchObject({ code: 'INPUT_TREC' });
});

test('a missing file is said in one line', async () => {
  await expect(readRun(join(folder, 'none'))).rejects.toMatchObject({ code: 'INPUT_FILE' });
});

test.each(['run.txt', 'run.txt.gz'])(
  '%s is read as it was written, to the last bit of a score',
  async (name) => {
    const file = join(folder, name);
    const scores = [Math.fround(0.1), 1 / 3, 5e-324, 1e300, -2];
    const ids = scores.map((_, i) => `d${i}é`);
    await writeRun(
      file,
      (async function* () {
        yield { query: 'q1', ids, scores };
        yield { query: 'q2', ids: ids.slice(0, 1), scores };
      })(),
      'tag',
    );
    const { topics, tag } = await readRun(file);
    expect(tag).toBe('tag');
    expect([...topics.get('q1')!]).toEqual(ids.map((id, i) => [id, scores[i]]));
    expect([...topics.keys()]).toEqual(['q1', 'q2']);
    expect(await readdir(folder)).toEqual([name]);
  },
);

test('judgments are read as they were written', async () => {
  const file = join(folder, 'q');
  const qrels = new Map([
    [
      'q1',
      new Map([
        ['d1', 1],
        ['d2', 0],
      ]),
    ],
  ]);
  await writeQrels(file, qrels);
  expect(await readFile(file, 'utf8')).toBe('q1 0 d1 1\nq1 0 d2 0\n');
  expect(await readQrels(file)).toEqual(qrels);
});

test('what the format cannot hold is refused, and the old file stays', async () => {
  const file = await put('q1 Q0 d1 1 3 t\n', 'run');
  const write = (id: string, score: number, tag: string) =>
    writeRun(file, [{ query: 'q1', ids: [id], scores: [score] }], tag);
  await expect(write('a b', 1, 't')).rejects.toThrow(/"a b" cannot stand in a TREC file/);
  await expect(write('a', 1, '')).rejects.toMatchObject({ code: 'INPUT_TREC' });
  await expect(write('a', Number.NaN, 't')).rejects.toThrow(/score of document "a" of query "q1" is NaN/);
  await expect(writeRun(join(folder, 'none', 'run'), [], 't')).rejects.toMatchObject({
    code: 'INPUT_OUTPUT',
  });
  expect(await readFile(file, 'utf8')).toBe('q1 Q0 d1 1 3 t\n');
  expect(await readdir(folder)).toEqual(['run']);
});
