import { expect, test } from 'vitest';
import { dropoutFactor, dropoutKey, pcgHash } from './dropout-mask.js';

/** The same hash in integers of unbounded size. */
function pcgByBigInt(value: number): number {
  const mask = 0xffff_ffffn;
  const state = (BigInt(value) * 747796405n + 2891336453n) & mask;
  const word = (((state >> ((state >> 28n) + 4n)) ^ state) * 277803737n) & mask;
  return Number((word >> 22n) ^ word);
}

test('the hash is that of 32-bit unsigned arithmetic', () => {
  for (const value of [0, 1, 2, 3, 77, 0x7fff_ffff, 0x8000_0000, 0xdead_beef, 0xffff_ffff]) {
    expect(pcgHash(value)).toBe(pcgByBigInt(value));
  }
  for (let value = 1; value < 2 ** 32; value = value * 3 + 1) expect(pcgHash(value)).toBe(pcgByBigInt(value));
});

test('a key depends on seed, site and row, each in its place', () => {
  const keys = [dropoutKey(1, 2, 3), dropoutKey(2, 1, 3), dropoutKey(1, 3, 2), dropoutKey(3, 2, 1)];
  expect(new Set(keys).size).toBe(4);
  for (const key of keys) expect(key >= 0 && key < 2 ** 32 && Number.isInteger(key)).toBe(true);
});

test('the factor is 0 below the threshold, else the scale', () => {
  const key = dropoutKey(5, 6, 7);
  const hash = pcgHash((key ^ 11) >>> 0);
  expect(dropoutFactor(key, 11, hash, 2)).toBe(2);
  expect(dropoutFactor(key, 11, hash + 1, 2)).toBe(0);
  expect(dropoutFactor(key, 11, 0, 2)).toBe(2);
});
