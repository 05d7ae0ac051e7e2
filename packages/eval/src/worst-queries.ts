/**
 * The queries that a model serves worst, with what it ranked first: where to look if a figure is low.
 * Plain data, a section of the report's JSON.
 */
import type { RetrievalCollection } from './collection.js';
import { type ProfileName, profileNamed } from './profiles.js';
import type { PerQueryValues } from './report.js';
import type { Scorer } from './search/scorer.js';
import { tieOrder } from './search/tie-order.js';
import { topK } from './search/top-k.js';

/** A query with its value and the passages that were ranked first in the mixed pool. */
export interface WorstQuery {
  readonly id: string;
  readonly lang: string;
  readonly text: string;
  readonly setting: 'multilingual';
  readonly value: number;
  readonly ranking: readonly {
    readonly rank: number;
    readonly id: string;
    readonly lang: string;
    readonly text: string;
    readonly score: number;
    readonly relevant: boolean;
  }[];
}

/** Options of {@link worstQueries}. */
export interface WorstQueriesOptions {
  readonly collection: RetrievalCollection & {
    readonly queries: readonly { readonly text: string }[];
    readonly candidates: readonly { readonly text: string }[];
  };
  readonly queryEmbeddings: Float32Array;
  readonly candidateEmbeddings: Float32Array;
  readonly dimension: number;
  readonly scorer: Scorer;
  readonly perQuery: PerQueryValues;
  /** The measure that decides, as in `perQuery`. */
  readonly measure: string;
  readonly profile: ProfileName;
  /** How many queries. Default 20. */
  readonly count?: number;
  /** Passages shown for each. Default 10. */
  readonly depth?: number;
}

/** The `count` queries with the lowest value in the mixed pool, lowest first; equal ones by id. */
export async function worstQueries(options: WorstQueriesOptions): Promise<WorstQuery[]> {
  const { collection, queryEmbeddings, candidateEmbeddings, dimension, perQuery, measure } = options;
  const values = perQuery.multilingual[measure] ?? [];
  const worst = values
    .flatMap((value, query) => (value === null ? [] : [{ query, value }]))
    .sort((a, b) => a.value - b.value || compareIds(collection, a.query, b.query))
    .slice(0, options.count ?? 20);
  if (worst.length === 0) return [];
  const vectors = new Float32Array(worst.length * dimension);
  worst.forEach(({ query }, row) => {
    vectors.set(queryEmbeddings.subarray(query * dimension, (query + 1) * dimension), row * dimension);
  });
  const scores = await options.scorer.score(vectors, candidateEmbeddings, dimension);
  const { ties: tieRule, identicalIds } = profileNamed(options.profile);
  const all = Uint32Array.from(collection.candidates.keys());
  const ties = tieOrder(
    collection.candidates.map(({ id }) => id),
    tieRule,
  );
  return worst.map(({ query, value }, row) => {
    const offset = row * all.length;
    const { id, lang, text } = collection.queries[query] as (typeof collection.queries)[number];
    const pool =
      identicalIds === 'drop' ? all.filter((index) => collection.candidates[index]?.id !== id) : all;
    const relevant = new Set(Array.from(collection.relevant[query] ?? []));
    const ranking = [...topK(scores, offset, pool, options.depth ?? 10, ties)].map((index, position) => {
      const passage = collection.candidates[index] as (typeof collection.candidates)[number];
      return {
        rank: position + 1,
        id: passage.id,
        lang: passage.lang,
        text: passage.text,
        score: scores[offset + index] as number,
        relevant: relevant.has(index),
      };
    });
    return { id, lang, text, setting: 'multilingual', value, ranking };
  });
}

function compareIds({ queries }: RetrievalCollection, a: number, b: number): number {
  const [first, second] = [queries[a]?.id ?? '', queries[b]?.id ?? ''];
  return first < second ? -1 : first > second ? 1 : 0;
}
