import { describe, expect, test } from 'vitest';
import { collate } from './collate.js';
import { candidateGroups } from './groups.js';
import type { Pair, Row } from './rows.js';

const row = (parallelId: string, text = parallelId, more: Partial<Row> = {}): Row => ({
  id: parallelId,
  text,
  lang: 'en',
  parallelId,
  dataset: 'd',
  domain: 'm',
  ...more,
});
const pair = (query: Row, passage: Row, ...negatives: Row[]): Pair => ({ query, passage, negatives });
/** One token per letter. */
const letters = (texts: string[]) => texts.map((text) => [...text].map((letter) => letter.codePointAt(0)!));

describe('collate', () => {
  const pairs = [
    pair(row('a', 'qa'), row('p1', 'xyz'), row('n1', 'n')),
    pair(row('b', 'q'), row('p2', 'uv'), row('n2', 'm'), row('n3', 'kk')),
  ];

  test('packs queries, positives and negatives end to end', async () => {
    const packed = await collate({ pairs }, letters);
    expect(String.fromCodePoint(...packed.ids)).toBe('qaqxyzuvnmkk');
    expect([...packed.cuSeqlens]).toEqual([0, 2, 3, 6, 8, 9, 10, 12]);
    expect(packed.counts).toEqual({ tokens: 12, sequences: 7, queries: 2, candidates: 5 });
    expect([...packed.groups]).toEqual([0, 1, 2, 3, 4]);
  });

  test('puts prefixes before the texts and tells the encoder which kind they are', async () => {
    const calls: [string, string[]][] = [];
    const packed = await collate(
      { pairs },
      async (texts, kind) => {
        calls.push([kind, texts]);
        return texts.map((text) => Int32Array.of(text.length));
      },
      { queryPrefix: 'Query: ', passagePrefix: 'Passage: ' },
    );
    expect(calls).toEqual([
      ['query', ['Query: qa', 'Query: q']],
      ['passage', ['Passage: xyz', 'Passage: uv', 'Passage: n', 'Passage: m', 'Passage: kk']],
    ]);
    expect([...packed.ids]).toEqual([9, 8, 12, 11, 10, 10, 11]);
  });

  test('refuses an empty batch, a text without tokens and a wrong number of encodings', async () => {
    await expect(collate({ pairs: [] }, letters)).rejects.toMatchObject({ code: 'INPUT_EMPTY' });
    await expect(
      collate({ pairs }, (texts) => texts.map((text) => (text === 'uv' ? [] : [1]))),
    ).rejects.toThrow("the text of 'p2' (d, en) has no token");
    await expect(collate({ pairs }, () => [[1]])).rejects.toThrow(
      'Expected `encode` to return 2 queries but received 1',
    );
  });
});

describe('candidateGroups', () => {
  const groups = (...pairs: Pair[]) => [...candidateGroups(pairs)];

  test('translations and duplicates share a group', () => {
    expect(
      groups(
        pair(row('q1'), row('p1', 'Das Haus', { lang: 'de' })),
        pair(row('q2'), row('p1', 'talo', { lang: 'fi' })),
        pair(row('q3'), row('p3', ' das  haus')),
        pair(row('q4'), row('p4')),
      ),
    ).toEqual([0, 0, 0, 1]);
  });

  test('answers to one question share a group, whether by id or by text', () => {
    expect(
      groups(pair(row('q1', 'Why?'), row('p1')), pair(row('q1', 'Miksi?', { lang: 'fi' }), row('p2'))),
    ).toEqual([0, 0]);
    expect(groups(pair(row('q1', 'Why?'), row('p1')), pair(row('q2', 'why?'), row('p2')))).toEqual([0, 0]);
  });

  test('a hard negative that is another positive, or a translation of its own, is in its group', () => {
    expect(
      groups(
        pair(row('q1'), row('p1'), row('p2', 'p2 auf Deutsch', { lang: 'de' }), row('n1')),
        pair(row('q2'), row('p2'), row('p2', 'p2 suomeksi', { lang: 'fi' })),
      ),
    ).toEqual([0, 1, 1, 2, 1]);
  });

  test('groups join over others', () => {
    expect(
      groups(
        pair(row('q1'), row('p1', 'same')),
        pair(row('q2'), row('p2', 'other')),
        pair(row('q2', 'q2 again'), row('p3', 'Same')),
        pair(row('q9'), row('p9')),
      ),
    ).toEqual([0, 0, 0, 1]);
  });

  test('the same ids in other data sets, and a query with the id of a passage, are apart', () => {
    expect(
      groups(
        pair(row('1', 'a'), row('1', 'b')),
        pair(row('1', 'c', { dataset: 'e' }), row('1', 'd', { dataset: 'e' })),
        pair(row('2', 'e'), row('3', 'f'), row('2', 'g')),
      ),
    ).toEqual([0, 1, 2, 3]);
  });
});
