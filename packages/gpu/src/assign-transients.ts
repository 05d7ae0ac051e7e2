/** Decides which transients share a buffer: those whose lifetimes do not overlap. */

/** A transient tensor, and the first and last command that uses it. */
export interface TransientUse {
  readonly id: number;
  readonly sizeBytes: number;
  /** First and last command that touches it. */
  readonly first: number;
  readonly last: number;
}

/** Which buffer each transient tensor gets. */
export interface TransientAssignment {
  /** Pool slot of each transient. */
  readonly slotOf: ReadonlyMap<number, number>;
  readonly sizesBytes: readonly number[];
}

/**
 * Greedy by size: the largest transient first, each into the first slot that is free over its whole
 * life. Slots never grow, so a small tensor may sit in a large slot but never the other way round.
 * (Greedy-by-size, Pisarchyk & Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020.)
 */
export function assignTransients(uses: readonly TransientUse[]): TransientAssignment {
  const slotOf = new Map<number, number>();
  const slots: { sizeBytes: number; taken: TransientUse[] }[] = [];
  const order = [...uses].sort((a, b) => b.sizeBytes - a.sizeBytes || a.first - b.first);
  for (const use of order) {
    const free = slots.findIndex(({ taken }) => taken.every((t) => t.last < use.first || use.last < t.first));
    if (free >= 0) {
      slots[free]?.taken.push(use);
      slotOf.set(use.id, free);
    } else {
      slotOf.set(use.id, slots.length);
      slots.push({ sizeBytes: use.sizeBytes, taken: [use] });
    }
  }
  return { slotOf, sizesBytes: slots.map((slot) => slot.sizeBytes) };
}
