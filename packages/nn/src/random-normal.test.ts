import { expect, test } from 'vitest';
import { fillNormal, normalStream, uniformStream } from './random-normal.js';

/** The first place where bits differ, or -1. */
function firstDifference(actual: Float32Array, expected: Float32Array): number {
  const [one, other] = [new Uint32Array(actual.buffer), new Uint32Array(expected.buffer)];
  return one.findIndex((bits, index) => bits !== other[index]);
}

test.each([0.02, 1, 3e-5, 1e10, 1e-30, 0])('filled, scaled by %f: the bits of the stream', (scale) => {
  // An odd number: the sine of the last pair is never used.
  const columns = 401;
  for (let row = 0; row < 500; row++) {
    const [seed, expected] = [row * 7919, new Float32Array(columns)];
    const random = normalStream(seed, row);
    for (let i = 0; i < columns; i++) expected[i] = random() * scale;
    const actual = new Float32Array(columns);
    fillNormal(actual, 0, columns, seed, row, scale);
    const at = firstDifference(actual, expected);
    expect([row, at, actual[at]]).toEqual([row, -1, expected[at]]);
  }
});

test('fills what it is told to, and nothing else', () => {
  const whole = new Float32Array(9).fill(7);
  fillNormal(whole, 2, 7, 3, 4, 0.5);
  const part = new Float32Array(5);
  fillNormal(part, 0, 5, 3, 4, 0.5);
  expect([...whole]).toEqual([7, 7, ...part, 7, 7]);
  fillNormal(whole, 4, 4, 3, 4, 0.5);
  expect([...whole]).toEqual([7, 7, ...part, 7, 7]);
});

test('a seed and a row give these numbers, whatever becomes of the code', () => {
  const values = new Float32Array(6);
  fillNormal(values, 0, 6, 1, 2, 1);
  expect([...values]).toEqual([
    0.5681578516960144, -0.8943509459495544, 0.11371111869812012, -0.22780315577983856, 0.20948797464370728,
    -0.07447685301303864,
  ]);
  const uniform = uniformStream(1, 2);
  expect([uniform(), uniform()]).toEqual([0.42955213226377964, 0.8400742555968463]);
});

test('a radius of 0: zeros with the signs of the stream', () => {
  // The row whose first uniform number is 0.
  const row = 3_302_029_379;
  expect(uniformStream(0, row)()).toBe(0);
  const random = normalStream(0, row);
  const expected = Float32Array.of(random(), random(), random());
  expect(expected[0]).toBeCloseTo(0, 30);
  const actual = new Float32Array(3);
  fillNormal(actual, 0, 3, 0, row, 1);
  expect(firstDifference(actual, expected)).toBe(-1);
});
