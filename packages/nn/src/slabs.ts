/**
 * Slabs: where each parameter lies in a few large buffers, the same in every kind (weights, gradients, moments).
 *
 * One dispatch then clears, measures or updates a slab, and what lies side by side can be bound as one
 * matrix. The buffers themselves are in parameter-store.ts; optim/optimizer.ts splits a slab where the
 * settings of the update change.
 */

/** What is placed: a parameter, or a part of a split one. */
export interface SlabItem {
  readonly key: string;
  readonly elements: number;
  /** Its place is a multiple of this many elements. */
  readonly alignment: number;
  /** Items of different groups never share a slab. */
  readonly group: string;
  /** Items of one group and block lie side by side if they fit into one slab. */
  readonly block?: string | undefined;
}

/** Where an item lies. */
export interface SlabPlace {
  readonly slab: number;
  readonly offsetElements: number;
}

/** A buffer-to-be. What no item covers is zero and stays zero, since its gradient is. */
export interface Slab {
  readonly index: number;
  /** A multiple of 4. */
  readonly elements: number;
  readonly group: string;
  /** Keys in ascending order of their places. */
  readonly keys: readonly string[];
}

/**
 * Places items in order, group by group, and opens a new slab when the next block does not fit.
 *
 * @param limitElements largest slab, a multiple of 4; no item may be larger
 */
export function packSlabs(
  items: readonly SlabItem[],
  limitElements: number,
): { readonly slabs: readonly Slab[]; readonly places: ReadonlyMap<string, SlabPlace> } {
  const slabs: { index: number; elements: number; group: string; keys: string[] }[] = [];
  const places = new Map<string, SlabPlace>();
  const place = (group: string, block: readonly SlabItem[]) => {
    let slab = slabs.at(-1);
    if (slab?.group !== group || extent(block, slab.elements) > limitElements) {
      if (block.length > 1 && extent(block, 0) > limitElements) {
        for (const item of block) place(group, [item]);
        return;
      }
      slab = { index: slabs.length, elements: 0, group, keys: [] };
      slabs.push(slab);
    }
    let offset = slab.elements;
    for (const { key, elements, alignment } of block) {
      offset = roundUp(offset, alignment);
      places.set(key, { slab: slab.index, offsetElements: offset });
      slab.keys.push(key);
      offset += elements;
    }
    slab.elements = roundUp(offset, 4);
  };
  for (const [group, members] of partition(items, ({ group }) => group)) {
    for (const block of partition(members, ({ block, key }) => block ?? `only ${key}`).values()) {
      place(group, block);
    }
  }
  return { slabs, places };
}

/** Where a block that is placed from `begin` on ends. */
function extent(block: readonly SlabItem[], begin: number): number {
  return block.reduce((end, { elements, alignment }) => roundUp(end, alignment) + elements, begin);
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}

/** Items by key, keys in order of first appearance. */
function partition<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
