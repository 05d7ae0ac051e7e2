import { expect, test } from 'vitest';
import { raiseClocks } from './gpu-clocks.js';

test.each([
  ['discrete-gpu', true],
  ['unknown', true],
  ['cpu', false],
] as const)('a %s is kept busy before it is measured: %s', async (type, works) => {
  let runs = 0;
  await raiseClocks({ type }, async () => {
    runs += 1;
    await new Promise((resolve) => setTimeout(resolve, 1));
  });
  expect(runs > 1).toBe(works);
});
