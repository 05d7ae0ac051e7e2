import { describe, expect, test } from 'vitest';
import { normaliseText } from '../hash.js';
import type { Pair, Row } from '../rows.js';
import { TrainingSet } from '../training-set.js';
import type { BatchMode, SamplerOptions } from './options.js';
import { type Batch, BatchSampler } from './sampler.js';

interface Sizes {
  readonly items: number;
  readonly langs: readonly string[];
  readonly dataset?: string;
  readonly domain?: string;
  /** Questions on each passage. Default 1. */
  readonly perPassage?: number;
}

/** Synthetic parallel data: item `i` in every language. */
function parallel({ items, langs, dataset = 'd', domain = 'm', perPassage = 1 }: Sizes): Pair[] {
  return Array.from({ length: items }, (_, i) => i).flatMap((i) =>
    langs.map((lang) => {
      const p = Math.floor(i / perPassage);
      const common = { lang, dataset, domain };
      return {
        query: {
          ...common,
          id: `q${i}/${lang}`,
          parallelId: `q${i}`,
          text: `${dataset} question ${i} ${lang}`,
        },
        passage: {
          ...common,
          id: `p${p}/${lang}`,
          parallelId: `p${p}`,
          text: `${dataset} passage ${p} ${lang}`,
        },
        negatives: [],
      };
    }),
  );
}

const langs = ['en', 'de', 'fi', 'ar'];
const options = (more: Partial<SamplerOptions> = {}): SamplerOptions => ({
  batchSize: 8,
  seed: 11,
  mode: 'hybrid',
  ...more,
});
const draw = (sampler: BatchSampler, count: number): Batch[] =>
  Array.from({ length: count }, () => sampler.next());
const share = <T>(values: readonly T[], holds: (value: T) => boolean) =>
  values.filter(holds).length / values.length;
const keyOf = (row: Row) => `${row.dataset}/${row.parallelId}`;

/** Throws unless a batch keeps every rule of its mode and of uniqueness. */
function checkBatch(batch: Batch, size: number): void {
  expect(batch.pairs).toHaveLength(size);
  const distinct = (values: string[]) => expect(new Set(values).size).toBe(values.length);
  distinct(batch.pairs.map((pair) => keyOf(pair.query)));
  distinct(batch.pairs.map((pair) => normaliseText(pair.query.text)));
  const candidates = batch.pairs.flatMap((pair) => [pair.passage, ...pair.negatives]);
  distinct(candidates.map(keyOf));
  distinct(candidates.map((row) => normaliseText(row.text)));
  for (const { query, passage } of batch.pairs) {
    if (batch.mode === 'monolingual')
      expect([query.lang, passage.lang]).toEqual([batch.queryLang, batch.queryLang]);
    if (batch.mode === 'cross-lingual') expect(query.lang).not.toBe(passage.lang);
  }
}

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

  test('per-batch language pairs have one pair a batch, per-row ones several', () => {
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

describe('uniqueness and coverage', () => {
  test('an epoch meets every item once', () => {
    const set = TrainingSet.from(parallel({ items: 40, langs: ['en'] }));
    const sampler = new BatchSampler(set, options({ mode: 'monolingual' }));
    for (let epoch = 0; epoch < 3; epoch++) {
      const seen = draw(sampler, 5).flatMap((batch) => batch.pairs.map((pair) => pair.query.parallelId));
      expect(new Set(seen).size).toBe(40);
    }
  });

  test('questions that share a passage are spread over batches, and none is lost', () => {
    const set = TrainingSet.from(parallel({ items: 120, langs: ['en'], perPassage: 6 }));
    const sampler = new BatchSampler(set, options({ mode: 'monolingual', batchSize: 10 }));
    const counts = new Map<string, number>();
    for (const batch of draw(sampler, 120)) {
      checkBatch(batch, 10);
      for (const { query } of batch.pairs)
        counts.set(query.parallelId, (counts.get(query.parallelId) ?? 0) + 1);
    }
    // 1200 draws of 120 questions: ten each, but for those that wait at the end.
    expect(counts.size).toBe(120);
    expect(Math.min(...counts.values())).toBeGreaterThanOrEqual(7);
    expect(Math.max(...counts.values())).toBeLessThanOrEqual(12);
    expect(sampler.passedOver).toBe(0);
  });

  test('a small data set wraps into its next epoch beside a big one', () => {
    const set = TrainingSet.from([
      ...parallel({ items: 500, langs: ['en'], dataset: 'big' }),
      ...parallel({ items: 5, langs: ['en'], dataset: 'small' }),
    ]);
    const datasets = { weights: { big: 1, small: 1 } };
    const sampler = new BatchSampler(set, options({ mode: 'monolingual', datasets, batchSize: 16 }));
    const batches = draw(sampler, 50);
    for (const batch of batches) checkBatch(batch, 16);
    // The weights ask for 8 of 16, the five items there are all come instead.
    expect(
      share(batches, (batch) => batch.pairs.filter((pair) => pair.query.dataset === 'small').length === 5),
    ).toBeGreaterThan(0.6);
  });

  test('the same text under other ids, and translations, do not meet in a batch', () => {
    const pairs = parallel({ items: 30, langs: ['en', 'de'] }).map((pair, i) => ({
      ...pair,
      passage: i % 4 === 0 ? { ...pair.passage, text: 'See the  Manual.' } : pair.passage,
      query: i % 6 === 0 ? { ...pair.query, text: 'Why?' } : pair.query,
    }));
    for (const batch of draw(
      new BatchSampler(TrainingSet.from(pairs), options({ mode: 'multilingual' })),
      200,
    )) {
      checkBatch(batch, 8);
    }
  });

  test('a passage that also answers another question of the batch does not come with it', () => {
    const row = (kind: string, i: number): Row => ({
      id: `${kind}${i}`,
      parallelId: `${kind}${i}`,
      text: `${kind} ${i}`,
      lang: 'en',
      dataset: 'd',
      domain: 'm',
    });
    const pairs = Array.from({ length: 12 }, (_, i) => i).flatMap((i) => [
      { query: row('q', i), passage: row('p', i), negatives: [row('p', (i + 1) % 12), row('n', i % 3)] },
      { query: row('q', i), passage: row('p', (i + 6) % 12), negatives: [] },
    ]);
    let negatives = 0;
    for (const batch of draw(
      new BatchSampler(TrainingSet.from(pairs), options({ mode: 'monolingual', batchSize: 4 })),
      300,
    )) {
      checkBatch(batch, 4);
      for (const { query } of batch.pairs) {
        const i = Number(query.parallelId.slice(1));
        const answers = [`p${i}`, `p${(i + 6) % 12}`];
        const there = batch.pairs.flatMap((pair) =>
          [pair.passage, ...pair.negatives].map((one) => one.parallelId),
        );
        expect(there.filter((id) => answers.includes(id))).toHaveLength(1);
      }
      negatives += batch.pairs.flatMap((pair) => pair.negatives).length;
    }
    expect(negatives).toBeGreaterThan(300);
  });

  test.each<BatchMode>(['monolingual', 'cross-lingual', 'multilingual'])(
    'a %s batch can be as large as the data, again and again',
    (mode) => {
      const set = TrainingSet.from(parallel({ items: 40, langs: ['en', 'fi'], perPassage: 2 }));
      const sampler = new BatchSampler(set, options({ mode, batchSize: 20 }));
      for (const batch of draw(sampler, 100)) checkBatch(batch, 20);
    },
  );

  test('a pair that blocks all others is given back', () => {
    const row = (id: string): Row => ({
      id,
      parallelId: id,
      text: id,
      lang: 'en',
      dataset: 'd',
      domain: 'm',
    });
    // Question c has both passages, so that a batch of two can only be a with pa and b with pb.
    const pairs = [
      ['a', 'pa'],
      ['b', 'pb'],
      ['c', 'pa'],
      ['c', 'pb'],
    ].map(([query, passage]) => ({ query: row(query!), passage: row(passage!), negatives: [] }));
    const sampler = new BatchSampler(TrainingSet.from(pairs), options({ mode: 'monolingual', batchSize: 2 }));
    for (const batch of draw(sampler, 100)) {
      expect(batch.pairs.map((pair) => pair.query.id).sort()).toEqual(['a', 'b']);
    }
  });

  test('negatives come in the language of the passage, and as many as asked', () => {
    const pairs = parallel({ items: 20, langs: ['en', 'fi'] }).map((pair, i) => ({
      ...pair,
      negatives: ['x', 'y', 'z'].map((kind) => ({
        ...pair.passage,
        id: `${kind}${i}`,
        parallelId: `${kind}${Math.floor(i / 2)}`,
        text: `${kind} ${i}`,
      })),
    }));
    const set = TrainingSet.from(pairs);
    const kinds = new Set<string>();
    for (const batch of draw(new BatchSampler(set, options({ negatives: 2 })), 60)) {
      checkBatch(batch, 8);
      for (const { passage, negatives } of batch.pairs) {
        expect(negatives).toHaveLength(2);
        for (const negative of negatives) {
          expect(negative.lang).toBe(passage.lang);
          kinds.add(negative.parallelId[0]!);
        }
      }
    }
    expect([...kinds].sort()).toEqual(['x', 'y', 'z']);
    expect(new BatchSampler(set, options()).next().pairs[0]!.negatives).toHaveLength(3);
    expect(new BatchSampler(set, options({ negatives: 0 })).next().pairs[0]!.negatives).toHaveLength(0);
  });

  test('margins stay with their negatives, whichever are drawn; mined negatives have none', () => {
    const marginOf = (kind: string) => 'xyz'.indexOf(kind) + 0.5;
    const pairs = parallel({ items: 20, langs: ['en', 'fi'] }).map((pair, i) => ({
      ...pair,
      negatives: [...'xyz'].map((kind) => ({
        ...pair.passage,
        parallelId: `${kind}${Math.floor(i / 2)}`,
        text: `${kind} ${i}`,
      })),
      margins: [...'xyz'].map(marginOf),
    }));
    const set = TrainingSet.from(pairs);
    const sampler = new BatchSampler(set, options({ negatives: 2 }));
    const orders = new Set<string>();
    for (const { pairs: drawn } of draw(sampler, 20)) {
      for (const { negatives, margins } of drawn) {
        expect(margins).toEqual(negatives.map(({ parallelId }) => marginOf(parallelId[0]!)));
        orders.add(String(margins));
      }
    }
    expect(orders.size).toBe(6);
    sampler.setNegatives(new Map(set.items.map((item, i) => [i, item.negatives])));
    expect(sampler.next().pairs[0]).not.toHaveProperty('margins');
  });
});

describe('state', () => {
  const pairs = parallel({ items: 90, langs, perPassage: 3 });
  const set = TrainingSet.from(pairs);
  const same = options({ alpha: 0.4, languages: { smoothed: 0.7 } });

  test.each([0, 1, 7, 40, 300])('resuming after %i batches goes on exactly', (steps) => {
    const unbroken = new BatchSampler(set, same);
    draw(unbroken, steps);
    const state: unknown = JSON.parse(JSON.stringify(unbroken.state()));
    const expected = draw(unbroken, 40);
    const resumed = new BatchSampler(TrainingSet.from(pairs), same);
    draw(resumed, 3);
    resumed.restore(state);
    expect(resumed.step).toBe(steps);
    expect(draw(resumed, 40)).toEqual(expected);
  });

  test('does not grow with the steps', () => {
    const sampler = new BatchSampler(set, same);
    draw(sampler, 200);
    const early = JSON.stringify(sampler.state()).length;
    draw(sampler, 2000);
    expect(JSON.stringify(sampler.state()).length).toBeLessThan(early * 1.3);
  });

  test('another seed draws other batches', () => {
    const ids = (seed: number) =>
      draw(new BatchSampler(set, { ...same, seed }), 5).flatMap((batch) =>
        batch.pairs.map((pair) => pair.query.id),
      );
    expect(ids(1)).toEqual(ids(1));
    expect(ids(1)).not.toEqual(ids(2));
  });

  test.each([
    ['other data', new BatchSampler(TrainingSet.from(pairs.slice(4)), same), 'other training data'],
    ['other options', new BatchSampler(set, { ...same, batchSize: 9 }), 'other sampler options'],
    ['another seed', new BatchSampler(set, { ...same, seed: 12 }), 'another seed'],
  ])('a state of %s is refused', (_, other, message) => {
    const sampler = new BatchSampler(set, same);
    draw(sampler, 3);
    expect(() => sampler.restore(other.state())).toThrow(message);
    expect(() => sampler.restore(other.state())).toThrow(expect.objectContaining({ code: 'INPUT_STATE' }));
    expect(sampler.step).toBe(3);
  });

  test('a damaged state is refused', () => {
    const sampler = new BatchSampler(set, same);
    draw(sampler, 3);
    const state = sampler.state();
    const [index, epoch, , passedOver] = state.strata[0]!;
    const refused = (damaged: unknown) =>
      expect(() => sampler.restore(damaged)).toThrow(expect.objectContaining({ code: 'INPUT_STATE' }));
    refused(null);
    refused({ ...state, version: 2 });
    refused({ ...state, step: -1 });
    refused({ ...state, strata: [[index, epoch, 1e6, passedOver]] });
    refused({ ...state, strata: [[index, epoch, 0, passedOver, 1e6]] });
    refused({ ...state, strata: [[1e6, 0, 0, 0]] });
    refused({ ...state, strata: [[index, epoch]] });
    refused({ ...state, strata: {} });
    expect(sampler.state()).toEqual(state);
  });
});

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
      "a monolingual batch of 25 is larger than the data: language 'fi' has 20 pairs but only 20 distinct items (each question, passage and text counts once); use a batch size of at most 20, leave it out of the data, or set `onTooFew: 'leave-out'` to skip all that are too small",
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
      'the whole training set has 40 pairs but only 20 distinct items',
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
      'no cross-lingual batch can be drawn: no question has a passage in another language (languages: en); give translations the same parallel_id, add a second language, or use monolingual batches',
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
