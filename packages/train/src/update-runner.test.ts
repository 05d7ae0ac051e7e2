import { expect, test } from 'vitest';
import { dropoutSeed } from './update-runner.js';

test('every batch of every update has dropout masks of its own', () => {
  const seeds = new Set<number>();
  for (let step = 0; step < 1000; step++) {
    for (let micro = 0; micro < 4; micro++) seeds.add(dropoutSeed(7, step, micro));
  }
  expect(seeds.size).toBe(4000);
});

test('so has every run: all bits of its seed count', () => {
  const seeds = [0, 1, 2 ** 32, 2 ** 32 + 1, 2 ** 52, -1].map((seed) => dropoutSeed(seed, 3, 0));
  expect(new Set(seeds).size).toBe(seeds.length);
  for (const seed of seeds) expect(seed).toBe(seed >>> 0);
});
