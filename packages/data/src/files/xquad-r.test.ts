import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DataError } from '../errors.js';
import { readXquadR } from './xquad-r.js';

describe('on small files', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'xquad-r-'));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  const paragraph = (context: string, breaks: unknown, starts: unknown[]) => ({
    context,
    sentence_breaks: breaks,
    qas: starts.map((answer_start, index) => ({
      id: `q${index}`,
      question: `question ${index}?`,
      answers: [{ answer_start, text: 'x' }],
    })),
  });
  const write = (lang: string, ...paragraphs: unknown[]) =>
    writeFile(join(folder, `${lang}.json`), JSON.stringify({ data: [{ title: 't', paragraphs }] }));

  test('sentences become candidates, answers the sentence that holds answer_start, in every language', async () => {
    // q1's answer starts in the first English sentence and runs on into the second.
    await write(
      'en',
      paragraph(
        'One two. Three.',
        [
          [0, 8],
          [9, 15],
        ],
        [9, 7],
      ),
    );
    await write(
      'de',
      paragraph(
        'Eins. Zwei. Drei.',
        [
          [0, 5],
          [6, 11],
          [12, 17],
        ],
        [12, 0],
      ),
    );
    const collection = await readXquadR(folder);
    expect(collection.langs).toEqual(['de', 'en']);
    expect(collection.candidates.map((candidate) => [candidate.id, candidate.text])).toEqual([
      ['de_1_0', 'Eins.'],
      ['de_1_1', 'Zwei.'],
      ['de_1_2', 'Drei.'],
      ['en_1_0', 'One two.'],
      ['en_1_1', 'Three.'],
    ]);
    expect(collection.candidates[4]?.context).toBe('One two. Three.');
    expect(collection.queries.map((query) => query.id)).toEqual(['q0_de', 'q1_de', 'q0_en', 'q1_en']);
    expect(collection.relevant.map((indices) => [...indices])).toEqual([
      [2, 4],
      [0, 3],
      [2, 4],
      [0, 3],
    ]);
    expect((await readXquadR(folder, { langs: ['en'] })).relevant.map((indices) => [...indices])).toEqual([
      [1],
      [0],
    ]);
  });

  test('offsets count code points', async () => {
    await write(
      'en',
      paragraph(
        '😀😀. 😀 b.',
        [
          [0, 3],
          [4, 8],
        ],
        [4],
      ),
    );
    const collection = await readXquadR(folder);
    expect(collection.candidates.map((candidate) => candidate.text)).toEqual(['😀😀.', '😀 b.']);
    expect([...collection.relevant[0]!]).toEqual([1]);
  });

  test.each<[string, unknown, RegExp]>([
    [
      'no paragraphs',
      { data: [{ title: 't' }] },
      /en\.json, data\[0\]: expected a list in 'paragraphs' but received nothing/,
    ],
    ['another shape', [], /en\.json: expected a JSON object but received a list/],
    ['no breaks', { context: 'a', qas: [] }, /paragraphs\[0\]: expected a list in 'sentence_breaks'/],
    [
      'a break past the end',
      paragraph('abc', [[0, 4]], []),
      /sentence_breaks\[0\]: expected \[start, end\] with 0 <= start < end <= 3 .*received \[0,4\]/,
    ],
    [
      'overlapping breaks',
      paragraph(
        'abc',
        [
          [0, 2],
          [1, 3],
        ],
        [],
      ),
      /sentence_breaks\[1\]: expected .* with 2 <= start/,
    ],
    [
      'an answer between sentences',
      paragraph(
        'a. b.',
        [
          [0, 2],
          [3, 5],
        ],
        [2],
      ),
      /qas\[0\]: answer_start 2 lies in no sentence/,
    ],
    [
      'an answer without a place',
      paragraph('a.', [[0, 2]], ['0']),
      /answers\[0\]: expected a whole number in 'answer_start' but received the text "0"/,
    ],
    ['an empty context', paragraph('', [], []), /paragraphs\[0\]: 'context' is empty/],
  ])('names file and place of %s', async (_what, content, message) => {
    const whole = typeof content === 'object' && content !== null && 'context' in content;
    if (whole) await write('en', content);
    else await writeFile(join(folder, 'en.json'), JSON.stringify(content));
    await expect(readXquadR(folder)).rejects.toThrow(message);
    await expect(readXquadR(folder)).rejects.toBeInstanceOf(DataError);
  });

  test('a question id twice in one language is refused', async () => {
    await write('en', paragraph('a.', [[0, 2]], [0]), paragraph('b.', [[0, 2]], [0]));
    await expect(readXquadR(folder)).rejects.toThrow(
      /paragraphs\[1\]\.qas\[0\]: question id "q0" occurs twice/,
    );
  });

  test('broken JSON names line and column, a cut-off file says so', async () => {
    await writeFile(join(folder, 'en.json'), '{\n "data": [1,, 2]}');
    await expect(readXquadR(folder)).rejects.toThrow(/en\.json:2:13: not JSON/);
    await writeFile(join(folder, 'en.json'), '{\n "data": [');
    await expect(readXquadR(folder)).rejects.toThrow(/en\.json:2:11: not JSON \(Unexpected end/);
  });

  test('an unknown language lists the known ones; a wrong folder says what is expected', async () => {
    await expect(readXquadR(folder)).rejects.toThrow(/no file named like en\.json/);
    await write('en', paragraph('a.', [[0, 2]], [0]));
    await expect(readXquadR(folder, { langs: ['en', 'sw'] })).rejects.toThrow(/no file sw\.json .* has en\./);
    await expect(readXquadR(folder, { langs: ['en', 'en'] })).rejects.toThrow(/"en" is named twice/);
    await expect(readXquadR(join(folder, 'none'))).rejects.toMatchObject({ code: 'INPUT_FILE' });
  });
});

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const shared = join(process.env.SYNGLOT_SHARED ?? join(root, '../shared'), 'data/xquad-r');
const missing = !existsSync(shared);
if (missing) console.warn(`skipped: the published XQuAD-R is not at ${shared}; set SYNGLOT_SHARED`);

describe.skipIf(missing && process.env.REQUIRE_SHARED !== '1')('the published XQuAD-R', () => {
  test('has the published counts, and one relevant candidate per language for every question', async () => {
    const collection = await readXquadR(shared);
    const count = (items: readonly { lang: string }[]) =>
      Object.fromEntries(
        collection.langs.map((lang) => [lang, items.filter((item) => item.lang === lang).length]),
      );
    expect(count(collection.candidates)).toEqual({
      ar: 1222,
      de: 1276,
      el: 1234,
      en: 1180,
      es: 1215,
      hi: 1244,
      ru: 1219,
      th: 852,
      tr: 1167,
      vi: 1209,
      zh: 1196,
    });
    expect(collection.candidates).toHaveLength(13_014);
    expect(Object.values(count(collection.queries))).toEqual(Array(11).fill(1190));
    expect(collection.queries).toHaveLength(13_090);
    expect(new Set(collection.relevant.map((indices) => indices.length))).toEqual(new Set([11]));
    for (const indices of collection.relevant.slice(0, 50)) {
      expect([...indices].map((index) => collection.candidates[index]?.lang)).toEqual(collection.langs);
    }
    const subset = collection.subset(['en', 'de', 'ar', 'zh']);
    expect(subset.candidates).toHaveLength(1180 + 1276 + 1222 + 1196);
  });
});
