import { contrastive } from '@synglot/nn';
import { expect, test } from 'vitest';
import { TrainError } from './errors.js';
import { cutChunks, GradientCache, type GradientCacheOptions } from './gradient-cache.js';

const borders = Uint32Array.of(0, 3, 5, 10, 11, 15);
const cut = (tokens: number, sequences: number) =>
  [...cutChunks(borders, tokens, sequences)].map(({ begin, end }) => [begin, end]);

test('a chunk takes what fits the budget, in order', () => {
  expect(cut(100, 100)).toEqual([[0, 5]]);
  expect(cut(15, 5)).toEqual([[0, 5]]);
  expect(cut(10, 100)).toEqual([
    [0, 3],
    [3, 5],
  ]);
  expect(cut(5, 100)).toEqual([
    [0, 2],
    [2, 3],
    [3, 5],
  ]);
});

test('a chunk takes no more sequences than it may', () => {
  expect(cut(100, 2)).toEqual([
    [0, 2],
    [2, 4],
    [4, 5],
  ]);
});

test('a sequence beyond the budget is a mistake that names the key', () => {
  expect(() => cut(4, 100)).toThrow(TrainError);
  expect(() => cut(4, 100)).toThrow(/cache_tokens 4: .* has 5 tokens; raise it/);
});

test("an objective that needs the whole batch is the configuration's mistake", () => {
  const { tiles: _, ...whole } = contrastive({ temperature: 0.1, direction: 'both' });
  const objectives = [{ ...whole, name: 'matching' }];
  const options = { config: { hiddenSize: 8 }, pooling: {}, cacheTokens: 64, objectives };
  expect(() => new GradientCache(options as unknown as GradientCacheOptions)).toThrow(
    /training\.cache_tokens: .*matching.*; leave cache_tokens out/,
  );
});
