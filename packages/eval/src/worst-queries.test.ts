/** The worst queries of a small collection, worked out by hand. */
import { expect, test } from 'vitest';
import { evaluateRetrieval } from './evaluate.js';
import { referenceScorer } from './search/scorer.js';
import { worstQueries } from './worst-queries.js';

test('the query whose passages rank last comes first, with its ranking', async () => {
  const collection = {
    name: 'tiny',
    langs: ['de', 'en'],
    queries: [
      { id: 'a_de', lang: 'de', text: 'A?' },
      { id: 'b_de', lang: 'de', text: 'B?' },
      { id: 'a_en', lang: 'en', text: 'A?' },
      { id: 'b_en', lang: 'en', text: 'B?' },
    ],
    candidates: [
      { id: 'a1', lang: 'de', text: 'a' },
      { id: 'b1', lang: 'de', text: 'b' },
      { id: 'a2', lang: 'en', text: 'a' },
      { id: 'b2', lang: 'en', text: 'b' },
    ],
    relevant: [
      [0, 2],
      [1, 3],
      [0, 2],
      [1, 3],
    ],
  };
  // Query b_en points at the wrong passages; the others are served perfectly.
  const shared = {
    collection,
    queryEmbeddings: Float32Array.of(1, 0, 0, 1, 1, 0, 1, 0.5),
    candidateEmbeddings: Float32Array.of(1, 0, 0, 1, 1, 0, 0, 1),
    dimension: 2,
    scorer: referenceScorer,
    profile: 'trec_eval',
  } as const;
  const { per_query: perQuery, map_measure: measure } = await evaluateRetrieval({
    ...shared,
    perQuery: true,
  });
  const worst = await worstQueries({ ...shared, perQuery: perQuery!, measure, count: 2, depth: 3 });
  expect(worst.map(({ id }) => id)).toEqual(['b_en', 'a_de']);
  // Relevant ones at ranks 3 and 4: (1/3 + 2/4) / 2.
  expect(worst[0]?.value).toBeCloseTo((1 / 3 + 2 / 4) / 2, 12);
  expect(worst[0]?.ranking.map(({ id, relevant, score }) => [id, relevant, score])).toEqual([
    ['a2', false, 1],
    ['a1', false, 1],
    ['b2', true, 0.5],
  ]);
});

test('where the profile takes the query itself out of the ranking, it is not shown either', async () => {
  const collection = {
    name: 'own ids',
    langs: ['en'],
    queries: [{ id: 'a', lang: 'en', text: 'A' }],
    candidates: ['a', 'b', 'c'].map((id) => ({ id, lang: 'en', text: id })),
    relevant: [[1]],
  };
  const shared = {
    ...{ collection, dimension: 1, scorer: referenceScorer, measure: 'RR' },
    queryEmbeddings: Float32Array.of(1),
    candidateEmbeddings: Float32Array.of(3, 1, 2),
  };
  const shown = async (profile: 'beir' | 'trec_eval') => {
    const measured = await evaluateRetrieval({ ...shared, profile, measures: ['RR'], perQuery: true });
    const worst = await worstQueries({ ...shared, profile, perQuery: measured.per_query! });
    return worst.map(({ value, ranking }) => [value, ...ranking.map(({ id }) => id)]);
  };
  expect(await shown('beir')).toEqual([[1 / 2, 'c', 'b']]);
  expect(await shown('trec_eval')).toEqual([[1 / 3, 'a', 'c', 'b']]);
});
