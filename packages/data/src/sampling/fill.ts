/**
 * Fills one batch with pairs from under a tree node. Not the choice of mode or of that node; see
 * `sampler.ts`.
 */
import type { Random } from '../random.js';
import type { TrainingSet } from '../training-set.js';
import { BatchGuard } from './guard.js';
import type { CursorState, Stratum, StratumCursor } from './strata.js';
import { drawChild, strataUnder, type TreeNode } from './tree.js';

/** A pair in the making: indices of the item and of its rows. */
export interface Drawn {
  readonly item: number;
  readonly query: number;
  readonly passage: number;
  readonly stratum: Stratum;
}

/** What {@link fillBatch} gives: the pairs, and the guard that has seen them all. */
export interface Filled {
  readonly drawn: readonly Drawn[];
  readonly guard: BatchGuard;
}

/** The rows of an item in a stratum's languages; where there are several wordings, one by chance. */
function rowsOf(set: TrainingSet, item: number, stratum: Stratum, random: Random): Drawn {
  const { query, passage } = set.items[item]!;
  const one = (rows: readonly number[]) => (rows.length === 1 ? rows[0]! : rows[random.below(rows.length)]!);
  return {
    item,
    query: one(set.rowsIn(set.queries[query]!, stratum.queryLanguage)),
    passage: one(set.rowsIn(set.passages[passage]!, stratum.passageLanguage)),
    stratum,
  };
}

/**
 * How many pairs a batch from under `node` can have, counted up to `enough`: exact where each question has one
 * passage and no text stands under several parallel ids, a lower bound otherwise.
 */
export function capacityOf(set: TrainingSet, node: TreeNode, enough: number, random: Random): number {
  const guard = new BatchGuard(set);
  let count = 0;
  for (const stratum of strataUnder(node)) {
    for (const index of stratum.items()) {
      if (count >= enough) return count;
      const { query, passage } = rowsOf(set, index, stratum, random);
      const item = set.items[index]!;
      if (!guard.fits(item, query, passage)) continue;
      guard.add(item, query, passage);
      count++;
    }
  }
  return count;
}

/**
 * Draws `size` pairs from under `node` that keep to {@link BatchGuard}.
 *
 * Where pairs exclude each other, an unlucky first pair can block more than one later pair. Then a
 * pair is given back by chance, barred from this batch and deferred to the next, and the rest is tried anew.
 *
 * @returns the batch, or the most pairs that were found; the walks then stand where they stood
 */
export function fillBatch(
  set: TrainingSet,
  node: TreeNode,
  size: number,
  random: Random,
  cursorOf: (stratum: Stratum) => StratumCursor,
): Filled | { readonly found: number } {
  const before = new Map<StratumCursor, CursorState>();
  const exhausted = new Set<TreeNode>();
  const barred = new Set<number>();
  let guard = new BatchGuard(set);
  let drawn: Drawn[] = [];
  let found = 0;

  const draw = (from: TreeNode): Drawn | undefined => {
    const { stratum } = from;
    if (stratum !== null) {
      const cursor = cursorOf(stratum);
      if (!before.has(cursor)) before.set(cursor, cursor.state());
      return cursor.take((item) => {
        if (barred.has(item)) return undefined;
        const candidate = rowsOf(set, item, stratum, random);
        return guard.fits(set.items[item]!, candidate.query, candidate.passage) ? candidate : undefined;
      });
    }
    for (;;) {
      const child = drawChild(from, random, exhausted);
      if (child === null) return undefined;
      const one = draw(child);
      if (one !== undefined) return one;
      exhausted.add(child);
    }
  };

  for (let given = 0; ; ) {
    const next = draw(node);
    if (next !== undefined) {
      drawn.push(next);
      guard.add(set.items[next.item]!, next.query, next.passage);
      found = Math.max(found, drawn.length);
      if (drawn.length === size) return { drawn, guard };
      continue;
    }
    if (drawn.length === 0 || ++given > 4 * size) break;
    const back = drawn[random.below(drawn.length)]!;
    drawn = drawn.filter((one) => one !== back);
    barred.add(back.item);
    cursorOf(back.stratum).defer(back.item);
    exhausted.clear();
    guard = new BatchGuard(set);
    for (const one of drawn) guard.add(set.items[one.item]!, one.query, one.passage);
  }
  for (const [cursor, state] of before) cursor.restore(state);
  return { found };
}
