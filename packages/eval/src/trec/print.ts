/** Writes figures of a run as other tools do: trec_eval's lines, pytrec_eval's dictionary. */
import { rounded } from '../tables/decimal.js';
import type { RunEvaluation } from './evaluate-run.js';

/** What {@link trecLines} prints; trec_eval's flag in brackets. */
export interface TrecLineOptions {
  /** [-q] A block for every topic. Default false. */
  readonly perTopic?: boolean;
  /** [-n turns it off] The block over all topics. Default true. */
  readonly summary?: boolean;
}

/** Lines as trec_eval prints them, without ends: measure, topic and value, with tabs between. */
export function* trecLines(evaluation: RunEvaluation, options: TrecLineOptions = {}): Generator<string> {
  const { columns } = evaluation;
  const line = (index: number, topic: string, value: number | string) => {
    const { name, summary } = columns[index]!;
    const printed = typeof value === 'string' ? value : summary === 'sum' ? String(value) : rounded(value, 4);
    return `${name.padEnd(22)}\t${topic}\t${printed}`;
  };
  if (options.perTopic) {
    for (const { topic, values } of evaluation.topics) {
      for (const [index, value] of values.entries()) {
        if (columns[index]!.perTopic) yield line(index, topic, value);
      }
    }
  }
  if (options.summary ?? true) {
    for (const [index, value] of evaluation.summary.entries()) {
      if (value !== undefined) yield line(index, 'all', value);
    }
  }
}

/** pytrec_eval's result: topic, then measure, then value. Texts and figures over all topics are not in it. */
export function topicValues(evaluation: RunEvaluation): Record<string, Record<string, number>> {
  return Object.fromEntries(
    evaluation.topics.map(({ topic, values }) => [
      topic,
      Object.fromEntries(
        values.flatMap((value, index) => {
          const { name, perTopic } = evaluation.columns[index]!;
          return perTopic && typeof value === 'number' ? [[name, value] as const] : [];
        }),
      ),
    ]),
  );
}
