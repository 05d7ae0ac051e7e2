/**
 * Ranks of a query's relevant passages in a pool, without sorting the pool: each passage is placed among
 * the few relevant ones, most of them by a single comparison.
 */

/**
 * Ranks (from 1, ascending) of the `relevant` passages among those of `pool`.
 *
 * A passage ranks before another when its score is higher or, at equal scores, its `ties` entry smaller.
 *
 * @param scores - scores of all passages; this query's begin at `offset`. None may be NaN.
 * @param pool - indices of the passages that are ranked
 * @param relevant - distinct indices, all of them in `pool`
 * @param ties - see {@link tieOrder}
 */
export function ranksOfRelevant(
  scores: Float32Array,
  offset: number,
  pool: Uint32Array,
  relevant: Uint32Array,
  ties: Uint32Array,
): Uint32Array {
  const count = relevant.length;
  const ranks = new Uint32Array(count);
  if (count === 0) return ranks;
  const best = Uint32Array.from(relevant).sort((a, b) => {
    const scoreA = scores[offset + a]!;
    const scoreB = scores[offset + b]!;
    return scoreA === scoreB ? ties[a]! - ties[b]! : scoreA > scoreB ? -1 : 1;
  });
  // One less than a power of two, for a bisection whose steps are the same for every passage.
  const size = 2 ** (32 - Math.clz32(count));
  const bestScores = new Float32Array(size - 1).fill(Number.NEGATIVE_INFINITY);
  bestScores.set(Float32Array.from(best, (passage) => scores[offset + passage]!));
  const bestTies = Uint32Array.from(best, (passage) => ties[passage]!);
  const worstScore = bestScores[count - 1]!;
  // ranks[j] first counts the passages that come after best[j - 1] and not after best[j] ...
  for (let i = 0; i < pool.length; i++) {
    const passage = pool[i]!;
    const score = scores[offset + passage]!;
    if (score < worstScore) continue;
    // How many have a higher score. Without a branch, which a processor would guess wrong at half of the steps.
    let before = 0;
    for (let step = size >>> 1; step > 0; step >>>= 1) {
      before += Number(score < bestScores[before + step - 1]!) * step;
    }
    while (before < count && score === bestScores[before]! && bestTies[before]! < ties[passage]!) before++;
    if (before < count) ranks[before]!++;
  }
  // ... and summed up, the passages not after best[j], itself included: its rank.
  for (let j = 1; j < count; j++) ranks[j]! += ranks[j - 1]!;
  return ranks;
}
