/**
 * Joins a ranking with judgments, topic by topic, as trec_eval's form_res_rels.c does. Everything that a
 * measure may ask about a topic is worked out here; no measure is computed.
 */
import { EvaluationError } from '../errors.js';
import type { JudgedRanking } from '../measures/ranking.js';
import type { Profile } from '../profiles.js';
import { compareUtf8 } from '../search/tie-order.js';
import type { Qrels, TrecRun } from './files.js';

/** In {@link JudgedTopic.grades}: the document is not in the judgments of this topic. */
export const notInPool = -1;
/** In {@link JudgedTopic.grades}: the document is in the judgments with a negative grade, so not judged. */
export const unjudgedInPool = -2;

/** How {@link judgeTopics} reads a run; trec_eval's flag in brackets. */
export interface JudgeOptions {
  /** [-l] Least grade that counts as relevant. Default 1. */
  readonly relevanceLevel?: number;
  /** [-M] How many documents of each topic are looked at. Default: all. */
  readonly depth?: number;
  /** [-J] Documents that were not judged are taken out of the ranking. Default false. */
  readonly judgedOnly?: boolean;
}

/** One topic's ranking with its judgments. */
export interface JudgedTopic {
  readonly topic: string;
  /** Its relevant and graded ranks, from which `measures/` are computed. */
  readonly ranking: JudgedRanking;
  /** By rank: the grade, {@link notInPool} or {@link unjudgedInPool}. */
  readonly grades: Int32Array;
  readonly relevanceLevel: number;
  readonly retrieved: number;
  readonly relevant: number;
  readonly relevantRetrieved: number;
  /** How many documents have grade 0, 1, ... up to the highest there is; negative grades are not counted. */
  readonly gradeCounts: Uint32Array;
}

/** What {@link judgeTopics} found. */
export interface JudgedRun {
  /** Topics that are both judged and ranked, in the order of their bytes. */
  readonly topics: readonly JudgedTopic[];
  /** Judged topics that the run lacks. */
  readonly missing: readonly string[];
  /** Topics of the run without judgments; every tool leaves them out. */
  readonly withoutJudgments: readonly string[];
  /** Retrieved documents of judged topics that the judgments do not name; they count as not relevant. */
  readonly unknownDocuments: number;
}

/**
 * Judges every topic that the run and the judgments share.
 *
 * @throws EvaluationError `INPUT_TREC` for a score that is NaN
 */
export function judgeTopics(
  qrels: Qrels,
  run: TrecRun,
  profile: Profile,
  options: JudgeOptions = {},
): JudgedRun {
  const topics: JudgedTopic[] = [];
  const withoutJudgments: string[] = [];
  let unknownDocuments = 0;
  for (const topic of [...run.topics.keys()].sort(compareUtf8)) {
    const judgments = qrels.get(topic);
    if (judgments === undefined) {
      withoutJudgments.push(topic);
      continue;
    }
    const ranked = rankDocuments(run.topics.get(topic)!, profile, topic);
    unknownDocuments += ranked.reduce((count, id) => count + (judgments.has(id) ? 0 : 1), 0);
    topics.push(judgeTopic(topic, ranked, judgments, options));
  }
  const missing = [...qrels.keys()].filter((topic) => !run.topics.has(topic));
  return { topics, missing, withoutJudgments, unknownDocuments };
}

/** Ids by descending score; ties and ids equal to the topic's as the profile says. */
function rankDocuments(scores: ReadonlyMap<string, number>, profile: Profile, topic: string): string[] {
  const keep = profile.runs.scores === 'f32' ? Math.fround : (score: number) => score;
  const sign = profile.ties === 'id-ascending' ? 1 : -1;
  const entries: { id: string; score: number }[] = [];
  for (const [id, score] of scores) {
    if (Number.isNaN(keep(score))) {
      throw new EvaluationError(
        'INPUT_TREC',
        `The score of document "${id}" of query "${topic}" is NaN, which has no rank.`,
      );
    }
    if (profile.identicalIds === 'keep' || id !== topic) entries.push({ id, score: keep(score) });
  }
  entries.sort((a, b) => {
    if (a.score !== b.score) return a.score > b.score ? -1 : 1;
    return sign * compareUtf8(a.id, b.id);
  });
  return entries.map(({ id }) => id);
}

/** Judges one ranked list of document ids. */
export function judgeTopic(
  topic: string,
  ranked: readonly string[],
  judgments: ReadonlyMap<string, number>,
  options: JudgeOptions = {},
): JudgedTopic {
  const { relevanceLevel = 1, depth = ranked.length, judgedOnly = false } = options;
  let found = ranked.slice(0, depth).map((id) => {
    const grade = judgments.get(id);
    return grade === undefined ? notInPool : grade < 0 ? unjudgedInPool : grade;
  });
  if (judgedOnly) found = found.filter((grade) => grade >= 0);
  const relevantRanks: number[] = [];
  const judgedRanks: number[] = [];
  const ranks: number[] = [];
  const grades: number[] = [];
  found.forEach((grade, index) => {
    if (grade >= 0) judgedRanks.push(index + 1);
    if (grade >= relevanceLevel) relevantRanks.push(index + 1);
    if (grade > 0) {
      ranks.push(index + 1);
      grades.push(grade);
    }
  });
  const counted = [...judgments.values()].filter((grade) => grade >= 0).sort((a, b) => b - a);
  const gradeCounts = new Uint32Array((counted[0] ?? -1) + 1);
  for (const grade of counted) gradeCounts[grade]!++;
  const relevant = counted.filter((grade) => grade >= relevanceLevel).length;
  const ideal = counted.filter((grade) => grade > 0);
  const retrieved = found.length;
  return {
    topic,
    ranking: { relevantRanks, relevant, graded: { ranks, grades, ideal }, retrieved, judgedRanks },
    grades: Int32Array.from(found),
    relevanceLevel,
    retrieved,
    relevant,
    relevantRetrieved: relevantRanks.length,
    gradeCounts,
  };
}
