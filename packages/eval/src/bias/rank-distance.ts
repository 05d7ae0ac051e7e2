/**
 * Rank distance, a measure of language bias (arXiv 2305.09025): how far apart the translations of one
 * relevant passage stand in a ranking that mixes all languages. 1 less than their number at best.
 */

/**
 * Largest minus smallest rank of a query's relevant passages in the mixed pool, or undefined for fewer than two, which
 * have no distance. Which of them are translations of each other is not known: several answers are taken together.
 *
 * @param ranks - ranks of the relevant passages, ascending
 */
export function rankDistance(ranks: ArrayLike<number>): number | undefined {
  return ranks.length < 2 ? undefined : ranks[ranks.length - 1]! - ranks[0]!;
}
