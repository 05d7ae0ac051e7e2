/**
 * Bitext retrieval: for each sentence the nearest one in the other language; right when it is the
 * translation (LASER, arXiv 1812.10464; Tatoeba in XTREME). Accuracy at 1, in both directions.
 */
import type { Executor } from '@synglot/gpu';
import { searchTopK } from '../search/device-search.js';
import { memoryVectors } from '../search/vector-source.js';

/** The result for one pair of languages. */
export interface BitextReport {
  collection: string;
  langs: readonly [string, string];
  sentences: number;
  /** Share of the first language's sentences whose nearest in the second is their translation. */
  accuracy_forward: number;
  /** The other direction. */
  accuracy_backward: number;
}

/**
 * Evaluates the embeddings of a bitext. Of equally near sentences the earlier one counts.
 *
 * @param embeddings [sentences, dimension] of each side, normalised for the cosine
 */
export async function evaluateBitext(
  executor: Executor,
  bitext: { readonly name: string; readonly langs: readonly [string, string] },
  embeddings: readonly [Float32Array, Float32Array],
  dimension: number,
): Promise<BitextReport> {
  const [first, second] = embeddings;
  const sentences = first.length / dimension;
  return {
    collection: bitext.name,
    langs: bitext.langs,
    sentences,
    accuracy_forward: await accuracy(executor, first, second, dimension),
    accuracy_backward: await accuracy(executor, second, first, dimension),
  };
}

async function accuracy(
  executor: Executor,
  queries: Float32Array,
  passages: Float32Array,
  dimension: number,
): Promise<number> {
  const count = passages.length / dimension;
  // Ids of one length, so that they sort as the lines do.
  const ids = Array.from({ length: count }, (_, line) => String(line).padStart(9, '0'));
  const source = memoryVectors(passages, dimension, ids);
  const hits = await searchTopK({ executor, queries, source, k: 1, ties: 'id-ascending' });
  return hits.filter(({ rows }, line) => rows[0] === line).length / count;
}
