/** What the sampler's tests share: parallel data that is made up, and the rules that every batch keeps. */
import { expect } from 'vitest';
import { normaliseText } from '../hash.js';
import type { Pair, Row } from '../rows.js';
import type { SamplerOptions } from './options.js';
import type { Batch, BatchSampler } from './sampler.js';

interface Sizes {
  readonly items: number;
  readonly langs: readonly string[];
  readonly dataset?: string;
  readonly domain?: string;
  /** Questions on each passage. Default 1. */
  readonly perPassage?: number;
}

/** Synthetic parallel data: item `i` in every language. */
export function parallel({ items, langs, dataset = 'd', domain = 'm', perPassage = 1 }: Sizes): Pair[] {
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

export const langs = ['en', 'de', 'fi', 'ar'];
export const options = (more: Partial<SamplerOptions> = {}): SamplerOptions => ({
  batchSize: 8,
  seed: 11,
  mode: 'hybrid',
  ...more,
});
export const draw = (sampler: BatchSampler, count: number): Batch[] =>
  Array.from({ length: count }, () => sampler.next());
export const share = <T>(values: readonly T[], holds: (value: T) => boolean) =>
  values.filter(holds).length / values.length;
const keyOf = (row: Row) => `${row.dataset}/${row.parallelId}`;

/** Throws unless a batch keeps every rule of its mode and of uniqueness. */
export function checkBatch(batch: Batch, size: number): void {
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
