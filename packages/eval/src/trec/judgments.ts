/**
 * trec_eval's measures on judged and unjudged documents and on sets: `bpref`, `infAP`, `unj`, precision at
 * shares of the relevant, and the `set_` family. Sources: m_bpref.c, m_infap.c, m_unjudged.c,
 * m_iprec_at_recall.c, m_11pt_avg.c, m_Rprec_mult.c, m_rel_P.c, m_set_*.c, m_utility.c of trec_eval 10.
 */
import type { JudgedTopic } from './judge.js';
import { notInPool, unjudgedInPool } from './judge.js';

const infApEpsilon = 0.00001;

/** Binary preference: how many relevant documents stand before judged non-relevant ones. */
export function binaryPreference({ grades, relevant, relevanceLevel, gradeCounts }: JudgedTopic): number {
  let nonRelevant = 0;
  for (let grade = 0; grade < Math.min(relevanceLevel, gradeCounts.length); grade++) {
    nonRelevant += gradeCounts[grade]!;
  }
  let before = 0;
  let sum = 0;
  for (const grade of grades) {
    if (grade < 0) continue;
    if (grade < relevanceLevel) before++;
    else sum += before === 0 ? 1 : 1 - Math.min(before, relevant) / Math.min(nonRelevant, relevant);
  }
  return relevant === 0 ? 0 : sum / relevant;
}

/** Inferred average precision (Yilmaz and Aslam 2006), for pools of which a sample was judged. */
export function inferredAp({ grades, relevant, relevanceLevel }: JudgedTopic): number {
  let nonRelevant = 0;
  let found = 0;
  let unjudged = 0;
  let sum = 0;
  grades.forEach((grade, index) => {
    if (grade === notInPool) return;
    if (grade === unjudgedInPool) unjudged++;
    else if (grade < relevanceLevel) nonRelevant++;
    else {
      const before = found++;
      if (index === 0) sum += 1;
      else {
        const precision = (before + infApEpsilon) / (before + nonRelevant + 2 * infApEpsilon);
        const pooled = (before + nonRelevant + unjudged) / index;
        sum += 1 / (index + 1) + (index / (index + 1)) * pooled * precision;
      }
    }
  });
  return relevant === 0 ? 0 : sum / relevant;
}

/** Share of unjudged documents among the first k, divided by k. */
export function unjudgedShare({ grades }: JudgedTopic, cutoff: number): number {
  return grades.subarray(0, cutoff).filter((grade) => grade < 0).length / cutoff;
}

/** A recall level as a number of relevant documents. Version 9 of trec_eval added 0.9, 10 rounds. */
const relevantAtLevel = (level: number, relevant: number) => Math.trunc(level * relevant + 0.5);

/** Precision at a recall level: the highest precision at it or beyond. */
export function interpolatedPrecision(topic: JudgedTopic, recallLevel: number): number {
  const { relevantRanks } = topic.ranking;
  const from = relevantAtLevel(recallLevel, topic.relevant);
  if (topic.retrieved === 0 || from > relevantRanks.length) return 0;
  let best = relevantRanks.length / topic.retrieved;
  for (let found = relevantRanks.length; found >= Math.max(from, 1); found--) {
    best = Math.max(best, found / relevantRanks[found - 1]!);
  }
  return best;
}

/** Mean of the interpolated precision at several recall levels. */
export function meanInterpolatedPrecision(topic: JudgedTopic, recallLevels: readonly number[]): number {
  // Summed from the last level on, as trec_eval does.
  let sum = 0;
  for (const level of [...recallLevels].reverse()) sum += interpolatedPrecision(topic, level);
  return sum / recallLevels.length;
}

/** Precision at a multiple of the number of relevant documents. */
export function precisionAtMultiple(topic: JudgedTopic, multiple: number): number {
  // The 0.9 is trec_eval's.
  const cutoff = Math.trunc(multiple * topic.relevant + 0.9);
  const found = topic.ranking.relevantRanks as readonly number[];
  const within = found.filter((rank) => rank <= cutoff).length;
  return cutoff === 0 ? 0 : within / cutoff;
}

/** Precision at k relative to the best possible one. */
export function relativePrecision(topic: JudgedTopic, cutoff: number): number {
  const found = topic.ranking.relevantRanks as readonly number[];
  const within = found.filter((rank) => rank <= cutoff).length;
  return topic.relevant === 0 ? 0 : within / Math.min(cutoff, topic.relevant);
}

/** Retrieved documents that were judged and are not relevant. */
export function judgedNonRelevant({ grades, relevantRetrieved }: JudgedTopic): number {
  return grades.filter((grade) => grade >= 0).length - relevantRetrieved;
}

/** Precision and recall of the retrieved documents as a set. */
export const setPrecision = ({ relevantRetrieved, retrieved }: JudgedTopic) =>
  retrieved === 0 ? 0 : relevantRetrieved / retrieved;
export const setRecall = ({ relevantRetrieved, relevant }: JudgedTopic) =>
  relevant === 0 ? 0 : relevantRetrieved / relevant;

/** Set precision relative to the best that so many retrieved documents could have. */
export const setRelativePrecision = ({ relevantRetrieved, retrieved, relevant }: JudgedTopic) =>
  retrieved === 0 || relevant === 0 ? 0 : relevantRetrieved / Math.min(retrieved, relevant);

/** Set precision times set recall. */
export const setMap = ({ relevantRetrieved, retrieved, relevant }: JudgedTopic) =>
  retrieved === 0 || relevant === 0 ? 0 : (relevantRetrieved * relevantRetrieved) / (retrieved * relevant);

/** F measure of the set; `x` is the weight of recall against precision, 1 by default. */
export function setF(topic: JudgedTopic, x: number): number {
  const precision = setPrecision(topic);
  const recall = setRecall(topic);
  return topic.relevantRetrieved === 0 ? 0 : ((x + 1) * precision * recall) / (x * precision + recall);
}

/** Worth of a set: coefficients for found relevant, found others, missed relevant (and missed others). */
export function utility(topic: JudgedTopic, coefficients: readonly number[]): number {
  const { relevantRetrieved, retrieved, relevant } = topic;
  const [a = 0, b = 0, c = 0, d = 0] = coefficients;
  return (
    a * relevantRetrieved +
    b * (retrieved - relevantRetrieved) +
    c * (relevant - relevantRetrieved) +
    d * (relevantRetrieved - retrieved - relevant)
  );
}
