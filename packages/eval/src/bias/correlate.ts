/** Ranks the whole mixed pool for every translation of every question, and correlates the rankings. */
import { checkScores } from '../check.js';
import type { RetrievalCollection } from '../collection.js';
import { EvaluationError } from '../errors.js';
import type { Scorer } from '../search/scorer.js';
import { questionsOf } from './questions.js';
import {
  fullRanks,
  largestRankedPool,
  MeanRankCorrelation,
  type RankCorrelation,
} from './rank-correlation.js';

/** What {@link correlateRankings} takes; as in `evaluateRetrieval`. */
export interface CorrelateOptions {
  readonly collection: RetrievalCollection;
  readonly queryEmbeddings: Float32Array;
  readonly candidateEmbeddings: Float32Array;
  readonly dimension: number;
  readonly scorer: Scorer;
  /** Order of equal scores, see `tieOrder`. */
  readonly ties: Uint32Array;
}

/**
 * Mean rank correlation of a collection's parallel questions, or null when none is parallel. Where a
 * language asks a question twice, the first counts. Scores every query once more, question by question.
 *
 * @throws EvaluationError `INPUT_COLLECTION` for a pool of more than 2^21 passages, `SCORER_RESULT`
 */
export async function correlateRankings(options: CorrelateOptions): Promise<RankCorrelation | null> {
  const { collection, dimension, scorer, ties } = options;
  const { queries, candidates } = collection;
  if (candidates.length > largestRankedPool) {
    throw new EvaluationError(
      'INPUT_COLLECTION',
      `${collection.name}: rank correlation orders every passage for every query, at most ${largestRankedPool} of them; there are ${candidates.length}.`,
    );
  }
  const byQuestion = new Map<string, Map<string, number>>();
  for (const [index, question] of questionsOf(collection).entries()) {
    const langs = byQuestion.get(question) ?? new Map<string, number>();
    if (!langs.has(queries[index]!.lang)) langs.set(queries[index]!.lang, index);
    byQuestion.set(question, langs);
  }
  const pool = Uint32Array.from(candidates.keys());
  const correlation = new MeanRankCorrelation();
  for (const langs of byQuestion.values()) {
    if (langs.size < 2) continue;
    const block = new Float32Array(langs.size * dimension);
    const asked = [...langs.values()];
    for (const [row, index] of asked.entries()) {
      block.set(
        options.queryEmbeddings.subarray(index * dimension, (index + 1) * dimension),
        row * dimension,
      );
    }
    const scores = await scorer.score(block, options.candidateEmbeddings, dimension);
    checkScores(scores, 0, asked.length, { ...collection, queries: asked.map((index) => queries[index]!) });
    correlation.add(
      new Map(
        [...langs.keys()].map((lang, row) => [lang, fullRanks(scores, row * candidates.length, pool, ties)]),
      ),
    );
  }
  return correlation.result();
}
