import { describe, expect, it } from 'vitest';
import { retrievalUse } from './retrieval-use.js';
import { expectModelError } from './test-support.js';

const unit = { mode: 'mean', normalize: true } as const;
const raw = { mode: 'mean', normalize: false } as const;

describe('retrievalUse', () => {
  it.each<[string, Record<string, string>, string, string]>([
    ['no prompts', {}, '', ''],
    ["sentence-transformers' names", { query: 'q: ', document: 'd: ' }, 'q: ', 'd: '],
    ['an older name', { query: 'q: ', passage: 'p: ' }, 'q: ', 'p: '],
    ['an older name, saved again by version 6', { query: '', document: '', passage: 'p: ' }, '', 'p: '],
    ['both', { document: 'd: ', passage: 'p: ', corpus: 'c: ' }, '', 'd: '],
    ['others', { clustering: 'x: ', corpus: 'c: ' }, '', 'c: '],
  ])('prompts: %s', (_, prompts, query, passage) => {
    expect(retrievalUse({ prompts, pooling: unit })).toEqual({ query, passage, normalize: false });
  });

  it.each([
    ['cosine of embeddings of any length', raw, 'cosine', true],
    ['nothing said', raw, undefined, true],
    ['dot product', raw, 'dot', false],
    ['cosine of unit vectors', unit, 'cosine', false],
    ['distance of unit vectors', unit, 'euclidean', false],
  ])('score: %s', (_, pooling, similarity, normalize) => {
    expect(retrievalUse({ pooling, ...(similarity && { similarity }) }).normalize).toBe(normalize);
  });

  it('refuses distances of embeddings of any length', () =>
    expectModelError(
      () => retrievalUse({ pooling: raw, similarity: 'euclidean' }, 'my-model'),
      'INPUT_CHECKPOINT',
      /^my-model: similarity_fn_name "euclidean"/,
    ));
});
