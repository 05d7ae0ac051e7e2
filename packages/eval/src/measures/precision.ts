/** Precision at k, success at k and R-precision: how many of the first passages are relevant. */

import type { JudgedRanking } from './ranking.js';
import { ranksWithin } from './ranking.js';

/** P@k: relevant passages among the first k, divided by k even when fewer were retrieved (as trec_eval does). */
export function precision(ranking: JudgedRanking, cutoff: number): number {
  return ranksWithin(ranking.relevantRanks, cutoff) / cutoff;
}

/** Success@k: 1 when a relevant passage is among the first k, else 0; also called hit rate or accuracy@k. */
export function success(ranking: JudgedRanking, cutoff: number): number {
  const first = ranking.relevantRanks[0];
  return first !== undefined && first <= cutoff ? 1 : 0;
}

/** R-precision: precision at rank R, where R is the number of relevant passages; 0 when there is none. */
export function rPrecision({ relevantRanks, relevant }: JudgedRanking): number {
  return relevant === 0 ? 0 : ranksWithin(relevantRanks, relevant) / relevant;
}
