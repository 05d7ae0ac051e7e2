/** Which language combinations, data sets and domains batches are drawn from. */
import { describe, expect, test } from 'vitest';
import { TrainingSet } from '../training-set.js';
import type { BatchMode, SamplerOptions } from './options.js';
import { BatchSampler } from './sampler.js';
import { checkBatch, draw, langs, options, parallel, share } from './test-support.js';

describe('modes', () => {
  const set = TrainingSet.from(parallel({ items: 60, langs }));

  test.each<BatchMode>(['monolingual', 'cross-lingual', 'multilingual'])(
    '%s batches keep its rule',
    (mode) => {
      const batches = draw(new BatchSampler(set, options({ mode })), 200);
      for (const batch of batches) {
        expect(batch.mode).toBe(mode);
        checkBatch(batch, 8);
      }
      expect(batches.map((batch) => batch.index)).toEqual(Array.from({ length: 200 }, (_, i) => i));
    },
  );

  test('multilingual mode draws every language combination about equally often', () => {
    const counts = new Map<string, number>();
    for (const batch of draw(new BatchSampler(set, options({ mode: 'multilingual' })), 800)) {
      for (const { query, passage } of batch.pairs) {
        const key = `${query.lang}>${passage.lang}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
    }
    expect(counts.size).toBe(16);
    for (const count of counts.values()) expect(Math.abs(count - 400)).toBeLessThan(100);
  });

  test.each([0, 0.2, 0.5, 1])('hybrid with alpha %f has that share of monolingual batches', (alpha) => {
    const batches = draw(new BatchSampler(set, options({ alpha, batchSize: 4 })), 2000);
    expect(Math.abs(share(batches, (batch) => batch.mode === 'monolingual') - alpha)).toBeLessThan(0.035);
    expect(share(batches, (batch) => batch.mode === 'multilingual')).toBe(0);
  });

  test('hybrid with weights of three modes draws each in proportion', () => {
    const modeWeights = { monolingual: 1, 'cross-lingual': 1, multilingual: 2 };
    const batches = draw(new BatchSampler(set, options({ modeWeights, batchSize: 2 })), 2000);
    expect(Math.abs(share(batches, (batch) => batch.mode === 'multilingual') - 0.5)).toBeLessThan(0.04);
    expect(Math.abs(share(batches, (batch) => batch.mode === 'monolingual') - 0.25)).toBeLessThan(0.04);
  });

  test('a schedule goes in a line from one value to the next, and then stays', () => {
    const alpha = [
      [0, 1],
      [1000, 0],
    ] as const;
    const batches = draw(new BatchSampler(set, options({ alpha, batchSize: 2 })), 1400);
    const mono = (from: number, to: number) =>
      share(batches.slice(from, to), (batch) => batch.mode === 'monolingual');
    expect(mono(0, 100)).toBeGreaterThan(0.85);
    expect(Math.abs(mono(400, 600) - 0.5)).toBeLessThan(0.12);
    expect(mono(1000, 1400)).toBe(0);
  });

  test('modeOf tells any batch without drawing it', () => {
    const sampler = new BatchSampler(set, options());
    const told = Array.from({ length: 50 }, (_, i) => sampler.modeOf(i));
    expect(draw(sampler, 50).map((batch) => batch.mode)).toEqual(told);
  });

  test('per-batch language pairs have one pair per batch, per-row ones several', () => {
    const modeAnd = (languagePair: 'per-row' | 'per-batch') =>
      draw(new BatchSampler(set, options({ mode: 'cross-lingual', languagePair })), 300);
    for (const batch of modeAnd('per-batch')) {
      checkBatch(batch, 8);
      expect(batch.queryLang).not.toBe(batch.passageLang);
      expect(batch.queryLang).toBeTypeOf('string');
    }
    expect(new Set(modeAnd('per-batch').map((batch) => `${batch.queryLang}>${batch.passageLang}`)).size).toBe(
      12,
    );
    expect(share(modeAnd('per-row'), (batch) => batch.queryLang === null)).toBeGreaterThan(0.95);
  });

  test('onlyPairs restricts cross-lingual batches', () => {
    const onlyPairs = [
      ['en', 'fi'],
      ['German', 'ar'],
    ] as const;
    for (const batch of draw(new BatchSampler(set, options({ mode: 'cross-lingual', onlyPairs })), 50)) {
      for (const { query, passage } of batch.pairs) {
        expect(['en>fi', 'de>ar']).toContain(`${query.lang}>${passage.lang}`);
      }
    }
  });
});

describe('languages, data sets and domains', () => {
  // 80 items have English, 20 of those Finnish too.
  const uneven = TrainingSet.from([
    ...parallel({ items: 20, langs: ['en', 'fi'] }),
    ...parallel({ items: 80, langs: ['en'] }),
  ]);

  test.each([
    ['uniform', 0.5],
    ['proportional', 0.2],
    [{ smoothed: 0.5 }, 1 / 3],
    [{ smoothed: 0 }, 0.5],
  ] as const)('languages %j give Finnish its share of monolingual batches', (languages, expected) => {
    const sampler = new BatchSampler(uneven, options({ mode: 'monolingual', batchSize: 2, languages }));
    const batches = draw(sampler, 2000);
    expect(Math.abs(share(batches, (batch) => batch.queryLang === 'fi') - expected)).toBeLessThan(0.04);
  });

  test('a language counts for what its data sets with a weight hold', () => {
    const set = TrainingSet.from([
      ...parallel({ items: 30, langs: ['en', 'fi'], dataset: 'kept' }),
      ...parallel({ items: 90, langs: ['en'], dataset: 'left out' }),
    ]);
    const datasets = { weights: { kept: 1, 'left out': 0 } };
    const only = options({ mode: 'monolingual', batchSize: 2, languages: 'proportional', datasets });
    const batches = draw(new BatchSampler(set, only), 2000);
    expect(Math.abs(share(batches, (batch) => batch.queryLang === 'fi') - 0.5)).toBeLessThan(0.04);
  });

  const sources = TrainingSet.from([
    ...parallel({ items: 100, langs: ['en', 'de'], dataset: 'big' }),
    ...parallel({ items: 25, langs: ['en', 'de'], dataset: 'small' }),
  ]);
  const smallShare = (more: Partial<SamplerOptions>) => {
    const batches = draw(new BatchSampler(sources, options({ batchSize: 4, ...more })), 1500);
    return share(
      batches.flatMap((batch) => batch.pairs),
      (pair) => pair.query.dataset === 'small',
    );
  };

  test.each([
    ['proportional', 0.2],
    [{ smoothed: 0.5 }, 1 / 3],
    [{ weights: { big: 1, small: 3 } }, 0.75],
    [{ weights: { big: 1, small: 0 } }, 0],
  ] as const)('data sets %j give the small one its share', (datasets, expected) => {
    expect(Math.abs(smallShare({ datasets }) - expected)).toBeLessThan(0.03);
    expect(Math.abs(smallShare({ datasets, homogeneousDataset: true }) - expected)).toBeLessThan(0.05);
  });

  test('homogeneousDataset draws each batch from one data set', () => {
    const batches = draw(new BatchSampler(sources, options({ homogeneousDataset: true })), 300);
    for (const batch of batches) checkBatch(batch, 8);
    expect(new Set(batches.map((batch) => batch.dataset))).toEqual(new Set(['big', 'small']));
    const mixed = draw(new BatchSampler(sources, options()), 300);
    expect(share(mixed, (batch) => batch.dataset === null)).toBeGreaterThan(0.5);
  });

  test('domains are weighted within their data set', () => {
    const set = TrainingSet.from([
      ...parallel({ items: 50, langs: ['en'], domain: 'law' }),
      ...parallel({ items: 50, langs: ['en'], domain: 'law', dataset: 'other' }),
      ...parallel({ items: 10, langs: ['en'], domain: 'art', dataset: 'third' }),
    ]);
    const domains = { weights: { law: 0, art: 1 } };
    const sampler = new BatchSampler(set, options({ mode: 'monolingual', batchSize: 4, domains }));
    for (const batch of draw(sampler, 20))
      for (const pair of batch.pairs) expect(pair.query.domain).toBe('art');
  });
});
