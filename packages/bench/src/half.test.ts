import { expect, test } from 'vitest';
import { fromElement, toElement } from './half.js';

test('multiples of 1/64 go to half precision and back', () => {
  const values = Float32Array.from({ length: 129 }, (_, index) => (index - 64) / 64);
  const stored = toElement(values, 'f16');
  expect(fromElement(stored.buffer as ArrayBuffer, 'f16')).toEqual(values);
  // 1, -1 and 0.5 by IEEE 754.
  expect([...toElement(Float32Array.of(1, -1, 0.5, 0), 'f16')]).toEqual([0x3c00, 0xbc00, 0x3800, 0]);
});

test('what half precision lacks is refused, what it has beyond normal numbers is read', () => {
  for (const value of [1 / 3, 1e6, 1e-7])
    expect(() => toElement(Float32Array.of(value), 'f16')).toThrow(RangeError);
  const read = (...bits: number[]) => [...fromElement(Uint16Array.from(bits).buffer, 'f16')];
  expect(read(0x7c00, 0xfc00, 0x0001)).toEqual([
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    2 ** -24,
  ]);
  expect(read(0x7e00)[0]).toBeNaN();
});
