import { expect, test } from 'vitest';
import { cell, clip, decimal, extent, languageName } from './format.js';

test('numbers have fixed digits, missing ones a dash', () => {
  expect([decimal(0.5), decimal(286.62, 1), decimal(null), decimal(undefined)]).toEqual([
    '0.5000',
    '286.6',
    '–',
    '–',
  ]);
  expect([0.8124, 1, 0, -0.04, -0.0001, -1, null].map(cell)).toEqual([
    '.812',
    '1.00',
    '.000',
    '-.040',
    '.000',
    '-1.00',
    '–',
  ]);
});

test('a half is rounded as in the tables of synglot eval', () => {
  expect([decimal(0.03125), cell(0.0625), decimal(-1e-9)]).toEqual(['0.0312', '.062', '0.0000']);
});

test('text is cut by letters, not by code units', () => {
  expect(clip('abcdef', 6)).toBe('abcdef');
  expect(clip('𝒜𝒝𝒞𝒟', 3)).toBe('𝒜𝒝…');
});

test('names of languages; what is no code stays as it is', () => {
  expect([languageName('de'), languageName('zh'), languageName('<b>')]).toEqual(['German', 'Chinese', '<b>']);
});

test('extent leaves out what is missing', () => {
  expect(extent([null, 3, undefined, -1])).toEqual([-1, 3]);
  expect(extent([null])).toBeUndefined();
});
