/** Progress where there is no terminal. */
import { expect, test } from 'vitest';
import { progressLines } from './progress.js';

test('a line every half minute, none before', () => {
  let seconds = 0;
  const lines: string[] = [];
  const clock = { now: () => seconds * 1000, write: (line: string) => lines.push(line) };
  const known = progressLines('encoding', 100, 'texts', clock);
  const open = progressLines('encoding c', 0, 'passages', clock);
  for (seconds = 1; seconds <= 70; seconds++) {
    known.update(seconds, '· fast');
    if (seconds === 45) open.update(8192);
  }
  expect(lines).toEqual([
    'encoding: 30 of 100 texts · fast',
    'encoding c: 8192 passages',
    'encoding: 60 of 100 texts · fast',
  ]);
});
