/** Recall at k: the share of a query's relevant passages among its first k. */
import { type JudgedRanking, ranksWithin } from './ranking.js';

/** Recall@k over all relevant passages (so at most k / relevant); 0 when nothing is relevant. */
export function recall(ranking: JudgedRanking, cutoff: number): number {
  const { relevantRanks, relevant } = ranking;
  return relevant === 0 ? 0 : ranksWithin(relevantRanks, cutoff) / relevant;
}
