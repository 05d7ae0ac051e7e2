import { expect, test } from 'vitest';
import { packHalf, stored, unpackHalf } from './half.js';
import { bitsOf, poison, poisonBits } from './kernel-harness.js';

test('every finite float16 survives unpacking and packing', () => {
  const all = Uint16Array.from({ length: 65536 }, (_, half) => half).filter(
    (half) => (half & 0x7c00) !== 0x7c00,
  );
  expect(packHalf(unpackHalf(all, all.length))).toEqual(all);
});

test('rounding is to nearest, ties to even, through subnormals to infinity', () => {
  const values = Float32Array.of(
    1 + 2 ** -11,
    1 + 3 * 2 ** -11,
    2047.5,
    65519,
    65520,
    2 ** -25,
    1.5 * 2 ** -24,
    -(2 ** -26),
  );
  expect([...stored(values, 'f16')]).toEqual([1, 1 + 2 ** -9, 2048, 65504, Infinity, 0, 2 ** -23, -0]);
});

test('poison stays poison, and odd counts are padded', () => {
  expect(packHalf(poison(3)).length).toBe(4);
  expect([...bitsOf(unpackHalf(packHalf(poison(3)), 3))]).toEqual([poisonBits, poisonBits, poisonBits]);
});
