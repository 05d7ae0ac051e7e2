import { expect, test } from 'vitest';
import { tieOrder } from '../search/tie-order.js';
import { topK } from '../search/top-k.js';
import { seeded } from '../testing/random.js';
import { EqualRank, equalExpectedRank } from './equal-expected-rank.js';
import { languageGap } from './language-gap.js';
import { LanguagePreference } from './language-preference.js';
import { maxRank } from './max-rank.js';
import { areParallel, questionsOf } from './questions.js';
import { fullRanks, MeanRankCorrelation, spearman } from './rank-correlation.js';

test('the gap is between the best and the worst language', () => {
  expect(languageGap({ en: 0.75, de: 0.5, th: 0.25 })).toEqual({ gap: 0.5, best: 'en', worst: 'th' });
  expect(languageGap({ en: 0.75 })).toBeNull();
});

test('Max@R is the rank of the last translation', () => {
  expect(maxRank([2, 5, 9])).toBe(9);
  expect(maxRank([2])).toBeUndefined();
});

test('language preference compares queries that have relevant passages in both kinds of language', () => {
  const preference = new LanguagePreference();
  expect(preference.means()).toBeUndefined();
  preference.add('de', ['de', 'en', 'fr'], 'de', true);
  preference.add('de', ['en', 'de', 'fr'], 'en', true);
  preference.add('de', ['fr', 'de'], 'de', false);
  // Nothing to prefer: one language only.
  preference.add('de', ['en', 'fr'], 'fr', false);
  expect(preference.means()).toEqual({
    own_language_first: 1 / 3,
    first_passage: { relevant_own: 0.25, relevant_other: 0.25, wrong_own: 0.25, wrong_other: 0.25 },
  });
  const alone = new LanguagePreference();
  alone.add('de', ['de'], 'de', true);
  expect(alone.means()!.own_language_first).toBeNull();
});

test('equal expected ranks, worked out by hand', () => {
  const passages = (langs: string, grade: number) => [...langs].map((lang) => ({ lang, grade }));
  // Ranks 1 2 against 3 4: H = 3 (2 · 1 + 2 · 1) / 5 = 2.4, of which one degree of freedom leaves 0.1213….
  expect(equalExpectedRank(passages('aabb', 1), [], 1)).toBeCloseTo(0.12133525035848, 12);
  expect(equalExpectedRank(passages('abba', 1), [], 1)).toBe(1);
  // One of each: as many degrees of freedom as H, whatever the order.
  expect(equalExpectedRank(passages('ab', 1), [], 1)).toBeCloseTo(0.31731050786291, 12);
  // Nothing to compare.
  expect(equalExpectedRank(passages('aaaa', 1), [], 1)).toBe(1);
  expect(equalExpectedRank(passages('aabb', 0), passages('ab', 1), 1)).toBe(1);
  // Ranks 1 and 2 against two that tie at 4 + 3 / 2.
  expect(equalExpectedRank(passages('aa', 1), passages('bb', 1), 1)).toBeLessThan(0.1);

  const equal = new EqualRank();
  expect(equal.means()).toBeUndefined();
  equal.add([...passages('a', 1), ...passages('bbcc', 0)], []);
  expect(equal.means()).toEqual({ relevant: null, other: expect.closeTo(0.12133525035848, 12) });
  equal.add(passages('aabb', 1), []);
  const { relevant, other } = equal.means()!;
  expect([relevant, other]).toEqual([
    expect.closeTo(0.12133525035848, 12),
    expect.closeTo((1 + 0.12133525035848) / 2, 12),
  ]);
});

test("Spearman's correlation, worked out by hand", () => {
  expect(spearman([1, 2, 3, 4], [1, 2, 3, 4])).toBe(1);
  expect(spearman([1, 2, 3, 4], [4, 3, 2, 1])).toBe(-1);
  // Squared differences 1, 1, 0, 0: 1 - 6 * 2 / (4 * 15).
  expect(spearman([1, 2, 3, 4], [2, 1, 3, 4])).toBeCloseTo(0.8, 12);
});

test('full ranks equal those of a sort, with ties, zeros of both signs, negative and infinite scores', () => {
  const random = seeded(5);
  for (let round = 0; round < 200; round++) {
    const count = 1 + Math.floor(random() * 60);
    const pick = [0, -0, 1, -1, 1e-40, -1e-40, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3.5, -3.5];
    const scores = Float32Array.from({ length: count + 2 }, () =>
      round % 2 ? random() - 0.5 : pick[Math.floor(random() * pick.length)]!,
    );
    const ties = tieOrder(
      Array.from({ length: count }, (_, i) => `d${(i * 31) % 97}`),
      round % 3 ? 'id-descending' : 'id-ascending',
    );
    const pool = Uint32Array.from({ length: count }, (_, i) => i).filter(() => random() < 0.9);
    const ranks = fullRanks(scores, 2, pool, ties);
    const sorted = topK(scores, 2, pool, pool.length, ties);
    expect([...sorted].map((passage) => ranks[pool.indexOf(passage)])).toEqual(
      [...sorted.keys()].map((i) => i + 1),
    );
  }
});

test('mean rank correlation averages over questions, then over languages', () => {
  const correlation = new MeanRankCorrelation();
  const same = [1, 2, 3, 4];
  const turned = [4, 3, 2, 1];
  correlation.add(
    new Map([
      ['en', same],
      ['de', same],
      ['fr', turned],
    ]),
  );
  correlation.add(
    new Map([
      ['en', same],
      ['de', same],
    ]),
  );
  correlation.add(new Map([['en', same]]));
  // First question: en and de (1 - 1) / 2 = 0, fr -1. Second: 1 and 1.
  expect(correlation.result()).toEqual({
    mean: (0.5 + 0.5 - 1) / 3,
    by_lang: { en: 0.5, de: 0.5, fr: -1 },
    questions: 2,
  });
  expect(new MeanRankCorrelation().result()).toBeNull();
});

test('questions are known by parallel_id, by their id without its language, or by their answers', () => {
  const collection = (
    queries: { id: string; lang: string; parallel_id?: string }[],
    relevant: number[][],
  ) => ({
    name: 'c',
    langs: ['en', 'de'],
    queries,
    candidates: [],
    relevant,
  });
  const en = { id: 'q_en', lang: 'en' };
  const de = { id: 'q_de', lang: 'de' };
  expect(questionsOf(collection([en, de], [[0], [1]]))).toEqual(['q', 'q']);
  const named = [
    { ...en, parallel_id: 'a' },
    { ...de, parallel_id: 'b' },
  ];
  expect(questionsOf(collection(named, [[0], [0]]))).toEqual(['a', 'b']);
  const plain = [
    { id: '1', lang: 'en' },
    { id: '2', lang: 'de' },
    { id: '3', lang: 'de' },
  ];
  const byAnswer = questionsOf(collection(plain, [[4, 2], [2, 4], []]));
  expect(byAnswer[0]).toBe(byAnswer[1]);
  expect(byAnswer[2]).toBe('3');
  expect(areParallel(byAnswer, ['en', 'de', 'de'])).toBe(true);
  expect(areParallel(['a', 'a', 'b'], ['en', 'en', 'de'])).toBe(false);
});
