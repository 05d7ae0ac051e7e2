import { expect, test } from 'vitest';
import { combinations, parseAxis, parseSeeds } from './grid.js';

test('grids include both ends and have no rounding tails', () => {
  expect(parseAxis('sampling.alpha=0:1:0.1')).toEqual({
    key: 'sampling.alpha',
    values: ['0', '0.1', '0.2', '0.3', '0.4', '0.5', '0.6', '0.7', '0.8', '0.9', '1'],
  });
  expect(parseAxis('x=-1:1:1').values).toEqual(['-1', '0', '1']);
  expect(parseAxis('x=0:1:0.4').values).toEqual(['0', '0.4', '0.8']);
  expect(parseAxis('x=1e-5:3e-5:1e-5').values).toEqual(['0.00001', '0.00002', '0.00003']);
});

test('lists are YAML values; commas within brackets and quotation marks do not part', () => {
  expect(parseAxis('sampling.mode=hybrid, monolingual').values).toEqual(['hybrid', 'monolingual']);
  expect(parseAxis('optimizer.betas=[0.9,0.99],[0.9,0.999]').values).toEqual(['[0.9,0.99]', '[0.9,0.999]']);
  expect(parseAxis(`text.query_prefix="a, b: ",'c, "d" ','`).values).toEqual(['"a, b: "', `'c, "d" '`, "'"]);
  expect(parseAxis("x=it's,that's,{ a: 'b, c' }").values).toEqual(["it's", "that's", "{ a: 'b, c' }"]);
  expect(parseAxis('model=org/name:tag').values).toEqual(['org/name:tag']);
});

test('combinations cross the axes, the last one fastest', () => {
  expect(combinations([parseAxis('a=1,2'), parseAxis('b=x,y')])).toEqual([
    ['a=1', 'b=x'],
    ['a=1', 'b=y'],
    ['a=2', 'b=x'],
    ['a=2', 'b=y'],
  ]);
  expect(combinations([])).toEqual([[]]);
});

test.each(['a', 'a=', '=1', 'a=0:1:0', 'a=1:0:0.1', 'a=0:1:1e-9', 'a=1,1'])('%s is a mistake', (text) => {
  expect(() => parseAxis(text)).toThrow(expect.objectContaining({ code: 'INPUT_CONFIG' }));
});

test('seeds', () => {
  expect(parseSeeds('3,1')).toEqual([3, 1]);
  for (const wrong of ['1,x', '1,', '0.5', '2,2', '2,02', '1e1,10']) {
    expect(() => parseSeeds(wrong)).toThrow(expect.objectContaining({ code: 'INPUT_CONFIG' }));
  }
});

test('a grid without its step is no list of one value', () => {
  expect(() => parseAxis('sampling.alpha=0:1')).toThrow(
    'sampling.alpha=0:1: a grid needs its step: sampling.alpha=0:1:0.1',
  );
});
