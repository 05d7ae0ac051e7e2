import { expect, test } from 'vitest';
import { commandsPerSubmission } from './submissions.js';

test('a GPU is handed a plan in parts, a processor all of it at once', () => {
  for (const type of ['discrete-gpu', 'integrated-gpu', 'unknown'] as const) {
    expect(commandsPerSubmission(type)).toBe(32);
  }
  expect(commandsPerSubmission('cpu')).toBe(Infinity);
});

test('what is asked for counts, if it is one command at least', () => {
  expect(commandsPerSubmission('cpu', 5)).toBe(5);
  expect(commandsPerSubmission('discrete-gpu', Infinity)).toBe(Infinity);
  for (const asked of [0, -1, Number.NaN]) {
    expect(() => commandsPerSubmission('cpu', asked)).toThrow(`1 or more but received ${asked}`);
  }
});
