/** What a batch never holds twice, what an epoch holds, and which negatives come along. */
import { describe, expect, test } from 'vitest';
import type { Row } from '../rows.js';
import { TrainingSet } from '../training-set.js';
import type { BatchMode } from './options.js';
import { BatchSampler } from './sampler.js';
import { checkBatch, draw, options, parallel, share } from './test-support.js';

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

  test('a negative comes once, also under another id', () => {
    const pairs = parallel({ items: 20, langs: ['en'] }).map((pair, i) => ({
      ...pair,
      negatives: [{ ...pair.passage, id: `n${i}`, parallelId: `n${i}`, text: `Hard ${i % 2}` }],
    }));
    const batches = draw(new BatchSampler(TrainingSet.from(pairs), options({ mode: 'monolingual' })), 20);
    for (const batch of batches) checkBatch(batch, 8);
    expect(batches.flatMap((batch) => batch.pairs.flatMap(({ negatives }) => negatives)).length).toBe(40);
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
