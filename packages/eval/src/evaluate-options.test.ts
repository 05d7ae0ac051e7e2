/** What evaluateRetrieval adds on request: per-query values, intervals, rank correlation; and gaps. */
import { expect, test } from 'vitest';
import type { RetrievalCollection } from './collection.js';
import { evaluateRetrieval } from './evaluate.js';
import { referenceScorer } from './search/scorer.js';
import { compareSystems, systemOfReport } from './significance/compare.js';
import { settingSample } from './significance/report-samples.js';
import { macroMean } from './significance/sample.js';
import { intervalsTable } from './tables/intervals-table.js';
import { seeded } from './testing/random.js';

const langs = ['en', 'de', 'th'];
const questions = 12;
const dimension = 6;

/** Parallel questions; question q's answer in language l is candidate l * questions + q. */
const collection: RetrievalCollection = {
  name: 'parallel',
  langs,
  queries: langs.flatMap((lang) =>
    Array.from({ length: questions }, (_, q) => ({ id: `q${q}_${lang}`, lang })),
  ),
  candidates: langs.flatMap((lang) =>
    Array.from({ length: questions }, (_, q) => ({ id: `${lang}${q}`, lang })),
  ),
  relevant: langs.flatMap(() =>
    Array.from({ length: questions }, (_, q) => langs.map((_, l) => l * questions + q)),
  ),
};

/** Random topics, shared by translations, plus noise: the more, the worse the ranking. */
function input(noise: number, seed = 1) {
  const random = seeded(seed);
  const topics = Float32Array.from({ length: questions * dimension }, () => random() - 0.5);
  const noisy = () =>
    Float32Array.from(
      { length: langs.length * questions * dimension },
      (_, i) => topics[i % topics.length]! + noise * (random() - 0.5),
    );
  return {
    collection,
    queryEmbeddings: noisy(),
    candidateEmbeddings: noisy(),
    dimension,
    scorer: referenceScorer,
  };
}

test('per-query values average to the macro figures', async () => {
  const report = await evaluateRetrieval({ ...input(0.8), perQuery: true });
  const values = report.per_query!;
  expect(values.queries).toHaveLength(36);
  expect(values.questions[13]).toBe('q1');
  for (const measure of report.measures) {
    for (const setting of ['monolingual', 'cross_lingual', 'multilingual'] as const) {
      const sample = settingSample(values, measure, setting)!;
      expect(macroMean(sample)).toBeCloseTo(report.summary.measures[measure]![setting]!, 12);
      expect(sample.units).toBe(questions);
    }
  }
  expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  const plain = await evaluateRetrieval(input(0.8));
  expect(plain.per_query).toBeUndefined();
  expect(plain.intervals).toBeUndefined();
});

test('intervals hold the figure, are the same each time, and say what was drawn', async () => {
  const report = await evaluateRetrieval({ ...input(0.8), intervals: { resamples: 200, seed: 3 } });
  const intervals = report.intervals!;
  expect(intervals.resampled).toBe('questions');
  for (const setting of ['monolingual', 'cross_lingual', 'multilingual'] as const) {
    const [low, high] = intervals.measures.AP![setting]!;
    const value = report.summary.map[setting]!;
    expect(low).toBeLessThan(value);
    expect(high).toBeGreaterThan(value);
  }
  const [low, high] = intervals.rank_distance!;
  expect(low).toBeLessThan(report.summary.rank_distance!);
  expect(high).toBeGreaterThan(report.summary.rank_distance!);
  const table = intervalsTable(report).split('\n');
  expect(table[0]).toMatch(/^figure \(95% interval\) +monolingual +cross-lingual +multilingual$/);
  expect(table[2]).toMatch(/^AP( +0\.\d{4} \(0\.\d{4} to 0\.\d{4}\)){3}$/);
  expect(table.at(-1)).toMatch(/^rank distance +\d+\.\d \(\d+\.\d to \d+\.\d\)$/);
  const again = await evaluateRetrieval({ ...input(0.8), intervals: { resamples: 200, seed: 3 } });
  expect(again.intervals).toEqual(intervals);
  expect(report.per_query).toBeUndefined();
  const alone = {
    ...collection,
    queries: collection.queries.map((query, i) => ({ ...query, id: `x${i}`, parallel_id: `x${i}` })),
  };
  const drawn = await evaluateRetrieval({ ...input(0.8), collection: alone, intervals: { resamples: 10 } });
  expect(drawn.intervals!.resampled).toBe('queries within a language');
});

test('a better system is found better, the same one is not', async () => {
  const base = await evaluateRetrieval({ ...input(1.5), perQuery: true });
  const good = await evaluateRetrieval({ ...input(0.1), perQuery: true });
  const measures = ['AP', 'nDCG@10'];
  const rows = compareSystems(
    [
      systemOfReport('base', base, measures),
      systemOfReport('good', good, measures),
      systemOfReport('same', base, measures),
    ],
    { resamples: 2000 },
  );
  expect(rows.map(({ system, figure }) => `${system} ${figure}`).slice(0, 7)).toEqual([
    'good AP monolingual',
    'good AP cross-lingual',
    'good AP multilingual',
    'good nDCG@10 monolingual',
    'good nDCG@10 cross-lingual',
    'good nDCG@10 multilingual',
    'good rank distance',
  ]);
  const ofAp = rows.find(({ system, figure }) => system === 'good' && figure === 'AP multilingual')!;
  expect(ofAp.difference).toBeCloseTo(good.summary.map.multilingual! - base.summary.map.multilingual!, 12);
  expect(ofAp.p_adjusted).toBeLessThan(0.05);
  expect(ofAp.p_adjusted).toBeGreaterThanOrEqual(ofAp.p);
  for (const { difference, p, p_adjusted } of rows.filter(({ system }) => system === 'same')) {
    expect([difference, p, p_adjusted]).toEqual([0, 1, 1]);
  }
  const without = await evaluateRetrieval(input(1.5));
  expect(() => systemOfReport('none', without)).toThrow(/no per-query values/);
});

test('rank correlation is 1 where translations are the same vector, and falls with noise', async () => {
  const same = input(0);
  const exact = await evaluateRetrieval({ ...same, rankCorrelation: true });
  expect(exact.rank_correlation).toEqual({ mean: 1, by_lang: { en: 1, de: 1, th: 1 }, questions });
  const noisy = (await evaluateRetrieval({ ...input(1.5), rankCorrelation: true })).rank_correlation!;
  expect(noisy.mean).toBeLessThan(0.9);
  expect(noisy.mean).toBeGreaterThan(-0.5);
  expect((await evaluateRetrieval(same)).rank_correlation).toBeUndefined();
});

test('the language gap and the last rank of a report', async () => {
  const report = await evaluateRetrieval({ ...input(0.8), measures: ['Success@1'] });
  const values = Object.entries(report.multilingual).map(([lang, means]) => [lang, means.AP!] as const);
  const { gap, best, worst } = report.language_gap!.AP!.multilingual!;
  expect(gap).toBe(Math.max(...values.map(([, v]) => v)) - Math.min(...values.map(([, v]) => v)));
  expect(report.multilingual[best]!.AP! - report.multilingual[worst]!.AP!).toBe(gap);
  for (const lang of langs) {
    // The first of three translations stands at rank 1 at best.
    expect(report.max_rank![lang]!).toBeGreaterThanOrEqual(report.rank_distance[lang]! + 1);
    // What is first is in the query's language or not: as the language shares count it, too.
    const { own_language_first, first_passage } = report.language_preference![lang]!;
    const { relevant_own, relevant_other, wrong_own, wrong_other } = first_passage;
    expect(relevant_own + wrong_own).toBeCloseTo(report.language_share.top_1[lang]![lang]!, 12);
    expect(relevant_own + relevant_other).toBeCloseTo(report.multilingual[lang]!['Success@1']!, 12);
    expect(relevant_own + relevant_other + wrong_own + wrong_other).toBeCloseTo(1, 12);
    expect(own_language_first).toBeGreaterThanOrEqual(relevant_own);
    // One relevant passage a language: H is as large as its degrees of freedom, whatever the ranks.
    const { relevant, other } = report.equal_expected_rank![lang]!;
    expect(relevant).toBeCloseTo(Math.exp(-1), 12);
    expect(other).toBeGreaterThan(0);
    expect(other).toBeLessThan(1);
  }
});

test('profile beir takes the passage with the query id out of the ranking, not out of the judgments', async () => {
  const twins: RetrievalCollection = {
    name: 'twins',
    langs: ['en', 'fi'],
    queries: [{ id: 'a', lang: 'en' }],
    candidates: ['a', 'b', 'c'].map((id) => ({ id, lang: id === 'b' ? 'fi' : 'en' })),
    relevant: [[0, 2]],
  };
  const vectors = {
    collection: twins,
    queryEmbeddings: Float32Array.of(1),
    candidateEmbeddings: Float32Array.of(3, 2, 1),
    dimension: 1,
    scorer: referenceScorer,
  };
  const trec = await evaluateRetrieval(vectors);
  expect(trec.summary.map.multilingual).toBe((1 + 2 / 3) / 2);
  expect(trec.language_preference!.en!.first_passage).toMatchObject({ relevant_own: 1 });
  const beir = await evaluateRetrieval({ ...vectors, profile: 'beir' });
  expect(beir.summary.map.multilingual).toBe(1 / 2 / 2);
  // Nor does the query itself count as the first passage that it finds.
  expect(beir.language_preference!.en!.first_passage).toMatchObject({ wrong_other: 1 });
});
