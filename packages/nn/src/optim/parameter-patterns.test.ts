import { describe, expect, test } from 'vitest';
import { matchesPattern, unmatchedPatterns } from './parameter-patterns.js';

const query = 'encoder.layer.10.attention.self.query.weight';

describe('a pattern', () => {
  test.each([
    ['encoder.layer.10.*', query, true],
    ['encoder.layer.1.*', query, false],
    ['*.query.*', query, true],
    ['*.weight', query, true],
    ['*.bias', query, false],
    ['*', query, true],
    ['encoder.layer.?.*', query, false],
    ['encoder.layer.??.*', query, true],
    ['encoder.layer.[0-3].*', 'encoder.layer.2.output.dense.bias', true],
    ['encoder.layer.[0-3].*', 'encoder.layer.4.output.dense.bias', false],
    ['encoder.layer.{9,10}.*', query, true],
    ['encoder.layer.{1,2}.*', query, false],
    ['*.{query,value}.weight', query, true],
    [query, query, true],
    ['encoder', query, false],
    ['dense.weight', 'dense_weight', false],
    // What is special in a regular expression only is a letter like any other.
    ['a+b(c|d)$', 'a+b(c|d)$', true],
    ['a+', 'aa', false],
    ['[', '[', true],
    ['{a', '{a', true],
  ])("'%s' and '%s': %s", (pattern, name, expected) => {
    expect(matchesPattern(pattern, name)).toBe(expected);
  });

  test('that matches nothing is found', () => {
    expect(unmatchedPatterns(['*.bias', 'encoder.layer.*', 'layers.*'], [query])).toEqual([
      '*.bias',
      'layers.*',
    ]);
  });
});
