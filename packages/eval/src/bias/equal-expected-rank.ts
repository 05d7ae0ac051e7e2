/**
 * PEER, the probability of equal expected rank (Yang et al. 2024, arXiv 2405.00978): are passages of the same relevance
 * ranked alike whatever their language? No language is special, and none has a share that it should have.
 *
 * Only the abstract of the paper was read; everything else is defined as in its authors' `peer_measure` 0.0.1, with
 * which `test/parity/peer.test.ts` compares it.
 */
import { mean } from '../means.js';
import { chiSquareTail } from '../significance/chi-square.js';

/** A passage of a ranking, or one that was not retrieved. */
export interface GradedPassage {
  readonly lang: string;
  /** 0 where it is not relevant. */
  readonly grade: number;
}

/**
 * The p-value of the Kruskal-Wallis test over languages, of the passages of one grade: 1 for no difference at all.
 *
 * It is a test of the ranks as they are, 1 … k, of that grade's passages among the first k. Those that were not
 * retrieved, `missing` of `all`, tie at all + (missing + 1) / 2. Passages of one language alone, or none retrieved, give
 * 1. So a ranking with nothing but one language has no difference to find: look at language shares beside it.
 *
 * @param ranking the first k passages, best first
 * @param unretrieved relevant passages that are not among them
 */
export function equalExpectedRank(
  ranking: readonly GradedPassage[],
  unretrieved: readonly GradedPassage[],
  grade: number,
): number {
  const groups = new Map<string, number[]>();
  const add = (lang: string, rank: number) => {
    const group = groups.get(lang);
    if (group === undefined) groups.set(lang, [rank]);
    else group.push(rank);
  };
  let retrieved = 0;
  ranking.forEach((passage, index) => {
    if (passage.grade !== grade) return;
    add(passage.lang, index + 1);
    retrieved++;
  });
  if (retrieved === 0) return 1;
  const absent = unretrieved.filter((passage) => passage.grade === grade);
  const last = retrieved + absent.length + (absent.length + 1) / 2;
  for (const { lang } of absent) add(lang, last);
  return kruskalWallis([...groups.values()]);
}

/**
 * PEER at the length of `ranking`: {@link equalExpectedRank} of each grade, weighted.
 *
 * @param weights by grade, with a sum of 1; a grade that no passage has adds nothing, except grade 0, which always counts
 */
export function peer(
  ranking: readonly GradedPassage[],
  unretrieved: readonly GradedPassage[],
  weights: ReadonlyMap<number, number>,
): number {
  const grades = new Set([0, ...ranking.map(({ grade }) => grade), ...unretrieved.map(({ grade }) => grade)]);
  let sum = 0;
  for (const [grade, weight] of weights) {
    if (grades.has(grade)) sum += weight * equalExpectedRank(ranking, unretrieved, grade);
  }
  return sum;
}

/** Means over the queries of one language; PEER with weights w and 1 - w is w relevant + (1 - w) other. */
export interface EqualRankMeans {
  /** {@link equalExpectedRank} of the relevant passages; null for queries with no two of them in different languages. */
  readonly relevant: number | null;
  /** Of the passages that are not relevant. */
  readonly other: number;
}

/** How many of the first passages of the mixed pool {@link EqualRank} looks at. */
export const equalRankDepth = 20;

/** Gathers one query language's figures. */
export class EqualRank {
  private readonly relevant: number[] = [];
  private readonly other: number[] = [];

  /** Adds one query; see {@link equalExpectedRank}. Relevant passages have grade 1. */
  add(ranking: readonly GradedPassage[], unretrieved: readonly GradedPassage[]): void {
    const langs = new Set(
      [...ranking, ...unretrieved].filter(({ grade }) => grade > 0).map(({ lang }) => lang),
    );
    if (langs.size > 1) this.relevant.push(equalExpectedRank(ranking, unretrieved, 1));
    this.other.push(equalExpectedRank(ranking, unretrieved, 0));
  }

  /** Undefined if no query was added. */
  means(): EqualRankMeans | undefined {
    const other = mean(this.other);
    return other === null ? undefined : { relevant: mean(this.relevant), other };
  }
}

/** p-value of groups of ranks; 1 for a single group, and where all ranks are equal. */
function kruskalWallis(groups: readonly (readonly number[])[]): number {
  if (groups.length < 2) return 1;
  const all = groups.flat();
  const center = mean(all)!;
  const total = all.reduce((sum, rank) => sum + (rank - center) ** 2, 0);
  if (total === 0) return 1;
  const between = groups.reduce((sum, group) => sum + group.length * (mean(group)! - center) ** 2, 0);
  return chiSquareTail(((all.length - 1) * between) / total, groups.length - 1);
}
