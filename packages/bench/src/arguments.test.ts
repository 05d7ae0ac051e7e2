import { expect, test } from 'vitest';
import { checkChoice, checkLengths, checkNumbers } from './arguments.js';

test('numbers are whole and large enough, or were not given', () => {
  checkNumbers({ runs: '3' }, ['runs', 'pairs']);
  checkNumbers({ 'warm-ups': '0' }, ['warm-ups'], 0);
  for (const runs of ['abc', '0', '-1', '1.5', '']) {
    expect(() => checkNumbers({ runs }, ['runs'])).toThrow(
      `--runs: expected a whole number of at least 1 but received '${runs}'`,
    );
  }
});

test('a choice that does not exist is not taken for another', () => {
  checkChoice({ precision: 'mixed' }, 'precision', ['f32', 'mixed']);
  checkChoice({}, 'precision', ['f32', 'mixed']);
  expect(() => checkChoice({ precision: 'f16' }, 'precision', ['f32', 'mixed'])).toThrow(
    "--precision: expected f32, mixed but received 'f16'",
  );
});

test('lengths are a number or a name', () => {
  checkLengths({ lengths: 'xquad-r' });
  checkLengths({ lengths: '32' });
  expect(() => checkLengths({ lengths: 'xquad' })).toThrow(/--lengths/);
});
