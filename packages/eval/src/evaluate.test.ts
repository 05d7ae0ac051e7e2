import { expect, test } from 'vitest';
import type { RetrievalCollection } from './collection.js';
import { evaluateRetrieval } from './evaluate.js';
import { referenceScorer } from './search/scorer.js';
import { compareUtf8 } from './search/tie-order.js';
import { seeded } from './testing/random.js';

/** Two languages, one question each, two candidates each; 0 and 2 answer. */
const toy: RetrievalCollection = {
  name: 'toy',
  langs: ['en', 'de'],
  queries: [
    { id: 'q-en', lang: 'en' },
    { id: 'q-de', lang: 'de' },
  ],
  candidates: [
    { id: 'right-en', lang: 'en' },
    { id: 'wrong-en', lang: 'en' },
    { id: 'right-de', lang: 'de' },
    { id: 'wrong-de', lang: 'de' },
  ],
  relevant: [
    [0, 2],
    [0, 2],
  ],
};
const toyInput = {
  collection: toy,
  dimension: 2,
  // The candidates' scores: for q-en 4, 3, 1, 2 (its own language first), for q-de 1, 2, 4, 3.
  queryEmbeddings: Float32Array.of(1, 0, 0, 1),
  candidateEmbeddings: Float32Array.of(4, 1, 3, 2, 1, 4, 2, 3),
  scorer: referenceScorer,
};

test('the three settings, rank distance and language shares of a hand-computed example', async () => {
  const report = await evaluateRetrieval(toyInput);
  // Monolingual: right first. Cross-lingual: right second of two. Mixed: right ones at ranks 1 and 4.
  const mixed = (1 + 2 / 4) / 2;
  expect(report.summary.map).toEqual({ monolingual: 1, cross_lingual: 0.5, multilingual: mixed });
  expect(report.summary.rank_distance).toBe(3);
  expect(report.summary.measures['Recall@1']).toEqual({
    monolingual: 1,
    cross_lingual: 0,
    multilingual: 0.5,
  });
  expect(report.summary.measures['Recall@10']).toEqual({ monolingual: 1, cross_lingual: 1, multilingual: 1 });
  expect(report.summary.measures['RR@10']).toEqual({ monolingual: 1, cross_lingual: 0.5, multilingual: 1 });
  expect(report.monolingual.de?.AP).toBe(1);
  expect(report.cross_lingual.en?.de?.AP).toBe(0.5);
  expect(report.rank_distance).toEqual({ en: 3, de: 3 });
  expect(report.counts).toEqual({ queries: { en: 1, de: 1 }, candidates: { en: 2, de: 2 } });
  expect(report.language_share.pool).toEqual({ en: 0.5, de: 0.5 });
  expect(report.language_share.top_1).toEqual({ en: { en: 1, de: 0 }, de: { en: 0, de: 1 } });
  expect(report.language_share.top_10.en).toEqual({ en: 0.5, de: 0.5 });
  expect(report.without_relevant).toEqual([]);
  expect(JSON.parse(JSON.stringify(report))).toEqual(report);
});

test('Judged@k of a pool that is smaller than k is of the whole pool', async () => {
  const { summary } = await evaluateRetrieval({ ...toyInput, measures: ['Judged@3'] });
  expect(summary.measures['Judged@3']).toEqual({
    monolingual: 1 / 2,
    cross_lingual: 1 / 2,
    multilingual: 1 / 3,
  });
});

test.each<[string, Partial<RetrievalCollection>, string]>([
  ['a language that langs lacks', { langs: ['en'] }, 'toy: "q-de" is in "de", but langs has en'],
  ['too few lists', { relevant: [[0, 2]] }, 'toy: expected relevant candidates of 2 queries but received 1'],
  [
    'no such candidate',
    { relevant: [[0, 2], [4]] },
    'toy: relevant candidate 4 of query "q-de": expected an index below 4',
  ],
  [
    'a candidate twice',
    { relevant: [[0, 0], [2]] },
    'toy: candidate "right-en" is relevant to query "q-en" twice',
  ],
])('a collection with %s is refused', async (_, part, message) => {
  const collection = { ...toy, ...part };
  await expect(evaluateRetrieval({ ...toyInput, collection })).rejects.toMatchObject({
    code: 'INPUT_COLLECTION',
    message,
  });
});

test('a single language has no cross-lingual setting and no rank distance', async () => {
  const report = await evaluateRetrieval({
    ...toyInput,
    collection: {
      name: 'one',
      langs: ['en'],
      queries: toy.queries.slice(0, 1),
      candidates: toy.candidates.slice(0, 2),
      relevant: [[1]],
    },
    queryEmbeddings: toyInput.queryEmbeddings.subarray(0, 2),
    candidateEmbeddings: toyInput.candidateEmbeddings.subarray(0, 4),
  });
  expect(report.summary.map).toEqual({ monolingual: 0.5, cross_lingual: null, multilingual: 0.5 });
  expect(report.summary.rank_distance).toBeNull();
});

test('queries without a relevant candidate are left out and listed, or an error, as the profile says', async () => {
  const collection = { ...toy, relevant: [[0], [0, 2]] };
  const report = await evaluateRetrieval({ ...toyInput, collection });
  expect(report.without_relevant).toEqual([
    { query_lang: 'en', candidate_lang: 'de', queries: 1, example: 'q-en' },
  ]);
  expect(report.cross_lingual).toEqual({ en: {}, de: { en: expect.objectContaining({ AP: 0.5 }) } });
  expect(report.summary.map.cross_lingual).toBe(0.5);
  expect(report.multilingual.en?.AP).toBe(1);
  expect(report.rank_distance).toEqual({ de: 3 });
  await expect(evaluateRetrieval({ ...toyInput, collection, profile: 'lareqa' })).rejects.toThrow(
    /1 queries in "en" \(the first is "q-en"\) have no relevant candidate in "de"; profile lareqa/,
  );
});

test('the profile decides what mAP means and how ties rank', async () => {
  const flat = { ...toyInput, candidateEmbeddings: new Float32Array(8).fill(1) };
  // All scores equal. Ids ascending: right-de right-en wrong-de wrong-en; descending the reverse.
  const trec = await evaluateRetrieval(flat);
  expect(trec.map_measure).toBe('AP');
  expect(trec.summary.map.multilingual).toBeCloseTo((1 / 3 + 2 / 4) / 2, 12);
  const st = await evaluateRetrieval({ ...flat, profile: 'sentence-transformers', measures: ['RR@10'] });
  expect(st.measures).toEqual(['AP@100', 'RR@10']);
  expect(st.summary.map.multilingual).toBe(1);
});

test('equals a brute-force evaluation of random embeddings with ties, whatever the block size', async () => {
  const random = seeded(11);
  const below = (n: number) => Math.floor(random() * n);
  const langs = ['en', 'ar', 'zh'];
  const dimension = 3;
  const candidates = Array.from({ length: 90 }, (_, i) => ({ id: `c${i}`, lang: langs[i % 3]! }));
  const queries = Array.from({ length: 30 }, (_, i) => ({ id: `q${i}`, lang: langs[i % 3]! }));
  const relevant = queries.map(() => langs.map((_, lang) => lang + 3 * below(30)));
  const embeddings = (rows: number) => Float32Array.from({ length: rows * dimension }, () => below(5) - 2);
  const queryEmbeddings = embeddings(queries.length);
  const candidateEmbeddings = embeddings(candidates.length);
  const collection = { name: 'random', langs, queries, candidates, relevant };
  const input = { collection, queryEmbeddings, candidateEmbeddings, dimension, scorer: referenceScorer };

  const dot = (q: number, c: number) => {
    let sum = 0;
    for (let d = 0; d < dimension; d++) {
      sum += queryEmbeddings[q * dimension + d]! * candidateEmbeddings[c * dimension + d]!;
    }
    return sum;
  };
  const apAndRanks = (q: number, inPool: (lang: string) => boolean) => {
    const pool = [...candidates.keys()].filter((c) => inPool(candidates[c]!.lang));
    pool.sort((a, b) => dot(q, b) - dot(q, a) || compareUtf8(candidates[b]!.id, candidates[a]!.id));
    const ranks = pool.flatMap((c, i) => (relevant[q]!.includes(c) ? [i + 1] : []));
    const ap = ranks.map((rank, i) => (i + 1) / rank).reduce((a, b) => a + b, 0) / ranks.length;
    return { ap, ranks };
  };
  const average = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const of = (lang: string) => [...queries.keys()].filter((q) => queries[q]!.lang === lang);
  const pair = (x: string, y: string) => average(of(x).map((q) => apAndRanks(q, (lang) => lang === y).ap));
  const pairs = langs.flatMap((x) => langs.filter((y) => y !== x).map((y) => pair(x, y)));
  const mixed = (q: number) => apAndRanks(q, () => true);
  const distance = (q: number) => Math.max(...mixed(q).ranks) - Math.min(...mixed(q).ranks);

  const progress: number[] = [];
  const report = await evaluateRetrieval({ ...input, onProgress: (done) => progress.push(done) });
  expect(progress).toEqual([30]);
  const { map, rank_distance } = report.summary;
  expect(map.monolingual).toBeCloseTo(average(langs.map((x) => pair(x, x))), 12);
  expect(map.cross_lingual).toBeCloseTo(average(pairs), 12);
  expect(map.multilingual).toBeCloseTo(average(langs.map((x) => average(of(x).map((q) => mixed(q).ap)))), 12);
  expect(rank_distance).toBeCloseTo(average(langs.map((x) => average(of(x).map(distance)))), 12);
  expect(report.cross_lingual.zh?.ar?.AP).toBeCloseTo(pair('zh', 'ar'), 12);
  // 7 queries a block, then 1.
  expect(await evaluateRetrieval({ ...input, blockBytes: 7 * 90 * 4 })).toEqual(report);
  expect(await evaluateRetrieval({ ...input, blockBytes: 1 })).toEqual(report);
});

test.each<[string, object, string, RegExp]>([
  [
    'too few embeddings',
    { queryEmbeddings: new Float32Array(3) },
    'INPUT_EMBEDDINGS',
    /query embeddings: expected 2 x 2 values, got 3/,
  ],
  [
    'a value that is not finite',
    { candidateEmbeddings: Float32Array.of(4, 1, 3, Number.NaN, 1, 4, 2, 3) },
    'INPUT_EMBEDDINGS',
    /value 1 of "wrong-en" is NaN/,
  ],
  [
    'an unknown profile',
    { profile: 'trec' },
    'INPUT_PROFILE',
    /No profile "trec"; the profiles are trec_eval/,
  ],
  ['an unknown measure', { measures: ['MAP'] }, 'INPUT_MEASURE', /No measure "MAP" \(did you mean "AP"\?\)/],
  [
    'a scorer that returns NaN',
    { scorer: { score: () => Promise.resolve(Float32Array.of(0, 0, 0, 0, 0, Number.NaN, 0, 0)) } },
    'SCORER_RESULT',
    /score of query "q-de" and "wrong-en" is NaN/,
  ],
  [
    'a scorer that returns too little',
    { scorer: { score: () => Promise.resolve(new Float32Array(4)) } },
    'SCORER_RESULT',
    /returned 4 scores for 2 queries x 4 candidates, expected 8/,
  ],
])('refuses %s', async (_what, change, code, message) => {
  const run = evaluateRetrieval({ ...toyInput, ...change });
  await expect(run).rejects.toThrow(message);
  await expect(run).rejects.toMatchObject({ code });
});
