import { expect, test } from 'vitest';
import { learnedTemperature } from './temperature.js';

test('is kept within its bounds as the logarithm of its inverse, and does not decay', () => {
  const { spec, initial, objective } = learnedTemperature({ initial: 0.05, least: 0.01, most: 0.5 });
  const temperatureOf = (logarithm: number) =>
    objective.value(Object.fromEntries(objective.results.map((name) => [name, Float32Array.of(logarithm)])), {
      queries: 1,
      candidates: 1,
    });
  const [lowest, highest] = spec.range!;
  expect(lowest).toBeLessThan(highest);
  expect(temperatureOf(lowest)).toBeCloseTo(0.5, 6);
  expect(temperatureOf(highest)).toBeCloseTo(0.01, 6);
  expect([...initial].map(temperatureOf)).toEqual(new Array(4).fill(expect.closeTo(0.05, 6)));
  expect(spec.decays).toBe(false);
});
