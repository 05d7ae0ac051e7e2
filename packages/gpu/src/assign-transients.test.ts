import { expect, test } from 'vitest';
import { assignTransients, type TransientUse } from './assign-transients.js';

/** Numbers in [0, below) from a linear congruential generator: the same cases every run. */
function integers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function randomUses(seed: number): TransientUse[] {
  const next = integers(seed);
  const commands = 1 + next(40);
  return Array.from({ length: next(60) }, (_, id) => {
    const first = next(commands);
    return { id, sizeBytes: 4 * (1 + next(50)), first, last: first + next(commands - first) };
  });
}

const meet = (a: TransientUse, b: TransientUse) => a.first <= b.last && b.first <= a.last;

test('tensors that live at the same time never share a slot, and each fits in its slot', () => {
  for (let seed = 0; seed < 300; seed++) {
    const uses = randomUses(seed);
    const { slotOf, sizesBytes } = assignTransients(uses);
    for (const a of uses) {
      const slot = slotOf.get(a.id) as number;
      expect(sizesBytes[slot], `seed ${seed}, tensor ${a.id}`).toBeGreaterThanOrEqual(a.sizeBytes);
      for (const b of uses) {
        const share = a.id < b.id && meet(a, b) && slotOf.get(b.id) === slot;
        if (share) throw new Error(`seed ${seed}: tensors ${a.id} and ${b.id} share slot ${slot}`);
      }
    }
  }
});

test('never more memory than without sharing, never less than the busiest command needs', () => {
  for (let seed = 0; seed < 300; seed++) {
    const uses = randomUses(seed);
    const { sizesBytes } = assignTransients(uses);
    const total = sizesBytes.reduce((sum, size) => sum + size, 0);
    expect(total).toBeLessThanOrEqual(uses.reduce((sum, use) => sum + use.sizeBytes, 0));
    for (let command = 0; command < 40; command++) {
      const alive = uses.filter(({ first, last }) => first <= command && command <= last);
      expect(total).toBeGreaterThanOrEqual(alive.reduce((sum, use) => sum + use.sizeBytes, 0));
    }
  }
});

test('a chain, in which each tensor is read once by the next command, needs two slots', () => {
  const uses = Array.from({ length: 9 }, (_, id) => ({ id, sizeBytes: 64, first: id, last: id + 1 }));
  expect(assignTransients(uses).sizesBytes).toEqual([64, 64]);
});

test('one that dies in a command and one that is born in it do not share', () => {
  const { slotOf } = assignTransients([
    { id: 0, sizeBytes: 4, first: 0, last: 3 },
    { id: 1, sizeBytes: 4, first: 3, last: 5 },
    { id: 2, sizeBytes: 4, first: 4, last: 5 },
  ]);
  expect(slotOf.get(1)).not.toBe(slotOf.get(0));
  expect(slotOf.get(2)).toBe(slotOf.get(0));
});

test('nothing needs nothing', () => {
  expect(assignTransients([]).sizesBytes).toEqual([]);
});
