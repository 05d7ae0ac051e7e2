/** What cannot be drawn: one line with the reason and the remedy. */
import { describe, expect, test } from 'vitest';
import { TrainingSet } from '../training-set.js';
import type { SamplerOptions } from './options.js';
import { BatchSampler } from './sampler.js';
import { draw, options, parallel } from './test-support.js';

describe('what cannot be drawn', () => {
  const set = TrainingSet.from([
    ...parallel({ items: 20, langs: ['en', 'fi'] }),
    ...parallel({ items: 40, langs: ['en'], dataset: 'more', perPassage: 4 }),
  ]);
  const refusal = (more: Partial<SamplerOptions>, on = set): string => {
    try {
      new BatchSampler(on, options(more));
    } catch (error) {
      expect((error as { code: string }).code).toMatch(/^INPUT_/);
      return (error as Error).message;
    }
    return 'not refused';
  };

  test('a batch larger than a language names it, what it has and the remedy', () => {
    expect(refusal({ mode: 'monolingual', batchSize: 25 })).toBe(
      "a monolingual batch of 25 is larger than the data: language 'fi' has 20 pairs; use a batch size of at most 20, give more data or leave it out, or set `onTooFew: 'leave-out'` to skip all that are too small",
    );
    expect(refusal({ mode: 'monolingual', batchSize: 31 })).toContain(
      "language 'en' has 60 pairs but only 30 distinct",
    );
  });

  test('onTooFew leave-out skips it and says so', () => {
    const sampler = new BatchSampler(
      set,
      options({ mode: 'monolingual', batchSize: 25, onTooFew: 'leave-out' }),
    );
    expect(sampler.leftOut).toEqual(["language 'fi' (20 items for monolingual batches)"]);
    for (const batch of draw(sampler, 30)) expect(batch.queryLang).toBe('en');
    expect(refusal({ mode: 'monolingual', batchSize: 31, onTooFew: 'leave-out' })).toContain(
      'no language or data set has the 31 distinct items',
    );
  });

  test('a batch larger than all cross-lingual pairs, a pair or a data set', () => {
    expect(refusal({ mode: 'cross-lingual', batchSize: 21 })).toContain(
      'the whole set has 40 pairs but only 20 distinct items',
    );
    expect(refusal({ mode: 'cross-lingual', batchSize: 21, languagePair: 'per-batch' })).toContain(
      "language pair 'en' > 'fi' has 20 pairs",
    );
    expect(refusal({ mode: 'monolingual', batchSize: 12, homogeneousDataset: true })).toContain(
      "data set 'more', language 'en' has 40 pairs but only 10 distinct items",
    );
  });

  test('cross-lingual batches of one language, or of languages that are not parallel', () => {
    const one = TrainingSet.from(parallel({ items: 20, langs: ['en'] }));
    expect(refusal({ mode: 'hybrid' }, one)).toBe(
      'no cross-lingual batch can be drawn: no question has a passage in another language (languages: en); give translations the same parallel_id and dataset, add a second language, or use monolingual batches',
    );
    expect(refusal({ mode: 'hybrid', alpha: 1 }, one)).toBe('not refused');
    expect(
      refusal(
        {
          mode: 'hybrid',
          alpha: [
            [0, 1],
            [10, 0.9],
          ],
        },
        one,
      ),
    ).toContain('no cross-lingual batch');
  });

  test('an empty or unknown language pair', () => {
    const apart = TrainingSet.from([
      ...parallel({ items: 20, langs: ['en', 'fi'] }),
      ...parallel({ items: 20, langs: ['de'], dataset: 'x' }),
    ]);
    expect(refusal({ mode: 'cross-lingual', onlyPairs: [['en', 'de']] }, apart)).toContain(
      "the language pair 'en' > 'de' is empty: no question in 'en' has a passage in 'de'",
    );
    expect(refusal({ mode: 'cross-lingual', onlyPairs: [['en', 'fr']] }, apart)).toContain(
      "unknown language 'fr'",
    );
  });

  test.each<[Partial<SamplerOptions>, string]>([
    [{ batchSize: 0 }, '`batchSize`: expected a whole number from 1 but received 0'],
    [{ seed: 0.5 }, '`seed`: expected a whole number but received 0.5'],
    [{ mode: 'hybird' as 'hybrid' }, "received 'hybird' (did you mean 'hybrid'?)"],
    [{ mode: undefined as unknown as 'hybrid' }, "multilingual, hybrid but received 'undefined'"],
    [{ alpha: 1.5 }, '`alpha`: expected a number from 0 to 1 but received 1.5'],
    [
      {
        alpha: [
          [5, 1],
          [5, 0],
        ],
      },
      '`alpha`: expected a list of [step, value] with rising steps',
    ],
    [{ mode: 'monolingual', alpha: 1 }, "`alpha` is only for mode 'hybrid'"],
    [{ alpha: 1, modeWeights: { monolingual: 1 } }, 'not both'],
    [{ modeWeights: {} }, '`modeWeights`: expected weights from 0'],
    [{ modeWeights: { mono: 1 } as object }, "unknown mode 'mono' (did you mean 'monolingual'?)"],
    [{ languages: { smoothed: -1 } }, '`languages`: expected a tau from 0'],
    [{ datasets: { weights: { d: 1 } } }, "'more' has no weight"],
    [{ datasets: { weights: { d: 1, mor: 1 } } }, "nothing is called 'mor' (did you mean 'more'?)"],
    [{ datasets: { weights: { d: 0, more: 0 } } }, '`datasets.weights`: expected numbers from 0'],
    [{ negatives: -1 }, '`negatives`'],
  ])('the option %j is refused', (more, message) => {
    expect(refusal(more)).toContain(message);
  });
});
