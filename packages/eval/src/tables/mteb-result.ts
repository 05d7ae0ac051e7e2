/** A result in the layout of MTEB's own files, so that its leaderboard tools read it. Plain data. */
import { EvaluationError } from '../errors.js';
import type { RunEvaluation } from '../trec/evaluate-run.js';
import { rounded } from './decimal.js';

/** Cut-offs of MTEB's retrieval tasks. */
const cutoffs = [1, 3, 5, 10, 20, 100, 1000];
const families = { ndcg: 'nDCG', map: 'AP', recall: 'Recall', precision: 'P', mrr: 'RR' } as const;

/** The measures that {@link mtebResult} needs, by our names. */
export const mtebMeasures: readonly string[] = Object.values(families).flatMap((family) =>
  cutoffs.map((cutoff) => `${family}@${cutoff}`),
);

/** What a result is of. */
export interface MtebTask {
  /** MTEB's name of the task, for example `SciFact`. */
  readonly task: string;
  /** Default `test`. */
  readonly split?: string;
  /** Default `default`. */
  readonly subset?: string;
  /** As MTEB writes them, for example `eng-Latn`. */
  readonly languages?: readonly string[];
  /** Version of the data. Default `unknown`. */
  readonly revision?: string;
}

/**
 * The result of a run evaluated with {@link mtebMeasures}: `task_name` and `scores` by split, each score
 * rounded to five digits as MTEB does, `main_score` nDCG@10. Profile `beir` gives MTEB's own figures.
 *
 * @throws EvaluationError `INPUT_MEASURE` when one of the measures was not evaluated
 */
export function mtebResult(evaluation: RunEvaluation, task: MtebTask) {
  const scores: Record<string, number> = {};
  for (const [theirs, ours] of Object.entries(families)) {
    for (const cutoff of cutoffs) {
      const index = evaluation.columns.findIndex(({ name }) => name === `${ours}@${cutoff}`);
      const value = evaluation.summary[index];
      if (typeof value !== 'number') {
        throw new EvaluationError(
          'INPUT_MEASURE',
          `MTEB's format needs ${ours}@${cutoff}; evaluate with mtebMeasures.`,
        );
      }
      scores[`${theirs}_at_${cutoff}`] = Number(rounded(value, 5));
    }
  }
  const entry = {
    ...scores,
    main_score: scores.ndcg_at_10!,
    hf_subset: task.subset ?? 'default',
    languages: [...(task.languages ?? [])],
  };
  return {
    dataset_revision: task.revision ?? 'unknown',
    task_name: task.task,
    mteb_version: null,
    scores: { [task.split ?? 'test']: [entry] },
    evaluation_time: null,
    kg_co2_emissions: null,
  };
}
