import { GpuError } from '@synglot/gpu';
import { describe, expect, test } from 'vitest';
import { type EncoderBatch, packBatch, sortRows } from './batch.js';
import type { EncoderConfig } from './config.js';

const config: EncoderConfig = {
  family: 'xlm-roberta',
  vocabularySize: 50,
  hiddenSize: 8,
  layers: 1,
  heads: 2,
  intermediateSize: 16,
  maxPositions: 6,
  typeVocabularySize: 2,
  layerNormEpsilon: 1e-5,
  hiddenDropout: 0,
  attentionDropout: 0,
  positionOffset: 2,
  initializerRange: 0.02,
};
const capacity = { tokens: 12, queries: 3, candidates: 4 };

/** Two queries of 2 and 1 tokens, three candidates of 3, 1 and 4. */
const batch: EncoderBatch = {
  ids: Uint32Array.of(7, 8, 9, 7, 49, 7, 0, 1, 2, 3, 8),
  cuSeqlens: Uint32Array.of(0, 2, 3, 6, 7, 11),
  queries: 2,
  candidates: 3,
  types: Uint32Array.of(0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0),
};

describe('packBatch', () => {
  const { feeds, counts } = packBatch(config, capacity, batch);

  test('tokens hold id, position from the offset on but for padding, type and slot', () => {
    const tokens = Array.from({ length: 11 }, (_, token) =>
      Array.from(feeds.tokens!.subarray(token * 4, token * 4 + 4)),
    );
    expect(tokens).toEqual([
      [7, 2, 0, 0],
      [8, 3, 1, 0],
      [9, 2, 0, 1],
      [7, 2, 0, 3],
      [49, 3, 0, 3],
      [7, 4, 1, 3],
      [0, 2, 1, 4],
      [1, 1, 0, 5],
      [2, 2, 0, 5],
      [3, 3, 0, 5],
      [8, 4, 0, 5],
    ]);
  });

  test("BERT's padding token has a position as any other", () => {
    const packed = packBatch({ ...config, family: 'bert', positionOffset: 0 }, capacity, batch);
    const positions = Array.from({ length: 4 }, (_, token) => packed.feeds.tokens![(7 + token) * 4 + 1]);
    expect(positions).toEqual([0, 1, 2, 3]);
  });

  test('candidates begin at a fixed slot; unused slots are empty', () => {
    expect(Array.from(feeds.slots!)).toEqual([0, 2, 2, 3, 0, 0, 3, 6, 6, 7, 7, 11, 0, 0]);
  });

  test('bounds give each token its own sequence', () => {
    expect(Array.from(feeds.bounds!)).toEqual([
      0, 2, 0, 2, 2, 3, 3, 6, 3, 6, 3, 6, 6, 7, 7, 11, 7, 11, 7, 11, 7, 11,
    ]);
  });

  test('counts and sorted ids agree', () => {
    expect(counts).toEqual({ tokens: 11, queries: 2, candidates: 3, distinctWords: 8, distinctPositions: 4 });
    expect(Array.from(feeds['word rows']!)).toEqual([0, 1, 2, 3, 7, 8, 9, 49]);
    expect(Array.from(feeds['word offsets']!)).toEqual([0, 1, 2, 3, 4, 7, 9, 10, 11]);
    expect(Array.from(feeds['word order']!)).toEqual([6, 7, 8, 9, 0, 3, 5, 1, 10, 2, 4]);
    expect(Array.from(feeds['position rows']!)).toEqual([1, 2, 3, 4]);
  });

  test('types default to 0', () => {
    const { types: _, ...plain } = batch;
    const tokens = packBatch(config, capacity, plain).feeds.tokens!;
    for (let token = 0; token < 11; token++) expect(tokens[token * 4 + 2]).toBe(0);
  });

  test('queries alone, as encoding has them', () => {
    const encode = { ...batch, queries: 5, candidates: 0 };
    const packed = packBatch(config, { tokens: 12, queries: 5, candidates: 0 }, encode);
    expect(packed.counts.candidates).toBe(0);
    expect(Array.from(packed.feeds.slots!)).toEqual([0, 2, 2, 3, 3, 6, 6, 7, 7, 11, 0, 0]);
  });

  test.each<[string, Partial<EncoderBatch>, RegExp]>([
    [
      'borders that do not end at the last token',
      { cuSeqlens: Uint32Array.of(0, 2, 3, 6, 7, 10) },
      /6 borders from 0 to 11/,
    ],
    ['borders that do not begin at 0', { cuSeqlens: Uint32Array.of(1, 2, 3, 6, 7, 11) }, /borders from 0/],
    ['too few borders', { cuSeqlens: Uint32Array.of(0, 2, 3, 6, 11) }, /expected 6 borders.*received 5/],
    [
      'an empty sequence',
      { cuSeqlens: Uint32Array.of(0, 2, 2, 6, 7, 11) },
      /sequence 1 has 0 tokens, expected 1 to 4/,
    ],
    [
      'borders that run backwards',
      { cuSeqlens: Uint32Array.of(0, 3, 2, 6, 7, 11) },
      /sequence 1 has -1 tokens/,
    ],
    [
      'a sequence longer than the positions',
      { cuSeqlens: Uint32Array.of(0, 1, 2, 3, 6, 11) },
      /sequence 4 has 5 tokens, expected 1 to 4/,
    ],
    ['more queries than the plan', { queries: 4, candidates: 1 }, /exceed the plan's 12, 3, 4/],
    [
      'an id outside the vocabulary',
      { ids: batch.ids.with(4, 50) },
      /token id 50 is outside the vocabulary of 50/,
    ],
    ['a type that the model lacks', { types: batch.types!.with(2, 2) }, /token type 2, but the model has 2/],
    ['a wrong number of types', { types: new Uint32Array(10) }, /expected 11 token types but received 10/],
  ])('%s is refused', (_, change, message) => {
    const pack = () => packBatch(config, capacity, { ...batch, ...change });
    expect(pack).toThrow(GpuError);
    expect(pack).toThrow(message);
  });

  test('more tokens than the plan is refused', () => {
    expect(() => packBatch(config, { ...capacity, tokens: 10 }, batch)).toThrow(
      /11 tokens.*exceed the plan's 10/,
    );
  });
});

describe('sortRows', () => {
  test('groups equal values, in order of value, then of index', () => {
    let state = 1;
    const next = () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state;
    };
    // Small values, and such as have two and three digits of the sort, many of them alike but for one digit.
    const limits = [(length: number) => length + 3, () => 2 ** 18, () => 2 ** 32];
    for (let round = 0; round < 120; round++) {
      const length = round % 40;
      const limit = limits[Math.floor(round / 40)]!(length);
      const drawn = Array.from({ length }, () => next() % limit);
      const values = Uint32Array.from(
        drawn,
        (value, index) => (index % 3 === 0 ? drawn[0]! : value) & ~(7 << 11),
      );
      const { rows, offsets, order } = sortRows(values);
      expect(Array.from(order).sort((a, b) => a - b)).toEqual(Array.from(values, (_, index) => index));
      expect(Array.from(rows)).toEqual([...new Set(values)].sort((a, b) => a - b));
      expect(offsets.length).toBe(rows.length + 1);
      rows.forEach((row, index) => {
        const members = Array.from(order.subarray(offsets[index], offsets[index + 1]));
        const expected = Array.from(values.keys()).filter((entry) => values[entry] === row);
        expect(members).toEqual(expected);
      });
    }
  });

  test('ids far beyond any vocabulary keep their value and index', () => {
    const last = 2 ** 29 - 1;
    const { rows, order } = sortRows(Uint32Array.of(last, 0, last - 1, last));
    expect(Array.from(rows)).toEqual([0, last - 1, last]);
    expect(Array.from(order)).toEqual([1, 2, 0, 3]);
  });
});
