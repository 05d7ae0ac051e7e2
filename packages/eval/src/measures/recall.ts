/** Recall at k: the share of a query's relevant passages among its first k. */
import type { JudgedRanking } from './ranking.js';

/** Recall@k over all relevant passages (so at most k / relevant); 0 when nothing is relevant. */
export function recall(ranking: JudgedRanking, cutoff: number): number {
  const { relevantRanks, relevant } = ranking;
  if (relevant === 0) return 0;
  let found = 0;
  while (found < relevantRanks.length && relevantRanks[found]! <= cutoff) found++;
  return found / relevant;
}
