/**
 * trec_eval's measures on gains: `ndcg`, `ndcg_rel`, `Rndcg`, `G`, `binG`, `rbp`, `rbp_resid`. A gain is the
 * grade, unless the command names another one for it (`-m ndcg.1=3,2=9`). Sources: m_ndcg.c, m_ndcg_rel.c,
 * m_Rndcg.c, m_G.c, m_binG.c, m_rbp.c, m_rbp_resid.c and gain_init.c of trec_eval 10.
 */
import type { JudgedTopic } from './judge.js';

/** Gains by grade, where they differ from the grade; other names (`p` of rbp) are kept aside by the caller. */
export type GainOverrides = ReadonlyMap<number, number>;

interface Gains {
  /** Gain of each retrieved document, by rank. */
  readonly retrieved: Float64Array;
  /** Positive gains of all judged documents, descending: the ideal ranking. */
  readonly ideal: readonly number[];
}

const discount = (index: number) => Math.log2(index + 2);

function gainsOf(topic: JudgedTopic, overrides: GainOverrides): Gains {
  const gain = (grade: number) => overrides.get(grade) ?? Math.max(grade, 0);
  const levels = Array.from(topic.gradeCounts, (count, grade) => ({ gain: gain(grade), count }));
  // trec_eval compares gains by the whole part of their difference; the sort is stable like its own.
  levels.sort((a, b) => Math.trunc(a.gain - b.gain));
  const ideal: number[] = [];
  for (const level of levels.reverse()) {
    if (level.gain <= 0) break;
    for (let i = 0; i < level.count; i++) ideal.push(level.gain);
  }
  const known = topic.gradeCounts.length;
  const retrieved = Float64Array.from(topic.grades, (grade) =>
    overrides.has(grade) || (grade >= 0 && grade < known) ? gain(grade) : 0,
  );
  return { retrieved, ideal };
}

const total = (gains: ArrayLike<number>) => {
  let sum = 0;
  for (let i = 0; i < gains.length; i++) if (gains[i] !== 0) sum += gains[i]! / discount(i);
  return sum;
};

/** nDCG over the whole ranking. */
export function ndcgWithGains(topic: JudgedTopic, overrides: GainOverrides): number {
  const { retrieved, ideal } = gainsOf(topic, overrides);
  const best = total(ideal);
  return best > 0 ? total(retrieved) / best : 0;
}

/** nDCG averaged over the ranks of documents with a gain; those not retrieved count at the ranking's end. */
export function ndcgAtRelevant(topic: JudgedTopic, overrides: GainOverrides): number {
  const { retrieved, ideal } = gainsOf(topic, overrides);
  let sum = 0;
  let found = 0;
  let dcg = 0;
  let idealDcg = 0;
  for (let i = 0; i < Math.max(retrieved.length, ideal.length); i++) {
    const gain = retrieved[i] ?? 0;
    if (gain !== 0) dcg += gain / discount(i);
    if (i < ideal.length) idealDcg += ideal[i]! / discount(i);
    if (gain > 0) {
      sum += dcg / idealDcg;
      found++;
    }
  }
  sum += ((ideal.length - found) * dcg) / idealDcg;
  return sum > 0 ? sum / ideal.length : 0;
}

/** nDCG averaged over the ranks at which the ideal ranking's gain changes, and the ranking's end. */
export function ndcgAtLevels(topic: JudgedTopic, overrides: GainOverrides): number {
  if (topic.relevant === 0) return 0;
  const { retrieved, ideal } = gainsOf(topic, overrides);
  let sum = 0;
  let points = 0;
  let dcg = 0;
  let idealDcg = 0;
  const point = () => {
    if (idealDcg === 0) return;
    sum += dcg / idealDcg;
    points++;
  };
  for (let i = 0; i < Math.max(ideal.length + 1, retrieved.length); i++) {
    if (i > 0 && i <= ideal.length && ideal[i] !== ideal[i - 1]) point();
    const gain = retrieved[i] ?? 0;
    if (gain !== 0) dcg += gain / discount(i);
    if (i < ideal.length) idealDcg += ideal[i]! / discount(i);
  }
  if (retrieved.length > ideal.length + 1) point();
  return points === 0 ? 0 : sum / points;
}

/** G: each gain, discounted by how far the ideal ranking is ahead at its rank. */
export function normalisedGain(topic: JudgedTopic, overrides: GainOverrides): number {
  const { retrieved, ideal } = gainsOf(topic, overrides);
  let sum = 0;
  let gained = 0;
  let cost = 0;
  retrieved.forEach((gain, i) => {
    gained += gain;
    cost += Math.max(ideal[i] ?? 0, 1);
    if (gain !== 0) sum += gain / Math.log2(2 + cost - gained);
  });
  const best = ideal.reduce((a, b) => a + b, 0);
  return best > 0 ? sum / best : 0;
}

/** binG: G with gain 1 for every relevant document. */
export function binaryGain(topic: JudgedTopic): number {
  const { relevantRanks } = topic.ranking;
  let sum = 0;
  // Before the document at 0-based position i stand i - found others; m_binG.c counts it as found already.
  for (let found = 0; found < relevantRanks.length; found++) {
    sum += 1 / Math.log2(3 + (relevantRanks[found]! - 1) - (found + 1));
  }
  return relevantRanks.length === 0 ? 0 : sum / topic.relevant;
}

/**
 * Rank-biased precision with persistence `p`. Gains that leave [0, 1] are scaled into it; m_rbp.c starts
 * its search for the extremes at undefined values, which are taken as 0 here.
 */
export function rankBiasedPrecision(topic: JudgedTopic, overrides: GainOverrides, p: number): number {
  const { retrieved } = gainsOf(topic, overrides);
  const gains = [0, ...overrides.values(), ...topic.gradeCounts.keys()];
  const low = Math.min(...gains);
  const high = Math.max(...gains);
  const scaled = low < 0 || high > 1 ? (gain: number) => (gain - low) / (high - low) : (gain: number) => gain;
  let sum = 0;
  let weight = 1;
  retrieved.forEach((gain, i) => {
    if (topic.grades[i]! >= 0) sum += scaled(gain) * weight;
    weight *= p;
  });
  return (1 - p) * sum;
}

/** The most by which RBP could rise if unjudged documents were all relevant; 0 when all are judged. */
export function rankBiasedResidual(topic: JudgedTopic, p: number): number {
  let sum = 0;
  let weight = 1;
  for (const grade of topic.grades) {
    if (grade < 0) sum += weight;
    weight *= p;
  }
  return sum === 0 ? 0 : weight + (1 - p) * sum;
}
