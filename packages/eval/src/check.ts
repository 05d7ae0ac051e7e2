/** Checks of what an evaluation is given and of what its scorer returns. NaN has no rank, so none may pass. */
import type { RetrievalCollection } from './collection.js';
import { EvaluationError } from './errors.js';

/** Throws `INPUT_EMBEDDINGS` unless `embeddings` is [items x dimension] and finite. */
export function checkEmbeddings(
  embeddings: Float32Array,
  items: RetrievalCollection['queries'],
  dimension: number,
  what: string,
): void {
  if (!Number.isInteger(dimension) || dimension < 1 || embeddings.length !== items.length * dimension) {
    throw new EvaluationError(
      'INPUT_EMBEDDINGS',
      `${what} embeddings: expected ${items.length} x ${dimension} values, got ${embeddings.length}.`,
    );
  }
  const bad = embeddings.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new EvaluationError(
      'INPUT_EMBEDDINGS',
      `${what} embeddings: value ${bad % dimension} of "${items[Math.floor(bad / dimension)]!.id}" is ${embeddings[bad]}, expected a finite number; did training diverge?`,
    );
  }
}

/**
 * Throws `INPUT_COLLECTION` unless every language is in `langs`, and every query has distinct candidates as its
 * relevant ones: one that counted twice would give an average precision above 1.
 */
export function checkCollection({ name, langs, queries, candidates, relevant }: RetrievalCollection): void {
  const fault = (text: string) => new EvaluationError('INPUT_COLLECTION', `${name}: ${text}`);
  for (const { id, lang } of [...queries, ...candidates]) {
    if (!langs.includes(lang)) throw fault(`"${id}" is in "${lang}", but langs has ${langs.join(', ')}`);
  }
  if (relevant.length !== queries.length) {
    throw fault(`expected relevant candidates of ${queries.length} queries but received ${relevant.length}`);
  }
  relevant.forEach((list, index) => {
    const seen = new Set<number>();
    for (const candidate of Array.from(list)) {
      const query = queries[index]!.id;
      if (!(candidate in candidates)) {
        throw fault(
          `relevant candidate ${candidate} of query "${query}": expected an index below ${candidates.length}`,
        );
      }
      if (seen.has(candidate)) {
        throw fault(`candidate "${candidates[candidate]!.id}" is relevant to query "${query}" twice`);
      }
      seen.add(candidate);
    }
  });
}

/** Throws `SCORER_RESULT` unless `scores` is [end - begin, candidates] without NaN. */
export function checkScores(
  scores: Float32Array,
  begin: number,
  end: number,
  { queries, candidates }: RetrievalCollection,
): void {
  const expected = (end - begin) * candidates.length;
  if (scores.length !== expected) {
    throw new EvaluationError(
      'SCORER_RESULT',
      `The scorer returned ${scores.length} scores for ${end - begin} queries x ${candidates.length} candidates, expected ${expected}.`,
    );
  }
  // A plain loop: there may be hundreds of millions of scores in an evaluation.
  let bad = 0;
  while (bad < expected && !Number.isNaN(scores[bad]!)) bad++;
  if (bad < expected) {
    const query = queries[begin + Math.floor(bad / candidates.length)]!;
    const candidate = candidates[bad % candidates.length]!;
    throw new EvaluationError(
      'SCORER_RESULT',
      `The score of query "${query.id}" and "${candidate.id}" is NaN.`,
    );
  }
}
