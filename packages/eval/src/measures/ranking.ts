/**
 * What a measure is computed from: where in one query's ranking the relevant passages stand. Ranks instead
 * of a full list, because a pool has thousands of passages and a query a dozen relevant ones.
 * Not a search: see `search/` for how ranks are found.
 */

/** One query's ranking, judged. Ranks count from 1. */
export interface JudgedRanking {
  /** Ranks of the relevant passages that were retrieved, ascending. */
  readonly relevantRanks: ArrayLike<number>;
  /** Number of relevant passages, retrieved or not. */
  readonly relevant: number;
  /** Graded judgments for nDCG; when absent every relevant passage has grade 1. */
  readonly graded?: GradedRanking;
  /** Number of passages in the ranking; when absent it is at least as long as any cut-off. */
  readonly retrieved?: number;
  /** Ranks of the judged passages, relevant or not, ascending; when absent only the relevant ones are judged. */
  readonly judgedRanks?: ArrayLike<number>;
}

/** The graded part of a {@link JudgedRanking}; only passages of a grade above 0 appear in it. */
export interface GradedRanking {
  /** Ranks of the graded passages that were retrieved, ascending. */
  readonly ranks: ArrayLike<number>;
  /** Their grades. */
  readonly grades: ArrayLike<number>;
  /** Grades of all judged passages, retrieved or not, descending. */
  readonly ideal: ArrayLike<number>;
}

/**
 * Builds a {@link JudgedRanking} from a full ranked list.
 *
 * @param retrieved - grade of each retrieved passage, best first; 0 for unjudged ones (what was judged 0 counts as
 *   unjudged in Judged@k)
 * @param judged - grades of all judged passages of the query, in any order
 * @param relevanceLevel - least grade that counts as relevant (trec_eval's `-l`); nDCG ignores it
 */
export function judgeRanking(
  retrieved: ArrayLike<number>,
  judged: ArrayLike<number>,
  relevanceLevel = 1,
): JudgedRanking {
  const relevantRanks: number[] = [];
  const ranks: number[] = [];
  const grades: number[] = [];
  for (let i = 0; i < retrieved.length; i++) {
    const grade = retrieved[i]!;
    if (grade >= relevanceLevel) relevantRanks.push(i + 1);
    if (grade > 0) {
      ranks.push(i + 1);
      grades.push(grade);
    }
  }
  const all = Array.from(judged);
  const ideal = all.filter((grade) => grade > 0).sort((a, b) => b - a);
  const relevant = all.filter((grade) => grade >= relevanceLevel).length;
  const graded = { ranks, grades, ideal };
  return { relevantRanks, relevant, graded, retrieved: retrieved.length, judgedRanks: ranks };
}

/** How many of the ascending `ranks` are at most `cutoff`. */
export function ranksWithin(ranks: ArrayLike<number>, cutoff: number): number {
  let found = 0;
  while (found < ranks.length && ranks[found]! <= cutoff) found++;
  return found;
}
