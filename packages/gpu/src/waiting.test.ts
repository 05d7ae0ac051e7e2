import { expect, test } from 'vitest';
import { Rest } from './waiting.js';

/** The rest after a run that is not counted, one without a rest and one with it, which took so long. */
function after(ms: number): Rest {
  const rest = new Rest();
  expect(rest.ms).toBe(0);
  rest.took(0, 10 * ms);
  expect(rest.ms).toBe(0);
  rest.took(0, ms);
  expect(rest.ms).toBe(Math.max(0, ms / 2 - 2));
  rest.took(rest.ms, ms - rest.ms);
  return rest;
}

test('most of what the last run took, rest included; the first of all is not counted', () => {
  const rest = after(100);
  expect(rest.ms).toBe(78);
  rest.took(78, 22);
  expect(rest.ms).toBe(78);
  rest.took(78, 122);
  expect(rest.ms).toBe(158);
});

test('what takes a few milliseconds is asked for at once', () => {
  expect(after(4).ms).toBe(0);
});

test.each([10, 90, 300, 790])('what took 1000 ms and now takes %i is soon waited for no longer', (now) => {
  const rest = after(1000);
  const late: boolean[] = [];
  for (let run = 0; run < 12; run++) {
    const { ms } = rest;
    late.push(ms > now);
    rest.took(ms, Math.max(0.5, now - ms));
  }
  expect(late[0]).toBe(true);
  expect(late.slice(8)).toEqual([false, false, false, false]);
});

test('the result is what was asked for after the rest', async () => {
  const rest = after(20);
  const order: string[] = [];
  const result = rest.until(async () => order.push('asked'));
  order.push('rests');
  await result;
  expect(order).toEqual(['rests', 'asked']);
  await expect(rest.until(() => Promise.reject(new Error('lost')))).rejects.toThrow('lost');
});
