import { languagesFeed, rowWeightsFeed } from '@synglot/nn';
import { expect, test } from 'vitest';
import { adversarialObjectives, reversalStrength } from './objective-languages.js';
import type { ObjectiveContext } from './objectives.js';
import { row } from './test-support.js';

test('the reversal grows as its schedule says', () => {
  const at = (schedule: 'ganin' | 'linear' | 'constant') =>
    [0, 0.1, 0.5, 1].map((progress) => reversalStrength({ lambda: 2, schedule, gamma: 10 }, progress));
  expect(at('constant')).toEqual([2, 2, 2, 2]);
  expect(at('linear')).toEqual([0, 0.2, 1, 2]);
  // tanh(γ p / 2) by another name.
  const ganin = [0, 0.1, 0.5, 1].map((progress) => 2 * Math.tanh(5 * progress));
  at('ganin').forEach((value, index) => {
    expect(value).toBeCloseTo(ganin[index] as number, 12);
  });
});

test('rows of a language that was not trained with weigh nothing, the others the same', () => {
  const [entropy] = adversarialObjectives({
    lambda: 1,
    schedule: 'constant',
    gamma: 10,
    hidden: 8,
    learningRateScale: 1,
    dimension: 8,
    seed: 1,
    languages: ['de', 'en'],
  });
  const pairs = [
    { query: row('1', 'en'), passage: row('1', 'de'), negatives: [row('1', 'fi')] },
    { query: row('1', 'fi'), passage: row('1', 'en'), negatives: [] },
  ];
  const feeds = entropy!.feeds!({ batch: { pairs }, progress: 0 } as unknown as ObjectiveContext);
  const values = (name: string) => [...(feeds[name] as Float32Array)];
  const third = expect.closeTo(1 / 3, 6);
  expect(values(languagesFeed('queries'))).toEqual([1, 0]);
  expect(values(languagesFeed('candidates'))).toEqual([0, 1, 0]);
  expect(values(rowWeightsFeed('language_discriminator', 'queries'))).toEqual([third, 0]);
  expect(values(rowWeightsFeed('language_discriminator', 'candidates'))).toEqual([third, third, 0]);
});
