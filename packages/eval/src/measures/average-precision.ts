/** Average precision: the mean, over the relevant passages, of the precision at each one's rank. */
import type { Profile } from '../profiles.js';
import type { JudgedRanking } from './ranking.js';

/**
 * AP, or AP@k when `cutoff` is finite; 0 when nothing is relevant.
 *
 * Relevant passages beyond the cut-off, or not retrieved, add 0. The divisor at a cut-off is the profile's:
 * trec_eval's `map_cut_k` divides by all relevant, sentence-transformers and LAReQA by min(k, relevant).
 */
export function averagePrecision(ranking: JudgedRanking, cutoff: number, profile: Profile): number {
  const { relevantRanks, relevant } = ranking;
  if (relevant === 0) return 0;
  let sum = 0;
  for (let found = 0; found < relevantRanks.length; found++) {
    const rank = relevantRanks[found]!;
    if (rank > cutoff) break;
    sum += (found + 1) / rank;
  }
  return sum / (profile.apDivisor === 'relevant' ? relevant : Math.min(cutoff, relevant));
}
