/**
 * Mean rank correlation (MRC), arXiv 2509.06195 ("Language Bias in Information Retrieval"): do translations
 * of one question rank the same passages alike? RC_i(a, b) is Spearman's correlation of the rankings that
 * question i gets in languages a and b over the same mixed pool, RC_i(a) its mean over the other languages;
 * MRC(a) averages RC_i(a) over the questions, MRC that over the languages. The paper also reports MRC@k, on
 * the head of the rankings; how it correlates heads that differ could not be found, so it is not here.
 */
import { mean } from '../means.js';

/** Ranks (from 1) of all passages of a pool, by position in `pool`; scores and ties as for `ranksOfRelevant`. */
export function fullRanks(
  scores: Float32Array,
  offset: number,
  pool: Uint32Array,
  ties: Uint32Array,
): Uint32Array {
  const count = pool.length;
  const bits = new Uint32Array(1);
  const float = new Float32Array(bits.buffer);
  // One number per passage, whose order is the ranking's: 32 bits of score above 21 bits of tie order.
  const keys = new Float64Array(count);
  const byTie = new Uint32Array(ties.length);
  for (let i = 0; i < count; i++) {
    const tie = ties[pool[i]!]!;
    // Adding 0 turns -0 into 0, to which it is equal.
    float[0] = scores[offset + pool[i]!]! + 0;
    const ascending = bits[0]! >>> 31 ? ~bits[0]! >>> 0 : (bits[0]! | 0x80000000) >>> 0;
    keys[i] = (0xffffffff - ascending) * 2 ** 21 + tie;
    byTie[tie] = i;
  }
  keys.sort();
  const ranks = new Uint32Array(count);
  for (let i = 0; i < count; i++) ranks[byTie[keys[i]! % 2 ** 21]!] = i + 1;
  return ranks;
}

/** Largest pool that {@link fullRanks} can order. */
export const largestRankedPool = 2 ** 21;

/** Spearman's correlation of two rankings of the same passages, without ties; in [-1, 1]. */
export function spearman(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const count = a.length;
  if (count < 2) return 1;
  let sum = 0;
  for (let i = 0; i < count; i++) sum += (a[i]! - b[i]!) ** 2;
  return 1 - (6 * sum) / (count * (count * count - 1));
}

/** Mean rank correlation over all languages, and with each language as one side. */
export interface RankCorrelation {
  readonly mean: number;
  readonly by_lang: Record<string, number>;
  /** Questions that are asked in at least two languages. */
  readonly questions: number;
}

/** Collects the rankings of one question after the other. */
export class MeanRankCorrelation {
  private readonly sums = new Map<string, { sum: number; count: number }>();
  private questions = 0;

  /** Adds one question: its ranking of the same pool by language. Fewer than two languages add nothing. */
  add(rankings: ReadonlyMap<string, ArrayLike<number>>): void {
    const langs = [...rankings.keys()];
    if (langs.length < 2) return;
    const totals = new Float64Array(langs.length);
    for (let i = 0; i < langs.length; i++) {
      for (let j = i + 1; j < langs.length; j++) {
        const correlation = spearman(rankings.get(langs[i]!)!, rankings.get(langs[j]!)!);
        totals[i]! += correlation;
        totals[j]! += correlation;
      }
    }
    for (const [i, lang] of langs.entries()) {
      const entry = this.sums.get(lang) ?? { sum: 0, count: 0 };
      entry.sum += totals[i]! / (langs.length - 1);
      entry.count++;
      this.sums.set(lang, entry);
    }
    this.questions++;
  }

  /** The result, or null when no question was asked in two languages. */
  result(): RankCorrelation | null {
    const byLang = Object.fromEntries([...this.sums].map(([lang, { sum, count }]) => [lang, sum / count]));
    const all = mean(Object.values(byLang));
    return all === null ? null : { mean: all, by_lang: byLang, questions: this.questions };
  }
}
