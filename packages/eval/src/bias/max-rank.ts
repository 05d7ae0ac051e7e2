/** Max@R: how far down a ranking one must read to have seen a passage in all its languages. */

/**
 * Rank of the last of a query's parallel relevant passages in the mixed pool, the Max@R of arXiv 2604.05684
 * ("Improving Semantic Proximity in Information Retrieval through Cross-Lingual Alignment"); at best their
 * number. Undefined for fewer than two, as for {@link rankDistance}.
 *
 * The paper was read in a summary, where Max@R is "the worst (highest) retrieval rank needed to recover all
 * parallel ground-truth documents per query"; if the paper scales it further, this does not.
 *
 * @param ranks - ranks of the relevant passages, ascending
 */
export function maxRank(ranks: ArrayLike<number>): number | undefined {
  return ranks.length < 2 ? undefined : ranks[ranks.length - 1];
}
