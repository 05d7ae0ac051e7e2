/** When the heap counts as full: not for garbage that is collected in time. */
import { expect, test } from 'vitest';
import { HeapWatch } from './heap-watch.js';

const limit = 100 * 2 ** 20;

/** Pairs that are read before the watch objects, or undefined where it does not. */
function refusedAfter(usedShare: (look: number) => number, pairs = 200_000): number | undefined {
  let look = 0;
  const watch = new HeapWatch(() => ({ used_heap_size: limit * usedShare(look++), heap_size_limit: limit }));
  for (let pair = 1; pair <= pairs; pair++) {
    try {
      watch.addPair();
    } catch (error) {
      expect((error as Error).message).toBe(
        `the first ${pair} training pairs fill the 100 MB that Node takes; set \`limit\` or \`langs\`, or give it more: NODE_OPTIONS=--max-old-space-size=400`,
      );
      expect(error).toMatchObject({ code: 'INPUT_CONFIG' });
      return pair;
    }
  }
  return undefined;
}

test('a heap that stays nearly full is refused', () => {
  expect(refusedAfter(() => 0.95)).toBe(1024 * 16);
  expect(refusedAfter((look) => (look < 20 ? 0.5 : 0.95))).toBe(1024 * 48);
});

test('one that is emptied now and then is not', () => {
  expect(refusedAfter(() => 0.75)).toBeUndefined();
  expect(refusedAfter((look) => (look % 15 === 7 ? 0.6 : 0.99))).toBeUndefined();
});
