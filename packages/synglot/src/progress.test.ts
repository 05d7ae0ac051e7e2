/** Progress where there is no terminal, and of work in stages. */
import { expect, test } from 'vitest';
import { tokenizerProgress } from './model-progress.js';
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

test('the training of a tokenizer has a bar a stage, and none is left open', () => {
  const seen: string[] = [];
  const { onProgress, stop } = tokenizerProgress((label, total, unit) => {
    const name = `${label} ${total} ${unit}`;
    return { update: (done) => seen.push(`${name}: ${done}`), stop: () => seen.push(`${name} ends`) };
  });
  onProgress({ stage: 'texts', done: 7, total: 0 });
  onProgress({ stage: 'texts', done: 9, total: 0 });
  onProgress({ stage: 'pieces', done: 0, total: 0 });
  onProgress({ stage: 'pieces', done: 0, total: 50 });
  stop();
  expect(seen).toEqual([
    'reading 0 texts: 7',
    'reading 0 texts: 9',
    'reading 0 texts ends',
    'choosing a vocabulary: 0 pieces: 0',
    'choosing a vocabulary: 0 pieces ends',
    'choosing a vocabulary: 50 pieces: 0',
    'choosing a vocabulary: 50 pieces ends',
  ]);
});
