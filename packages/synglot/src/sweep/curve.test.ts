import { expect, test } from 'vitest';
import { curvesOf, ticksBetween } from './curve.js';
import { meanInterval } from './interval.js';
import { figures, type SettingSummary, type SweepSummary } from './summary.js';

test.each([
  [0.12, 0.55, [0.2, 0.3, 0.4, 0.5], 1],
  [240, 1258, [400, 600, 800, 1000, 1200], 0],
  [0.5011, 0.5032, [0.5015, 0.502, 0.5025, 0.503], 4],
  [-1, 1, [-1, -0.5, 0, 0.5, 1], 1],
])('ticks between %d and %d are round', (low, high, expected, digits) => {
  const found = ticksBetween(low, high);
  expect(found.ticks.map((tick) => Number(tick.toFixed(digits)))).toEqual(expected);
  expect(found.digits).toBe(digits);
});

/** A setting whose figures are all `values`. */
function setting(values: readonly string[], figure: readonly number[]): SettingSummary {
  const interval = meanInterval(figure);
  return {
    label: values.join(', '),
    config: 'c.yaml',
    values,
    runs: [],
    figures: Object.fromEntries(figures.map((name) => [name, interval])) as SettingSummary['figures'],
    measures: {},
    validation_loss: null,
  };
}

const summaryOf = (settings: SettingSummary[]): SweepSummary => ({
  settings,
  seeds: [0, 1],
  collection: 'held-out <10%>',
  queries: 5,
  langs: ['en', 'fi'],
  map_measure: 'AP',
  baseline: '',
  test: '',
  comparisons: [],
  other_questions: [],
});

test('one curve for each combination of the other keys, in order of the number', () => {
  const curves = curvesOf(
    summaryOf([
      setting(['sampling.alpha=1', 'loss.direction=both'], [0.3, 0.5]),
      setting(['sampling.alpha=0', 'loss.direction=both'], [0.2, 0.2]),
      setting(['sampling.alpha=0', 'loss.direction=query-to-passage'], [0.1, 0.1]),
      setting(['sampling.alpha=0.5', 'loss.direction=query-to-passage'], [0.1, 0.2]),
      setting(['sampling.alpha=0', 'loss.direction=alone'], [0.1, 0.2]),
    ]),
    'sampling.alpha',
  );
  expect(curves.map(({ name }) => name)).toEqual(['loss.direction=both', 'loss.direction=query-to-passage']);
  const [svg] = curves.map((curve) => curve.svg);
  expect(svg).toContain('held-out &lt;10%&gt;');
  const [line] = /points="([^"]*)"/.exec(svg!)!.slice(1);
  const [first, last] = line!.split(' ').map((point) => point.split(',').map(Number) as [number, number]);
  // Left to right, and the larger value is higher up.
  expect(first![0]).toBeLessThan(last![0]);
  expect(first![1]).toBeGreaterThan(last![1]);
});

test('a key with one value, or with names, has no curve', () => {
  const settings = [setting(['sampling.mode=hybrid'], [1]), setting(['sampling.mode=monolingual'], [2])];
  expect(curvesOf(summaryOf(settings), 'sampling.mode')).toEqual([]);
  expect(curvesOf(summaryOf([setting(['x=1'], [1])]), 'x')).toEqual([]);
});
