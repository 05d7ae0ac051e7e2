import { expect, test } from 'vitest';
import { derivedConstants, evaluate } from './constants.js';

test('arithmetic as WGSL has it for whole numbers', () => {
  const values = { A: 7, B: 2 };
  expect(evaluate('A / B * 3u + 1u', values)).toBe(10);
  expect(evaluate('(A + B - 1u) / B', values)).toBe(4);
  expect(evaluate('A % B - 1u', values)).toBe(0);
  expect(evaluate('2u * (A - (B + 1u))', values)).toBe(8);
});

test.each(['C', '1.5', 'A < B', 'vec2<u32>(A)', '(A', 'A B', 'A / 0u', 'A -', ''])(
  '%j is none of it',
  (text) => {
    expect(evaluate(text, { A: 7, B: 2 })).toBeUndefined();
  },
);

test('a declaration may use those before it; what is no whole number is passed by', () => {
  const text = [
    'const TILE: u32 = 4u * BLOCKS;',
    'const SCALE: f32 = 0.5;',
    'const HALF = TILE / 2u;',
    '  const INNER: u32 = 9u;',
    'const ODD: u32 = select(1u, 2u, BLOCKS == 3u);',
  ].join('\n');
  expect(derivedConstants(text, { BLOCKS: 3 })).toEqual({ BLOCKS: 3, TILE: 12, HALF: 6 });
});
