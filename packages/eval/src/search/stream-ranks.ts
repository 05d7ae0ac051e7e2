/**
 * Full rankings of corpora that are not in memory: the exact rank of every relevant passage, found in two
 * sweeps. The first learns the relevant passages' scores, the second counts how many rank before them.
 */
import type { Executor } from '@synglot/gpu';
import type { Profile } from '../profiles.js';
import { scoreBlocks } from './device-search.js';
import type { SearchSizes } from './sweep.js';
import { compareUtf8 } from './tie-order.js';
import type { VectorSource } from './vector-source.js';

/**
 * Ranks (from 1, ascending) of each query's relevant rows among all passages.
 *
 * @param relevant distinct rows, one list per query
 * @throws EvaluationError `INPUT_EMBEDDINGS`
 */
export async function streamRanks(
  options: SearchSizes & {
    readonly executor: Executor;
    readonly queries: Float32Array;
    readonly source: VectorSource;
    readonly relevant: readonly ArrayLike<number>[];
    readonly ties?: Profile['ties'];
  },
): Promise<Uint32Array[]> {
  const { executor, queries, source, ties = 'id-descending' } = options;
  const rows = options.relevant.map((list) => Uint32Array.from(list).sort());
  const scores = rows.map((list) => new Float32Array(list.length));
  await scoreBlocks(executor, queries, source, options, (block) => {
    for (let q = 0; q < block.queries; q++) {
      const list = rows[block.firstQuery + q]!;
      for (let i = 0; i < list.length; i++) {
        const at = list[i]! - block.firstRow;
        if (at >= 0 && at < block.rows) {
          scores[block.firstQuery + q]![i] = block.scores[q * block.stride + at]!;
        }
      }
    }
  });
  const sign = ties === 'id-ascending' ? 1 : -1;
  const before = (a: number, b: number) => sign * compareUtf8(source.id(a), source.id(b)) < 0;
  // Best first, so that a passage is placed by bisection; most are behind the last one.
  const sorted = rows.map((list, q) => {
    const own = scores[q]!;
    const order = Array.from(list.keys()).sort((a, b) =>
      own[a] === own[b] ? (before(list[a]!, list[b]!) ? -1 : 1) : own[b]! - own[a]!,
    );
    return { rows: order.map((i) => list[i]!), scores: Float32Array.from(order, (i) => own[i]!) };
  });
  const counts = rows.map((list) => new Uint32Array(list.length));
  await scoreBlocks(executor, queries, source, options, (block) => {
    for (let q = 0; q < block.queries; q++) {
      const best = sorted[block.firstQuery + q]!;
      const count = counts[block.firstQuery + q]!;
      const worst = best.scores.at(-1) ?? Number.POSITIVE_INFINITY;
      for (let i = 0; i < block.rows; i++) {
        const score = block.scores[q * block.stride + i]!;
        if (score < worst || count.length === 0) continue;
        let low = 0;
        let high = count.length;
        while (low < high) {
          const middle = (low + high) >>> 1;
          const other = best.scores[middle]!;
          const row = block.firstRow + i;
          const notAfter = score > other || (score === other && !before(best.rows[middle]!, row));
          if (notAfter) high = middle;
          else low = middle + 1;
        }
        if (low < count.length) count[low]!++;
      }
    }
  });
  for (const count of counts) for (let j = 1; j < count.length; j++) count[j]! += count[j - 1]!;
  return counts;
}
