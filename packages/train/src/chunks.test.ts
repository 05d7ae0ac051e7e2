import { expect, test } from 'vitest';
import { cutChunks } from './chunks.js';
import { TrainError } from './errors.js';

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
