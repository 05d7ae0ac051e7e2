import { expect, test } from 'vitest';
import { Rest } from './waiting.js';

test('the first time there is no rest, then most of the shortest of the last four', () => {
  const rest = new Rest();
  expect(rest.ms).toBe(0);
  for (const [ms, expected] of [
    [100, 78],
    [200, 78],
    [50, 38],
    [300, 38],
    [400, 38],
    [500, 38],
    [600, 238],
  ] as const) {
    rest.took(ms);
    expect(rest.ms, `after ${ms} ms`).toBe(expected);
  }
});

test('what takes a few milliseconds is asked for at once', () => {
  const rest = new Rest();
  rest.took(3);
  expect(rest.ms).toBe(0);
});

test('a rest that was too long becomes shorter', () => {
  const rest = new Rest();
  rest.took(1000);
  for (let run = 0; run < 30; run++) rest.took(Math.max(rest.ms, 10));
  expect(rest.ms).toBeLessThanOrEqual(6);
});

test('the result is what was asked for after the rest', async () => {
  const rest = new Rest();
  const order: string[] = [];
  rest.took(20);
  const result = rest.until(async () => order.push('asked'));
  order.push('rests');
  await result;
  expect(order).toEqual(['rests', 'asked']);
  await expect(rest.until(() => Promise.reject(new Error('lost')))).rejects.toThrow('lost');
});
