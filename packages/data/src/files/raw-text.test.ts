/** Raw text as training pairs: dropout views, inverse cloze, formats of files, and mistakes. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Pair } from '../rows.js';
import { TrainingSet } from '../training-set.js';
import type { RawTextOptions } from './raw-text.js';
import { openTrainingData } from './registry.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'synglot-raw-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(name: string, text: string, options: RawTextOptions): Promise<Pair[]> {
  const path = join(folder, name);
  await writeFile(path, name.endsWith('.gz') ? gzipSync(text) : text);
  const pairs: Pair[] = [];
  for await (const pair of openTrainingData({ format: 'raw-text', path, ...options })) pairs.push(pair);
  return pairs;
}
const texts = (pairs: readonly Pair[]) => pairs.map(({ query, passage }) => [query.text, passage.text]);

describe('dropout views', () => {
  test('a line is its own positive; a line that comes twice is one item', async () => {
    const pairs = await read('news.txt.gz', 'One.\n\nTwo.\none.\n', { lang: 'en', domain: 'news' });
    expect(texts(pairs)).toEqual([
      ['One.', 'One.'],
      ['Two.', 'Two.'],
      ['one.', 'one.'],
    ]);
    expect(pairs[1]!.query).toMatchObject({ id: 'news:3', lang: 'en', dataset: 'news', domain: 'news' });
    expect(TrainingSet.from(pairs).items).toHaveLength(2);
  });

  test("BEIR's corpus: title and text, ids, languages and domains of the rows", async () => {
    const rows = [
      { _id: '4', title: 'A title', text: 'A text.' },
      { _id: '5', title: '', text: 'Alone.', lang: 'German', domain: 'law' },
      { _id: '6', title: '', text: '' },
      { docid: '7', contents: 'Other.' },
    ];
    const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    const pairs = await read('corpus.jsonl', text, { lang: 'en', dataset: 'x' });
    expect(pairs.map(({ query }) => [query.id, query.text, query.lang, query.domain])).toEqual([
      ['4', 'A title A text.', 'en', 'x'],
      ['5', 'Alone.', 'de', 'law'],
      ['7', 'Other.', 'en', 'x'],
    ]);
  });
});

describe('inverse cloze', () => {
  const sentences = (i: number) => [
    `The first sentence of text ${i} is here.`,
    `Does Mr. Smith of text ${i} ask?`,
    `Short ${i}.`,
    `The last of all sentences in ${i}!`,
  ];
  const many = Array.from({ length: 400 }, (_, i) => `${sentences(i).join(' ')}\n`).join('');

  test('a sentence is taken out of its text, in one case of ten it stays', async () => {
    const pairs = await read('many.txt', many, { lang: 'en', task: 'inverse-cloze' });
    expect(pairs).toHaveLength(400);
    let stays = 0;
    const asked = new Map<number, number>();
    for (const [i, { query, passage }] of pairs.entries()) {
      // ICU takes "Mr." for an end: whatever is asked, question and passage make up the text.
      const whole = sentences(i).join(' ');
      expect(whole).toContain(query.text);
      expect(query.text).not.toBe(`Short ${i}.`);
      if (passage.text === whole) stays++;
      else expect(passage.text.replaceAll(' ', '')).toBe(whole.replace(query.text, '').replaceAll(' ', ''));
      const place = sentences(i).indexOf(query.text);
      asked.set(place, (asked.get(place) ?? 0) + 1);
    }
    // Four standard deviations of 400 draws at 0.1.
    expect(Math.abs(stays - 40)).toBeLessThan(24);
    expect(asked.get(0)).toBeGreaterThan(80);
    expect(asked.get(3)).toBeGreaterThan(80);
  });

  test('depends on the seed and the text alone', async () => {
    const options = { lang: 'en', task: 'inverse-cloze' } as const;
    const [a, again, other] = [
      await read('a.txt', many, options),
      await read('a.txt', `A new line. It comes first of all.\n${many}`, options),
      await read('a.txt', many, { ...options, seed: 1 }),
    ];
    expect(texts(again.slice(1))).toEqual(texts(a));
    expect(texts(other)).not.toEqual(texts(a));
  });

  test('a title stays with the passage; scripts without spaces have sentences too', async () => {
    const rows = [
      { title: 'T', text: 'Only this one is long enough here. No.' },
      { text: '今天天气很好。我们去公园散步吧。', lang: 'zh' },
    ];
    const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    const pairs = await read('t.jsonl', text, { lang: 'en', task: 'inverse-cloze', keep: 0 });
    expect(texts(pairs)[0]).toEqual(['Only this one is long enough here.', 'T No.']);
    expect([...texts(pairs)[1]!].sort()).toEqual(['今天天气很好。', '我们去公园散步吧。']);
  });

  test('keep 1 always leaves it', async () => {
    const pairs = await read('k.txt', many, { lang: 'en', task: 'inverse-cloze', keep: 1 });
    expect(pairs.every(({ query, passage }) => passage.text.includes(query.text))).toBe(true);
  });
});

test.each([
  ['x.txt', 'Text.\n', {}, 'INPUT_LANGUAGE', /x\.txt:1: the language/],
  ['x.txt', '\n\n', { lang: 'en' }, 'INPUT_EMPTY', /there is no pair/],
  ['x.csv', 'Text.\n', { lang: 'en' }, 'INPUT_FILE', /ending in \.txt or \.jsonl/],
  ['x.jsonl', '{"txt":"a"}\n', { lang: 'en' }, 'INPUT_COLUMN', /x\.jsonl:1: no 'text'.*did you mean 'txt'/],
  [
    'x.txt',
    'One sentence only.\n',
    { lang: 'en', task: 'inverse-cloze' },
    'INPUT_EMPTY',
    /none of 1 texts has two/,
  ],
  ['x.txt', 'Text.\n', { lang: 'en', task: 'cloze' as 'inverse-cloze' }, 'INPUT_OPTION', /`task`.*'cloze'/],
  ['x.txt', 'Text.\n', { lang: 'en', keep: 10 }, 'INPUT_OPTION', /`keep`.*received 10/],
] as const)('%s: %j with %j is refused', async (name, text, options, code, message) => {
  const refusal = await read(name, text, options).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ code, message: expect.stringMatching(message) });
});
