import { expect, test } from 'vitest';
import { type ProfileName, profiles } from '../profiles.js';
import { measureNamed } from './index.js';
import { type JudgedRanking, judgeRanking } from './ranking.js';

/** Relevant passages at ranks 1, 3 and 6; a fourth one is not retrieved. */
const ranking: JudgedRanking = { relevantRanks: [1, 3, 6], relevant: 4 };
const nothing: JudgedRanking = { relevantRanks: [], relevant: 0 };
const log2 = Math.log2;

test.each<[string, ProfileName, number]>([
  ['AP', 'trec_eval', (1 + 2 / 3 + 3 / 6) / 4],
  ['AP', 'lareqa', (1 + 2 / 3 + 3 / 6) / 4],
  ['AP@3', 'trec_eval', (1 + 2 / 3) / 4],
  ['AP@3', 'sentence-transformers', (1 + 2 / 3) / 3],
  ['AP@20', 'lareqa', (1 + 2 / 3 + 3 / 6) / 4],
  ['AP@1', 'lareqa', 1],
  ['RR', 'trec_eval', 1],
  ['Recall@1', 'trec_eval', 1 / 4],
  ['Recall@5', 'trec_eval', 2 / 4],
  ['Recall@10', 'sentence-transformers', 3 / 4],
  ['P@3', 'trec_eval', 2 / 3],
  ['P@10', 'beir', 3 / 10],
  ['Rprec', 'trec_eval', 2 / 4],
  ['Success@1', 'msmarco', 1],
  ['nDCG@3', 'trec_eval', (1 + 1 / log2(4)) / (1 + 1 / log2(3) + 1 / log2(4))],
  ['nDCG', 'trec_eval', (1 + 1 / log2(4) + 1 / log2(7)) / (1 + 1 / log2(3) + 1 / log2(4) + 1 / log2(5))],
])('%s in profile %s is %d on the hand-computed ranking', (name, profile, expected) => {
  expect(measureNamed(name, profiles[profile]).evaluate(ranking)).toBeCloseTo(expected, 12);
});

test('a first relevant passage beyond the cut-off has no reciprocal rank', () => {
  const late: JudgedRanking = { relevantRanks: [11], relevant: 1 };
  expect(measureNamed('RR@10', profiles.trec_eval).evaluate(late)).toBe(0);
  expect(measureNamed('RR', profiles.trec_eval).evaluate(late)).toBeCloseTo(1 / 11, 12);
});

test('judged@k divides by what was retrieved when that is less than k', () => {
  const measure = measureNamed('Judged@10', profiles.trec_eval);
  const judgedRanks = [1, 2, 4];
  expect(measure.evaluate({ relevantRanks: [2], relevant: 1, judgedRanks, retrieved: 4 })).toBe(3 / 4);
  expect(measure.evaluate({ relevantRanks: [2], relevant: 1, judgedRanks, retrieved: 400 })).toBe(3 / 10);
  expect(measure.evaluate({ relevantRanks: [], relevant: 1, judgedRanks: [], retrieved: 0 })).toBe(0);
  const late: JudgedRanking = { relevantRanks: [11], relevant: 1 };
  expect(measureNamed('Success@10', profiles.trec_eval).evaluate(late)).toBe(0);
});

test.each(['AP', 'AP@20', 'nDCG@10', 'RR@10', 'Recall@10', 'P@5', 'Rprec', 'Success@5', 'Judged@5'])(
  '%s of a query without relevant passages is 0',
  (name) => {
    for (const profile of Object.values(profiles))
      expect(measureNamed(name, profile).evaluate(nothing)).toBe(0);
  },
);

test('grades count in nDCG where the profile says so, and the relevance level does not', () => {
  // Grades by rank: 1, 3, 0, 2; judged but not retrieved: 2; judged not relevant: 0.
  const graded = judgeRanking([1, 3, 0, 2], [3, 2, 2, 1, 0], 2);
  expect(graded.relevantRanks).toEqual([2, 4]);
  expect(graded.relevant).toBe(3);
  const ideal = 3 + 2 / log2(3) + 2 / log2(4) + 1 / log2(5);
  const got = 1 + 3 / log2(3) + 2 / log2(5);
  expect(measureNamed('nDCG@10', profiles.trec_eval).evaluate(graded)).toBeCloseTo(got / ideal, 12);
  expect(measureNamed('nDCG@2', profiles.trec_eval).evaluate(graded)).toBeCloseTo(
    (1 + 3 / log2(3)) / (3 + 2 / log2(3)),
    12,
  );
  const binary = (1 / log2(3) + 1 / log2(5)) / (1 + 1 / log2(3) + 1 / log2(4));
  expect(measureNamed('nDCG@10', profiles['sentence-transformers']).evaluate(graded)).toBeCloseTo(binary, 12);
});

test('Judged@k of a list that is shorter than k, and of grades below the relevance level', () => {
  const measure = measureNamed('Judged@10', profiles.trec_eval);
  expect(measure.evaluate(judgeRanking([1, 0, 0, 1], [1, 1, 1]))).toBe(2 / 4);
  expect(measure.evaluate(judgeRanking([1, 2], [1, 2], 2))).toBe(1);
});

test.each(['ap', 'AP@0', 'AP@', 'AP@1.5', 'Recall', 'P', 'Rprec@5', 'MAP@10', 'toString', ''])(
  'refuses the name "%s"',
  (name) => {
    expect(() => measureNamed(name, profiles.trec_eval)).toThrow(/expected AP, AP@k, nDCG.*Judged@k with k/);
    expect(() => measureNamed(name, profiles.trec_eval)).toThrow(
      expect.objectContaining({ code: 'INPUT_MEASURE' }),
    );
  },
);

test.each([
  ['ndcg@10', 'nDCG@10'],
  ['ndcg_cut_10', 'nDCG@10'],
  ['ndcg_at_10', 'nDCG@10'],
  ['MRR@10', 'RR@10'],
  ['recip_rank', 'RR'],
  ['map_cut.100', 'AP@100'],
  ['R@5', 'Recall@5'],
  ['recall', 'Recall@10'],
  ['Accuracy@1', 'Success@1'],
  ['rprec@3', 'Rprec'],
])('%s, as another tool has it, is told to be %s', (name, ours) => {
  expect(() => measureNamed(name, profiles.trec_eval)).toThrow(
    `No measure "${name}" (did you mean "${ours}"?);`,
  );
});

test('a name that is like none is told the list alone', () => {
  expect(() => measureNamed('toString', profiles.trec_eval)).toThrow(/^No measure "toString"; expected AP, /);
});
