import { describe, expect, test } from 'vitest';
import type { Pair, Row } from './rows.js';
import { TrainingSet } from './training-set.js';

const row = (parallelId: string, lang: string, text = `${parallelId} in ${lang}`, dataset = 'd'): Row => ({
  id: `${parallelId}/${lang}`,
  text,
  lang,
  parallelId,
  dataset,
  domain: 'm',
});
const pair = (query: Row, passage: Row, ...negatives: Row[]): Pair => ({ query, passage, negatives });

describe('TrainingSet', () => {
  test('joins translations to one item and stores a shared passage once', () => {
    const set = TrainingSet.from(
      ['en', 'fi'].flatMap((lang) => ['q1', 'q2'].map((query) => pair(row(query, lang), row('p', lang)))),
    );
    expect(set.items).toHaveLength(2);
    expect(set.rows).toHaveLength(6);
    expect(set.passages).toHaveLength(1);
    expect(set.items.map((item) => item.passage)).toEqual([0, 0]);
    expect(set.languagesOf(set.queries[0]!).map((lang) => set.languages[lang])).toEqual(['en', 'fi']);
    expect(set.rowsIn(set.passages[0]!, 1).map((index) => set.rows[index]!.text)).toEqual(['p in fi']);
  });

  test('keeps two wordings of one question in one language, and an equal one once', () => {
    const set = TrainingSet.from([
      pair(row('q', 'en', 'What is it?'), row('p', 'en')),
      pair(row('q', 'en', 'what  is it?'), row('p', 'en')),
      pair(row('q', 'en', 'Which thing is it?'), row('p', 'en')),
    ]);
    expect(set.items).toHaveLength(1);
    expect(set.rowsIn(set.queries[0]!, 0).map((index) => set.rows[index]!.text)).toEqual([
      'What is it?',
      'Which thing is it?',
    ]);
  });

  test('the same ids in two data sets are two things; equal texts have one class', () => {
    const set = TrainingSet.from([
      pair(row('1', 'en', 'same', 'a'), row('1', 'en', 'other', 'a')),
      pair(row('1', 'en', 'Same', 'b'), row('1', 'en', 'another', 'b')),
    ]);
    expect(set.items).toHaveLength(2);
    expect(set.queries).toHaveLength(2);
    const [first, second] = set.queries.map((text) => text[0]!);
    expect(set.rowText[first!]).toBe(set.rowText[second!]);
    expect(set.datasets).toEqual(['a', 'b']);
  });

  test('knows all answers of a question, and joins the negatives of a pair that comes twice', () => {
    const set = TrainingSet.from([
      pair(row('q', 'en'), row('p1', 'en'), row('n1', 'en')),
      pair(row('q', 'en'), row('p2', 'en')),
      pair(row('q', 'fi'), row('p1', 'fi'), row('n1', 'fi'), row('n2', 'fi')),
    ]);
    const name = (passage: number) => set.rows[set.passages[passage]![0]!]!.parallelId;
    expect(set.answersOf(set.items[0]!).map(name)).toEqual(['p1', 'p2']);
    expect(set.items[0]!.negatives.map(name)).toEqual(['n1', 'n2']);
    expect(set.passages[set.items[0]!.negatives[0]!]).toHaveLength(2);
  });

  test('margins go with their negatives, the first that is known; a negative may have none', () => {
    const scored = (negatives: Row[], margins?: number[]): Pair => ({
      ...pair(row('q', 'en'), row('p', 'en'), ...negatives),
      ...(margins ? { margins } : {}),
    });
    const [a, b, c] = ['a', 'b', 'c'].map((id) => row(id, 'en')) as [Row, Row, Row];
    const set = TrainingSet.from([scored([b]), scored([a, b], [1, 2]), scored([c, a], [3, 9])]);
    const name = (passage: number) => set.rows[set.passages[passage]![0]!]!.parallelId;
    expect(set.items[0]!.negatives.map(name)).toEqual(['b', 'a', 'c']);
    expect(set.items[0]!.margins).toEqual([2, 1, 3]);
    expect(TrainingSet.from([scored([a], [1]), scored([b])]).items[0]!.margins).toEqual([1, Number.NaN]);
    expect(TrainingSet.from([scored([a, b])]).items[0]).not.toHaveProperty('margins');
    const prints = [undefined, [1, 2], [1, 3]].map(
      (margins) => TrainingSet.from([scored([a, b], margins)]).fingerprint,
    );
    expect(new Set(prints).size).toBe(3);
  });

  test('the fingerprint changes with text, order, pairing and negatives', () => {
    const a = pair(row('q1', 'en'), row('p1', 'en'));
    const b = pair(row('q2', 'en'), row('p2', 'en'));
    const [m, n] = [row('m', 'en'), row('n', 'en')];
    const prints = [
      [a, b],
      [b, a],
      [a],
      [
        { ...a, negatives: [m] },
        { ...b, negatives: [n] },
      ],
      [
        { ...a, negatives: [m] },
        { ...b, negatives: [n, m] },
      ],
      [a, pair(row('q2', 'en', 'other'), row('p2', 'en'))],
      [a, b, pair(row('q1', 'en'), row('p2', 'en'))],
    ].map((pairs) => TrainingSet.from(pairs).fingerprint);
    expect(new Set(prints).size).toBe(prints.length);
    expect(TrainingSet.from([a, b]).fingerprint).toBe(prints[0]);
  });

  test('reads several sources one after the other', async () => {
    async function* source(dataset: string) {
      yield pair(row('q', 'en', 'x', dataset), row('p', 'en', `y ${dataset}`, dataset));
    }
    expect((await TrainingSet.read(source('a'), source('b'))).items).toHaveLength(2);
  });

  test('refuses one parallel id for everything', () => {
    const pairs = Array.from({ length: 10_001 }, (_, i) =>
      pair(row('same', 'en', `question ${i}`), row(`p${i}`, 'en')),
    );
    expect(TrainingSet.from(pairs.slice(1)).queries).toHaveLength(1);
    expect(() => TrainingSet.from(pairs)).toThrow(
      "'d': more than 10000 texts have the parallel_id 'same'; give each item and its translations an id of their own",
    );
  });

  test('refuses a blank text and having no pair', () => {
    const missing = { ...row('q', 'en'), text: undefined } as unknown as Row;
    for (const query of [row('q', 'en', ' '), missing])
      expect(() => TrainingSet.from([pair(query, row('p', 'en'))])).toThrow(
        expect.objectContaining({ code: 'INPUT_EMPTY', message: "the query 'q/en' of 'd' (en) has no text" }),
      );
    expect(() => TrainingSet.from([])).toThrow(expect.objectContaining({ code: 'INPUT_EMPTY' }));
  });
});
