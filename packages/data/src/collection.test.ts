import { expect, test } from 'vitest';
import { type CollectionParts, ParallelCollection } from './collection.js';

const parts: CollectionParts = {
  name: 'toy',
  langs: ['en', 'de', 'fr'],
  queries: [
    { id: 'q1-en', lang: 'en', text: 'cat?' },
    { id: 'q1-de', lang: 'de', text: 'Katze?' },
    { id: 'q1-fr', lang: 'fr', text: 'chat ?' },
    { id: 'q2-en', lang: 'en', text: 'dog?' },
  ],
  candidates: [
    { id: 'c1-en', lang: 'en', text: 'cat' },
    { id: 'c1-de', lang: 'de', text: 'Katze' },
    { id: 'c1-fr', lang: 'fr', text: 'chat', context: 'le chat' },
    { id: 'c2-en', lang: 'en', text: 'dog' },
  ],
  relevant: [[2, 0, 1], [0, 1, 2], [0, 1, 2], [3]],
};

test('relevance is kept per query, ascending', () => {
  const collection = new ParallelCollection(parts);
  expect(collection.relevant.map((indices) => [...indices])).toEqual([[0, 1, 2], [0, 1, 2], [0, 1, 2], [3]]);
});

test('a subset keeps the named languages and renumbers relevance', () => {
  const subset = new ParallelCollection(parts).subset(['fr', 'en']);
  expect(subset.langs).toEqual(['fr', 'en']);
  expect(subset.queries.map((query) => query.id)).toEqual(['q1-en', 'q1-fr', 'q2-en']);
  expect(subset.candidates.map((candidate) => candidate.id)).toEqual(['c1-en', 'c1-fr', 'c2-en']);
  expect(subset.relevant.map((indices) => [...indices])).toEqual([[0, 1], [0, 1], [2]]);
  expect(subset.candidates[1]?.context).toBe('le chat');
});

test.each<[string, Partial<CollectionParts>, string, RegExp]>([
  ['no language', { langs: [] }, 'INPUT_LANGUAGE', /name at least one/],
  ['a language twice', { langs: ['en', 'de', 'fr', 'en'] }, 'INPUT_LANGUAGE', /"en" is named twice/],
  [
    'a language without queries',
    { langs: ['en', 'de', 'fr', 'th'] },
    'INPUT_COLLECTION',
    /"th" has no queries/,
  ],
  [
    'a language without candidates',
    { candidates: parts.candidates.slice(0, 2), relevant: [[0], [0], [0], [0]] },
    'INPUT_COLLECTION',
    /"fr" has no candidates/,
  ],
  [
    'an item in another language',
    { langs: ['en', 'de'] },
    'INPUT_COLLECTION',
    /"q1-fr" is in language "fr", expected one of en, de/,
  ],
  [
    'an id twice',
    { queries: [...parts.queries.slice(0, 3), parts.queries[0]!] },
    'INPUT_COLLECTION',
    /query id "q1-en" occurs twice/,
  ],
  ['too little relevance', { relevant: [[0]] }, 'INPUT_COLLECTION', /relevance for 1 queries, expected 4/],
  [
    'an index out of range',
    { relevant: [[0], [0], [0], [4]] },
    'INPUT_COLLECTION',
    /"q2-en": relevant candidate 4, expected an index below 4/,
  ],
  ['a negative index', { relevant: [[0], [0], [0], [-1]] }, 'INPUT_COLLECTION', /relevant candidate -1/],
  [
    'an index twice',
    { relevant: [[0], [0], [0], [3, 3]] },
    'INPUT_COLLECTION',
    /names candidate 3 as relevant twice/,
  ],
])('refuses %s', (_what, change, code, message) => {
  const build = () => new ParallelCollection({ ...parts, ...change });
  expect(build).toThrow(message);
  expect(build).toThrow(expect.objectContaining({ code }));
});

test('a subset of an unknown language names the known ones', () => {
  expect(() => new ParallelCollection(parts).subset(['en', 'sw'])).toThrow(
    /no language "sw"; it has en, de, fr/,
  );
});
