/**
 * Scoring of queries against candidates: the interface that a device implements, and a plain reference.
 * Not a search: it yields every score.
 */

/** Computes dot products. */
export interface Scorer {
  /**
   * Scores every query against every candidate by the dot product of their embeddings, in f32: half
   * precision makes ties that are not there.
   *
   * Within one evaluation `candidates` is the same array with the same values at every call, so that a device may keep
   * it.
   *
   * @param queries - [Q x D], row by row
   * @param candidates - [C x D]
   * @param dimension - D
   * @returns [Q x C]; it may be overwritten by the next call
   */
  score(queries: Float32Array, candidates: Float32Array, dimension: number): Promise<Float32Array>;
}

/** The exact reference: sums in f64, rounds once to f32. Slow; for tests and small collections. */
export const referenceScorer: Scorer = {
  score(queries, candidates, dimension) {
    const queryCount = queries.length / dimension;
    const candidateCount = candidates.length / dimension;
    const scores = new Float32Array(queryCount * candidateCount);
    for (let q = 0; q < queryCount; q++) {
      for (let c = 0; c < candidateCount; c++) {
        let sum = 0;
        for (let d = 0; d < dimension; d++) {
          sum += queries[q * dimension + d]! * candidates[c * dimension + d]!;
        }
        scores[q * candidateCount + c] = sum;
      }
    }
    return Promise.resolve(scores);
  },
};
