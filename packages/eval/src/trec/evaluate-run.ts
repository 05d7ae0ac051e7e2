/** Evaluates a run: every column for every topic, and over all topics. Computes nothing itself, prints nothing. */
import { EvaluationError } from '../errors.js';
import { measureNamed } from '../measures/index.js';
import { type Profile, type ProfileName, profileNamed } from '../profiles.js';
import { compareUtf8 } from '../search/tie-order.js';
import { type Column, isTrecName, trecColumns } from './columns.js';
import type { Qrels, TrecRun } from './files.js';
import { type JudgeOptions, judgeTopic, judgeTopics } from './judge.js';

/** Options of {@link evaluateRun}; trec_eval's flag in brackets. */
export interface EvaluateRunOptions extends JudgeOptions {
  /** Default `trec_eval`. */
  readonly profile?: ProfileName;
  /**
   * [-m] Measures by our names (`nDCG@10`) or, in profiles whose measures are trec_eval's, by its own
   * (`ndcg_cut.10`, `official`). Default: `official` there, else the profile's mAP, nDCG@10 and Recall@100.
   */
  readonly measures?: readonly string[];
  /** [-c] Judged topics that the run lacks count as 0. Default: as the profile's tool does. */
  readonly complete?: boolean;
}

/** Figures of one run. */
export interface RunEvaluation {
  readonly profile: ProfileName;
  readonly tag: string;
  readonly columns: readonly Column[];
  /** Evaluated topics in the order of their bytes, each with a value per column. */
  readonly topics: readonly { readonly topic: string; readonly values: readonly (number | string)[] }[];
  /** Value per column over all topics; undefined where there is none. */
  readonly summary: readonly (number | string | undefined)[];
  /** What was left out or filled in, one line each, for the user to know. */
  readonly notes: readonly string[];
}

/**
 * Evaluates `run` against `qrels` as the profile's tool does.
 *
 * @throws EvaluationError `INPUT_MEASURE`, `INPUT_PROFILE`, or `INPUT_TREC` for a score that is NaN and when no topic is
 *   both ranked and judged
 * @example
 * evaluateRun(qrels, run, { measures: ['map', 'ndcg_cut.10'] }).summary // [0.1785, 0.3016]
 */
export function evaluateRun(qrels: Qrels, run: TrecRun, options: EvaluateRunOptions = {}): RunEvaluation {
  const profile = profileNamed(options.profile ?? 'trec_eval');
  const columns = columnsNamed(options.measures, profile);
  const judged = judgeTopics(qrels, run, profile, options);
  const complete = options.complete ?? profile.runs.missing === 'zero';
  const empty = complete
    ? judged.missing.map((topic) => judgeTopic(topic, [], qrels.get(topic)!, options))
    : [];
  const kept = [...judged.topics, ...empty]
    .filter(({ relevant }) => relevant > 0 || profile.runs.noRelevant === 'zero')
    .sort((a, b) => compareUtf8(a.topic, b.topic));
  if (judged.topics.length === 0 || kept.length === 0) {
    throw new EvaluationError(
      'INPUT_TREC',
      `No topic of the run "${run.tag}" has judgments to measure it by (it has ${run.topics.size} topics, the judgments have ${qrels.size}); do the two files belong together?`,
    );
  }
  const topics = kept.map((topic) => ({
    topic: topic.topic,
    values: columns.map((column) => column.evaluate(topic)),
  }));
  const sum = (index: number) => topics.reduce((total, { values }) => total + (values[index] as number), 0);
  const summary = columns.map(({ summary: kind }, index) => {
    switch (kind) {
      case 'run':
        return run.tag;
      case 'sum':
        return sum(index);
      case 'mean':
        return sum(index) / topics.length;
      case 'geometric':
        return Math.exp(sum(index) / topics.length);
      default:
        return undefined;
    }
  });
  const notes = [
    ...note(
      judged.withoutJudgments,
      'of the run has no judgments and is left out',
      'of the run have no judgments and are left out',
    ),
    ...(complete
      ? note(
          judged.missing,
          'is judged but not in the run and counts as 0',
          'are judged but not in the run and count as 0',
        )
      : note(
          judged.missing,
          'is judged but not in the run and is left out',
          'are judged but not in the run and are left out',
        )),
    ...note(
      judged.topics.filter(({ relevant }) => relevant === 0).map(({ topic }) => topic),
      `has no relevant document and ${profile.runs.noRelevant === 'zero' ? 'counts as 0' : 'is left out'}`,
      `have no relevant document and ${profile.runs.noRelevant === 'zero' ? 'count as 0' : 'are left out'}`,
    ),
  ];
  const unknown = judged.unknownDocuments;
  if (unknown > 0) {
    const subject = unknown === 1 ? '1 retrieved document is' : `${unknown} retrieved documents are`;
    notes.push(`${subject} not in the judgments and not counted as relevant`);
  }
  return { profile: profile.name, tag: run.tag, columns, topics, summary, notes };
}

/** The columns of these names in a profile; see {@link EvaluateRunOptions.measures}. */
function columnsNamed(measures: readonly string[] | undefined, profile: Profile): Column[] {
  const { trecNames } = profile.runs;
  const wanted =
    measures ?? (trecNames ? ['official'] : [...new Set([profile.map, 'nDCG@10', 'Recall@100'])]);
  const isOurs = (name: string) => /@\d/.test(name) || !isTrecName(name) || !trecNames;
  const theirs = wanted.filter((name) => !isOurs(name));
  const ours = wanted.filter(isOurs).map((name): Column => {
    if (!trecNames && isTrecName(name) && !/^(AP|nDCG|RR|Rprec)$/.test(name)) {
      throw new EvaluationError(
        'INPUT_MEASURE',
        `-m ${name}: trec_eval's measures go with the profiles trec_eval and beir; in ${profile.name} write nDCG@10, RR@10, AP@20, Recall@100 and so on.`,
      );
    }
    const measure = measureNamed(name, profile);
    return { name, summary: 'mean', perTopic: true, evaluate: (topic) => measure.evaluate(topic.ranking) };
  });
  return [...(theirs.length > 0 ? trecColumns(theirs) : []), ...ours];
}

function note(topics: readonly string[], one: string, several: string): string[] {
  if (topics.length === 0) return [];
  return [
    topics.length === 1
      ? `topic "${topics[0]}" ${one}`
      : `${topics.length} topics (the first is "${topics[0]}") ${several}`,
  ];
}
