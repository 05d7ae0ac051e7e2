/** Domains in two stages, with and without replay; weights that change; batches of one domain. */
import { describe, expect, test } from 'vitest';
import type { Pair, Row } from '../rows.js';
import { TrainingSet } from '../training-set.js';
import type { SamplerOptions } from './options.js';
import { BatchSampler } from './sampler.js';

function pairs(domain: string, langs: readonly string[], count: number): Pair[] {
  return Array.from({ length: count }, (_, i) =>
    langs.map((lang): Pair => {
      const row = (text: string): Row => ({
        id: `${i}`,
        text: `${text} ${domain} ${lang} ${i}`,
        lang,
        parallelId: `${i}`,
        dataset: domain,
        domain,
      });
      return { query: row('q'), passage: row('p'), negatives: [] };
    }),
  ).flat();
}
/** General data in two languages and a domain in one of them. */
const set = TrainingSet.from([...pairs('general', ['en', 'fi'], 80), ...pairs('science', ['en'], 60)]);
const base: SamplerOptions = { batchSize: 10, seed: 2, mode: 'monolingual', homogeneousDomain: true };
/** Step 0 to 39 general alone, from step 40 on with a quarter of it. */
const stages = {
  weights: [
    [0, { general: 1, science: 0 }],
    [39, { general: 1, science: 0 }],
    [40, { general: 0.25, science: 0.75 }],
  ],
} as const;
const domainsOf = (sampler: BatchSampler, steps: number) =>
  Array.from({ length: steps }, () => sampler.next().pairs.map(({ query }) => query.domain));

describe('two stages', () => {
  test('the second begins at its step and replays as much as it says', () => {
    const batches = domainsOf(new BatchSampler(set, { ...base, domains: stages }), 840);
    expect(batches.every((domains) => new Set(domains).size === 1)).toBe(true);
    expect(batches.slice(0, 40).every(([domain]) => domain === 'general')).toBe(true);
    const replayed = batches.slice(40).filter(([domain]) => domain === 'general').length / 800;
    // Four standard deviations of 800 draws at 0.25; the languages of the domains do not matter.
    expect(Math.abs(replayed - 0.25)).toBeLessThan(0.062);
  });

  test('resumed on either side of the border and at it, draws the same', () => {
    const whole = domainsOf(new BatchSampler(set, { ...base, domains: stages }), 60);
    for (const stop of [10, 39, 40, 41, 55]) {
      const sampler = new BatchSampler(set, { ...base, domains: stages });
      for (let step = 0; step < stop; step++) sampler.next();
      const resumed = new BatchSampler(set, { ...base, domains: stages });
      resumed.restore(JSON.parse(JSON.stringify(sampler.state())));
      expect(domainsOf(resumed, 60 - stop)).toEqual(whole.slice(stop));
    }
  });

  test('in batches that mix domains, languages and data sets are drawn before them', () => {
    const domains = domainsOf(
      new BatchSampler(set, { ...base, homogeneousDomain: false, domains: stages }),
      440,
    );
    const [first, second] = [domains.slice(0, 40).flat(), domains.slice(40).flat()];
    expect(first.every((domain) => domain === 'general')).toBe(true);
    // Half of the batches are Finnish; of the English pairs 60 of 140 are of the other data set.
    const science = second.filter((domain) => domain === 'science').length / second.length;
    expect(Math.abs(science - 0.5 * (60 / 140))).toBeLessThan(0.1);
  });

  test('a mode that a stage cannot draw is refused before the first step', () => {
    const domains = {
      weights: [
        [0, { general: 1, science: 0 }],
        [9, { general: 0, science: 1 }],
      ],
    } as const;
    expect(() => new BatchSampler(set, { ...base, mode: 'cross-lingual', domains })).toThrow(
      /no cross-lingual batch can be drawn/,
    );
  });
});

test('what meets only between two steps is looked at before the first', () => {
  // Data set general goes as domain science comes: of general science there are two pairs.
  const few = pairs('general', ['en'], 2).map(({ query, passage, negatives }) => {
    const moved = (row: Row) => ({
      ...row,
      parallelId: `s${row.id}`,
      text: `s ${row.text}`,
      domain: 'science',
    });
    return { query: moved(query), passage: moved(passage), negatives };
  });
  const whole = TrainingSet.from([...pairs('general', ['en'], 80), ...pairs('science', ['en'], 60), ...few]);
  const weights = [
    [0, { general: 1, science: 0 }],
    [10, { general: 0, science: 1 }],
  ] as const;
  const options = { ...base, homogeneousDataset: true, datasets: { weights }, domains: { weights } };
  expect(() => new BatchSampler(whole, options)).toThrow(
    /domain 'science', data set 'general'.* has 2 pairs/,
  );
});

test('weights between two steps go in a line', () => {
  const domains = {
    weights: [
      [0, { general: 1, science: 0 }],
      [1000, { general: 0, science: 3 }],
    ],
  } as const;
  const batches = domainsOf(new BatchSampler(set, { ...base, domains }), 1200);
  const share = (from: number, to: number) =>
    batches.slice(from, to).filter(([domain]) => domain === 'science').length / (to - from);
  for (const [from, to, expected] of [
    [0, 200, 0.1],
    [400, 600, 0.5],
    [800, 1000, 0.9],
  ] as const)
    expect(Math.abs(share(from, to) - expected)).toBeLessThan(0.15);
  expect(share(1000, 1200)).toBe(1);
});

test('constant weights draw what they drew before', () => {
  const constant = { weights: { general: 1, science: 2 } };
  const knots = { weights: [[0, { general: 1, science: 2 }]] } as const;
  expect(domainsOf(new BatchSampler(set, { ...base, domains: knots }), 30)).toEqual(
    domainsOf(new BatchSampler(set, { ...base, domains: constant }), 30),
  );
});

test.each([
  [
    [
      [0, { general: 1, science: 0 }],
      [0, { general: 1, science: 1 }],
    ],
    /rising steps/,
  ],
  [
    [
      [0, { general: 1, science: 1 }],
      [5, { general: 1 }],
    ],
    /'science' has no weight/,
  ],
  [
    [
      [0, { general: 1, science: 1 }],
      [5, { general: 1, scince: 1 }],
    ],
    /'scince' \(did you mean 'science'\?\)/,
  ],
  [[[0, { general: 0, science: 0 }]], /one of them above 0/],
] as const)('%j is refused', (weights, message) => {
  const attempt = () => new BatchSampler(set, { ...base, domains: { weights: weights as never } });
  expect(attempt).toThrow(message);
  expect(attempt).toThrow(expect.objectContaining({ code: 'INPUT_OPTION' }));
});
