/** Normalised discounted cumulative gain (Järvelin and Kekäläinen 2002) with discount log2(rank + 1). */
import type { Profile } from '../profiles.js';
import type { JudgedRanking } from './ranking.js';

/**
 * nDCG, or nDCG@k when `cutoff` is finite; 0 when nothing is relevant.
 *
 * Gain is the grade itself (linear, as in trec_eval's `ndcg_cut`) or 1, as the profile says; the ideal
 * ranking is made of all judged passages.
 */
export function ndcg(ranking: JudgedRanking, cutoff: number, profile: Profile): number {
  const graded = profile.gain === 'grade' ? ranking.graded : undefined;
  const ranks = graded?.ranks ?? ranking.relevantRanks;
  let gain = 0;
  for (let i = 0; i < ranks.length; i++) {
    const rank = ranks[i]!;
    if (rank > cutoff) break;
    gain += (graded?.grades[i] ?? 1) / Math.log2(rank + 1);
  }
  let ideal = 0;
  const positions = Math.min(cutoff, graded?.ideal.length ?? ranking.relevant);
  for (let i = 0; i < positions; i++) ideal += (graded?.ideal[i] ?? 1) / Math.log2(i + 2);
  return ideal === 0 ? 0 : gain / ideal;
}
