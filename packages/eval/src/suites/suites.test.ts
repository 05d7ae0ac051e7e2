import { expect, test } from 'vitest';
import { evaluateRankings, type JudgedCollection, judgmentNotes } from './ad-hoc.js';
import { adHocTable, bitextTable } from './tables.js';

const collection: JudgedCollection = {
  name: 'c',
  lang: undefined,
  queries: [
    { id: 'q1', lang: 'de' },
    { id: 'q2', lang: 'de' },
    { id: 'q3', lang: 'tr' },
  ],
  judgments: new Map([
    ['q1', new Map([['a', 1]])],
    ['q2', new Map([['b', 0]])],
    [
      'q3',
      new Map([
        ['a', 2],
        ['b', 1],
      ]),
    ],
  ]),
  measures: ['RR@2'],
  profile: 'trec_eval',
};

test('per query, per language, macro over languages; a query without a relevant document counts as 0', () => {
  const report = evaluateRankings(collection, [['x', 'a'], ['b'], ['b', 'a']], 10);
  expect(report.per_query).toEqual({ q1: { 'RR@2': 0.5 }, q2: { 'RR@2': 0 }, q3: { 'RR@2': 1 } });
  expect(report.by_query_lang).toEqual({ de: { 'RR@2': 0.25 }, tr: { 'RR@2': 1 } });
  expect(report.means).toEqual({ 'RR@2': 0.625 });
  expect(report).toMatchObject({ lang: null, queries: 3, documents: 10 });
});

test('a query may have any id, that of a property which every object has too', () => {
  const queries = ['__proto__', 'constructor', '2'].map((id) => ({ id, lang: 'de' }));
  const judgments = new Map(queries.map(({ id }) => [id, new Map([['a', 1]])]));
  const report = evaluateRankings({ ...collection, queries, judgments }, [['a'], ['b', 'a'], ['b']], 10);
  expect(report.queries).toBe(3);
  expect(JSON.parse(JSON.stringify(report.per_query))).toEqual(
    JSON.parse('{"2":{"RR@2":0},"__proto__":{"RR@2":1},"constructor":{"RR@2":0.5}}'),
  );
});

test('a profile that skips queries without a relevant document, and one that drops identical ids', () => {
  const skipped = evaluateRankings(collection, [['x', 'a'], ['b'], ['b', 'a']], 10, {
    profile: 'sentence-transformers',
  });
  expect(Object.keys(skipped.per_query)).toEqual(['q1', 'q3']);
  const own = { ...collection, queries: [{ id: 'q1', lang: 'en' }] };
  const dropped = evaluateRankings(own, [['q1', 'a']], 10, { profile: 'beir', measures: ['nDCG@10'] });
  expect(dropped.means).toEqual({ 'nDCG@10': 1 });
  expect(() =>
    evaluateRankings({ ...collection, queries: [{ id: 'q2', lang: 'de' }] }, [['b']], 10, {
      profile: 'msmarco',
      measures: ['RR@10', 'bad'],
    }),
  ).toThrow(/No measure "bad"/);
});

test('tables: a mean over collections, languages of one collection, both directions of a bitext', () => {
  const report = evaluateRankings(collection, [['x', 'a'], ['b'], ['b', 'a']], 10);
  expect(adHocTable([report])).toMatch(/^c +3 +10 +0\.6250\n {2}de +0\.2500\n {2}tr +1\.0000$/m);
  expect(adHocTable([report, { ...report, means: { 'RR@2': 0.125 } }])).toMatch(/^mean +0\.3750$/m);
  const line = (accuracy_forward: number) => ({
    collection: 'tatoeba-deu',
    langs: ['deu', 'eng'] as const,
    sentences: 4,
    accuracy_forward,
    accuracy_backward: 0.5,
  });
  expect(bitextTable([line(1), line(0)])).toMatch(/^mean +0\.5000 +0\.5000 +0\.5000$/m);
});

test('notes tell of judged queries that are not asked', () => {
  const english = { ...collection, lang: 'en', queries: collection.queries.slice(1) };
  expect(judgmentNotes(english, ['a', 'b'])).toEqual([
    'c: 1 of 3 judged queries, the first is "q1", are not among the queries and are left out',
  ]);
  expect(judgmentNotes({ ...collection, lang: 'en' }, ['a', 'b'])).toEqual([]);
  expect(judgmentNotes({ ...english, lang: undefined }, ['a', 'b'])).toEqual([]);
});

test('notes tell of relevant documents that cannot be found', () => {
  expect(judgmentNotes(collection, ['a', 'b', 'c'])).toEqual([]);
  // A judged document that is not relevant may be missing.
  const one = { ...collection, queries: [{ id: 'q2', lang: 'de' }] };
  expect(judgmentNotes(one, [])).toEqual([]);
  expect(judgmentNotes(collection, ['b'])).toEqual([
    'c: 1 of 2 relevant documents, the first is "a", are not in the corpus and cannot be found',
  ]);
  const own = { ...one, judgments: new Map([['q2', new Map([['q2', 1]])]]) };
  expect(judgmentNotes(own, ['q2'])).toEqual([]);
  expect(judgmentNotes(own, ['q2'], { profile: 'beir' })).toEqual([
    expect.stringMatching(
      /^c: 1 relevant documents have the id of their query, and profile beir takes those out/,
    ),
  ]);
});
