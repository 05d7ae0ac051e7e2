/** The k best passages of a pool for one query. Meant for a small k, so by insertion and not by a heap. */

/**
 * Indices of the `k` best passages of `pool`, best first (fewer when the pool is smaller).
 *
 * Scores, `offset` and `ties` as in {@link ranksOfRelevant}; no score may be NaN.
 */
export function topK(
  scores: Float32Array,
  offset: number,
  pool: Uint32Array,
  k: number,
  ties: Uint32Array,
): Uint32Array {
  const best = new Uint32Array(Math.min(k, pool.length));
  if (best.length === 0) return best;
  let filled = 0;
  for (let i = 0; i < pool.length; i++) {
    const passage = pool[i]!;
    const score = scores[offset + passage]!;
    if (filled === best.length && score < scores[offset + best[filled - 1]!]!) continue;
    let at = filled;
    while (at > 0) {
      const other = best[at - 1]!;
      const otherScore = scores[offset + other]!;
      if (otherScore > score || (otherScore === score && ties[other]! < ties[passage]!)) break;
      at--;
    }
    if (at === best.length) continue;
    if (filled < best.length) filled++;
    best.copyWithin(at + 1, at, filled - 1);
    best[at] = passage;
  }
  return best;
}
