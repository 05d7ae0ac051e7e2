/** Reciprocal rank of the first relevant passage; its mean over queries is called MRR. */
import type { JudgedRanking } from './ranking.js';

/** RR, or RR@k when `cutoff` is finite; 0 when no relevant passage is found within it. */
export function reciprocalRank(ranking: JudgedRanking, cutoff: number): number {
  const first = ranking.relevantRanks[0];
  return first === undefined || first > cutoff ? 0 : 1 / first;
}
