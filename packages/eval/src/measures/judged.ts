/** Judged at k: how much of a ranking's head was looked at by the assessors. Not a measure of quality. */
import { type JudgedRanking, ranksWithin } from './ranking.js';

/**
 * Judged@k: the share of judged passages among the first k, or among all retrieved ones when these are
 * fewer (as ir_measures defines it; trec_eval's `unj_k` divides by k always); 0 for an empty ranking.
 */
export function judged(ranking: JudgedRanking, cutoff: number): number {
  const positions = Math.min(cutoff, ranking.retrieved ?? cutoff);
  return positions === 0 ? 0 : ranksWithin(ranking.judgedRanks ?? ranking.relevantRanks, cutoff) / positions;
}
