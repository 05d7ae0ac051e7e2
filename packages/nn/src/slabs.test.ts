import { describe, expect, test } from 'vitest';
import { packSlabs, type SlabItem } from './slabs.js';

const item = (key: string, elements: number, group = 'g', block?: string): SlabItem => ({
  key,
  elements,
  group,
  alignment: 64,
  ...(block ? { block } : {}),
});

/** Items of random sizes, groups and blocks from a linear congruential generator: the same every run. */
function randomItems(seed: number): SlabItem[] {
  let state = seed >>> 0;
  const next = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  return Array.from({ length: 1 + next(40) }, (_, index) => {
    const block = next(3) === 0 ? `block ${next(4)}` : undefined;
    return item(`${index}`, 1 + next(1000), `group ${next(3)}`, block);
  });
}

test('every item has a place of its own in a slab of its group, within the limit, at 256 bytes', () => {
  for (let seed = 0; seed < 200; seed++) {
    const items = randomItems(seed);
    const limit = 1000 + 100 * (seed % 10);
    const { slabs, places } = packSlabs(items, limit);
    expect(places.size).toBe(items.length);
    for (const slab of slabs) {
      let end = 0;
      for (const key of slab.keys) {
        const { offsetElements, slab: index } = places.get(key)!;
        const { elements, group } = items.find((other) => other.key === key)!;
        expect(index).toBe(slab.index);
        expect(group).toBe(slab.group);
        expect(offsetElements % 64).toBe(0);
        expect(offsetElements).toBeGreaterThanOrEqual(end);
        end = offsetElements + elements;
      }
      expect(slab.elements).toBe(Math.ceil(end / 4) * 4);
      expect(slab.elements).toBeLessThanOrEqual(limit);
    }
    expect(slabs.flatMap(({ keys }) => keys).sort()).toEqual(items.map(({ key }) => key).sort());
  }
});

describe('blocks', () => {
  const projections = (elements: number) => [
    item('q', elements, 'g', 'self'),
    item('other', 64),
    item('k', elements, 'g', 'self'),
    item('v', elements, 'g', 'self'),
  ];

  test('lie side by side, without gaps where sizes are multiples of 64, in a new slab if need be', () => {
    const { places } = packSlabs([item('first', 100), ...projections(192)], 704);
    expect(places.get('q')).toEqual({ slab: 0, offsetElements: 128 });
    expect(places.get('k')).toEqual({ slab: 0, offsetElements: 128 + 192 });
    expect(places.get('v')).toEqual({ slab: 0, offsetElements: 128 + 2 * 192 });
    const tight = packSlabs([item('first', 100), ...projections(192)], 703);
    expect(tight.places.get('q')).toEqual({ slab: 1, offsetElements: 0 });
    expect(tight.places.get('v')).toEqual({ slab: 1, offsetElements: 2 * 192 });
  });

  test('larger than a slab are placed one by one', () => {
    const { slabs } = packSlabs(projections(256), 600);
    expect(slabs.map(({ keys }) => keys)).toEqual([
      ['q', 'k'],
      ['v', 'other'],
    ]);
  });
});

test('nothing needs nothing', () => {
  expect(packSlabs([], 0)).toEqual({ slabs: [], places: new Map() });
});
