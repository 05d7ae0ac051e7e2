/** The rules of mining on scores that are made up; the search is tested with a device. */
import { describe, expect, test } from 'vitest';
import type { Pair } from '../rows.js';
import { BatchSampler } from '../sampling/sampler.js';
import { TrainingSet, TrainingSetBuilder } from '../training-set.js';
import type { MiningOptions } from './options.js';
import { MiningPools } from './questions.js';
import { miningSummary, NegativeSelector, negativesByItem } from './select.js';

const side = (text: string, lang: string, parallelId: string) => ({
  id: `${parallelId}-${lang}`,
  text,
  lang,
  parallelId,
  dataset: 'd',
  domain: 'd',
});
const pair = (key: string, lang: string, query: string, passage: string, passageKey = key): Pair => ({
  query: side(query, lang, key),
  passage: side(passage, lang, passageKey),
  negatives: [],
});
const set = TrainingSet.from([
  pair('a', 'en', 'Who?', 'Ann.', 'pa'),
  pair('a', 'de', 'Wer?', 'Anna.', 'pa'),
  pair('b', 'en', 'Where?', 'There.', 'pb'),
  pair('b', 'de', 'Wo?', 'Dort.', 'pb'),
  pair('c', 'en', 'When?', 'Now.', 'pc'),
  // The same text as an answer, and a question that is asked twice.
  pair('d', 'en', 'Who is she?', ' ann. ', 'pd'),
  pair('e', 'en', 'WHO?', 'Eve.', 'pe'),
  pair('f', 'en', 'How?', 'So.', 'pf'),
  pair('f', 'en', 'How?', 'Thus.', 'pg'),
]);
const textOf = (row: number) => set.rows[row]!.text;

/** Mines with scores by text; passages without one score 0. Returns question → [negative, score]. */
function mine(scores: Readonly<Record<string, number>>, options: MiningOptions = {}, salt = 0) {
  const data = new MiningPools(set, options.languages ?? 'within');
  const selector = new NegativeSelector(data, options, salt);
  for (const question of data.questions) {
    const { rows } = data.pools[question.pool]!;
    const together = data.questions.filter(({ pool }) => pool === question.pool);
    const ranked = rows
      .map((row, place) => ({ place, score: scores[textOf(row)] ?? 0 }))
      .sort((x, y) => y.score - x.score || x.place - y.place)
      .slice(0, Math.max(...together.map((one) => selector.depth(one))));
    const positiveScores = question.positives.map((row) => scores[textOf(row)] ?? 0);
    selector.take(question, positiveScores, {
      rows: ranked.map(({ place }) => place),
      scores: ranked.map(({ score }) => score),
    });
  }
  const { mined, statistics } = selector.finish();
  const found = new Map(
    mined.map(({ question, negatives }) => [textOf(question.query), negatives.map(({ row }) => textOf(row))]),
  );
  return { found, statistics, data, mined };
}
const scores = {
  'Ann.': 0.9,
  'There.': 0.8,
  'Now.': 0.7,
  'Eve.': 0.6,
  'So.': 0.5,
  'Thus.': 0.4,
  ' ann. ': 0.95,
};

describe('what is never a negative', () => {
  test('answers, answers to the same text, duplicates of answers; within the language', () => {
    const { found } = mine(scores, { negatives: 10 });
    // "WHO?" is the same question, so Eve. answers it, and " ann. " reads like its answer.
    expect(found.get('Who?')).toEqual(['There.', 'Now.', 'So.', 'Thus.']);
    expect(found.get('WHO?')).toEqual(['There.', 'Now.', 'So.', 'Thus.']);
    expect(found.get('How?')).toEqual([' ann. ', 'There.', 'Now.', 'Eve.']);
    expect(found.get('Wer?')).toEqual(['Dort.']);
  });

  test('translations, across languages; of a passage and its translations the best is taken', () => {
    const { found, statistics } = mine(
      { ...scores, 'Anna.': 0.99, 'Dort.': 0.85 },
      { negatives: 10, languages: 'across' },
    );
    expect(found.get('Who?')).toEqual(['Dort.', 'Now.', 'So.', 'Thus.']);
    expect(found.get('When?')).toEqual(['Anna.', ' ann. ', 'Dort.', 'Eve.', 'So.', 'Thus.']);
    expect(statistics.excluded.duplicate).toBeGreaterThan(0);
  });
});

describe('rules', () => {
  test.each([
    ['absolute margin', { absoluteMargin: 0.15 }, ['So.', 'Thus.']],
    ['relative margin', { relativeMargin: 0.25 }, ['So.', 'Thus.']],
    ['highest score', { maxScore: 0.55 }, ['So.', 'Thus.']],
    ['lowest score', { minScore: 0.85 }, [' ann. ']],
    ['window of ranks', { rangeMin: 1, rangeMax: 3, negatives: 2 }, ['There.', 'Eve.']],
    ['number', { negatives: 1 }, [' ann. ']],
  ] as const)('%s', (_what, options, expected) => {
    const { found } = mine(scores, { negatives: 10, ...options });
    expect(found.get('When?')).toEqual(expected);
  });

  test('margins are measured from the lowest of several answers', () => {
    const uneven = { 'So.': 0.9, 'Thus.': 0.5, 'Now.': 0.7, 'Eve.': 0.3 };
    const { found } = mine(uneven, { negatives: 10, absoluteMargin: 0.1, minScore: 0.1 });
    expect(found.get('How?')).toEqual(['Eve.']);
  });

  test('a relative margin below an answer with a negative score lies lower, not higher', () => {
    const low = {
      'Ann.': 0.2,
      ' ann. ': 0.2,
      'There.': -0.45,
      'Now.': -0.4,
      'Eve.': -0.5,
      'So.': -0.7,
      'Thus.': -0.8,
    };
    // -0.4 - 0.4 * 0.25 = -0.5
    expect(mine(low, { negatives: 10, relativeMargin: 0.25 }).found.get('When?')).toEqual([
      'Eve.',
      'So.',
      'Thus.',
    ]);
  });

  test('every passage ranked is either mined or counted under one rule', () => {
    const { statistics } = mine(scores, { negatives: 10, absoluteMargin: 0.1, minScore: 0.45, rangeMin: 1 });
    const excluded = Object.values(statistics.excluded).reduce((a, b) => a + b, 0);
    expect(excluded + statistics.mined).toBe(statistics.candidates);
    expect(statistics.questions).toBe(9 - 1);
    expect(miningSummary(statistics, 10)).toMatch(
      /^\d+ negatives for 8 questions; 8 questions have fewer than 10; of \d+ passages ranked, excluded \d+ answers, .* by absolute_margin/,
    );
  });

  test('random sampling is seeded, within the window, and new in each round', () => {
    const options: MiningOptions = { negatives: 2, sampling: 'random', seed: 1 };
    const rounds = Array.from({ length: 20 }, (_, salt) => mine(scores, options, salt).found.get('When?')!);
    expect(mine(scores, options, 3).found).toEqual(mine(scores, options, 3).found);
    expect(new Set(rounds.map((one) => one.join())).size).toBeGreaterThan(3);
    const window = mine(scores, { negatives: 10 }).found.get('When?')!;
    for (const one of rounds) expect(window.filter((text) => one.includes(text))).toEqual(one);
  });
});

test('questions asked in the same words share their answers, and only they are ranked as deep as those are many', () => {
  const stars = Array.from({ length: 50 }, (_, i) => pair(`s${i}`, 'en', 'Five stars', `Review ${i}.`));
  const own = [pair('a', 'en', 'Who?', 'Ann.'), pair('b', 'en', 'Where?', 'Where?')];
  const data = new MiningPools(TrainingSet.from([...stars, ...own]), 'within');
  const selector = new NegativeSelector(data, { rangeMax: 10 });
  const answers = data.questions.map((question) => data.answersTo(question));
  expect(answers[0]!.size).toBe(50);
  expect(new Set(answers).size).toBe(3);
  const depths = data.questions.map((question) => selector.depth(question));
  // A passage that reads like its question is one passage, as an answer and as the question's text.
  expect(depths).toEqual([...stars.map(() => 60), 11, 11]);
});

test('a sampler draws mined negatives, in the language of the passage, and its state does not change', () => {
  const { data, mined } = mine(scores, { negatives: 2 });
  const options = { batchSize: 2, seed: 3, mode: 'monolingual', onTooFew: 'leave-out' } as const;
  const [plain, with_] = [new BatchSampler(set, options), new BatchSampler(set, options)];
  with_.setNegatives(negativesByItem(data, mined));
  let negatives = 0;
  for (let i = 0; i < 20; i++) {
    const [a, b] = [plain.next(), with_.next()];
    expect(b.pairs.map(({ query }) => query.text)).toEqual(a.pairs.map(({ query }) => query.text));
    expect(a.pairs.every((one) => one.negatives.length === 0)).toBe(true);
    for (const one of b.pairs) {
      negatives += one.negatives.length;
      expect(one.negatives.every(({ lang }) => lang === one.passage.lang)).toBe(true);
    }
  }
  expect(negatives).toBeGreaterThan(0);
  expect(with_.state()).toEqual(plain.state());
});

test('passages without a question are mined too, and need no weight when batches are drawn', () => {
  const builder = new TrainingSetBuilder();
  builder.add(pair('a', 'en', 'Who?', 'Ann.'));
  builder.add(pair('b', 'en', 'Where?', 'There.'));
  builder.addPassage({ ...side('Nobody.', 'en', 'x'), dataset: 'corpus' });
  // An answer, read once more from a corpus.
  builder.addPassage({ ...side('ANN.', 'en', 'y'), dataset: 'corpus' });
  const larger = builder.build();
  expect([larger.items.length, larger.passages.length]).toEqual([2, 4]);
  const data = new MiningPools(larger, 'within');
  const selector = new NegativeSelector(data, { negatives: 3 });
  for (const question of data.questions)
    selector.take(question, [1], { rows: [0, 1, 2, 3], scores: [0.9, 0.8, 0.7, 0.6] });
  const { mined } = selector.finish();
  const found = mined.map(({ negatives }) => negatives.map(({ row }) => larger.rows[row]!.text));
  expect(found).toEqual([
    ['There.', 'Nobody.'],
    ['Ann.', 'Nobody.'],
  ]);
  const datasets = { weights: { d: 1 } };
  const sampler = new BatchSampler(larger, { batchSize: 2, seed: 0, mode: 'monolingual', datasets });
  sampler.setNegatives(negativesByItem(data, mined));
  expect(sampler.next().pairs.flatMap(({ negatives }) => negatives.map(({ text }) => text))).toEqual([
    'Nobody.',
  ]);
});

test('rules that leave nothing are one line with the reasons', () => {
  const attempt = () => mine(scores, { maxScore: -1, rangeMin: 2 });
  expect(attempt).toThrow(
    /^mining leaves no negative for any of 8 questions: of \d+ passages ranked, excluded \d+ answers, \d+ duplicates, \d+ above range_min, \d+ by max_score; loosen range_min, max_score$/,
  );
  expect(attempt).toThrow(expect.objectContaining({ code: 'INPUT_MINING' }));
});

test.each([
  [{ negatives: 0 }, '`negatives`'],
  [{ rangeMin: 98 }, '`rangeMax`: expected a whole number from 102'],
  [{ maxScore: Number.NaN }, '`maxScore`'],
  [{ sampling: 'tops' as 'top' }, "did you mean 'top'"],
] as const)('%j is refused', (options, message) => {
  expect(() => mine(scores, options)).toThrow(message);
});
