/**
 * What an evaluation reads of a collection. `ParallelCollection` of @synglot/data has this shape, and so
 * may any plain object: texts are not needed, their embeddings are given separately.
 */
import { Fingerprint } from '@synglot/data';

/** Queries and candidates of several languages, and which candidates are relevant to each query. */
export interface RetrievalCollection {
  readonly name: string;
  readonly langs: readonly string[];
  /** `parallel_id` is shared by translations of one question; without it, see `questionsOf`. */
  readonly queries: readonly {
    readonly id: string;
    readonly lang: string;
    readonly parallel_id?: string;
    readonly text?: string;
  }[];
  readonly candidates: readonly { readonly id: string; readonly lang: string; readonly text?: string }[];
  /** Per query: distinct indices into `candidates`, of all languages. */
  readonly relevant: readonly ArrayLike<number>[];
}

/** Queries of one language for which no candidate of another (or the same) is relevant. */
export interface MissingRelevant {
  readonly query_lang: string;
  readonly candidate_lang: string;
  readonly queries: number;
  /** Id of the first such query. */
  readonly example: string;
}

/** Digest of ids, languages, texts if there are any, and judgments: ids alone may name other questions elsewhere. */
export function digestOf({ queries, candidates, relevant }: RetrievalCollection): string {
  const print = new Fingerprint();
  for (const { id, lang, text = '' } of [...queries, ...candidates]) print.add(id).add(lang).add(text);
  for (const passages of relevant) print.add(Array.from(passages).join(' '));
  return print.digest();
}

/** Lists the language pairs in which some query has no relevant candidate; empty if fully parallel. */
export function missingRelevant(collection: RetrievalCollection): MissingRelevant[] {
  const found = new Map<
    string,
    { query_lang: string; candidate_lang: string; queries: number; example: string }
  >();
  collection.queries.forEach((query, index) => {
    const covered = new Set<string>();
    for (const candidate of Array.from(collection.relevant[index]!)) {
      covered.add(collection.candidates[candidate]!.lang);
    }
    for (const lang of collection.langs) {
      if (covered.has(lang)) continue;
      const key = `${query.lang}\n${lang}`;
      const entry = found.get(key);
      if (entry !== undefined) entry.queries++;
      else found.set(key, { query_lang: query.lang, candidate_lang: lang, queries: 1, example: query.id });
    }
  });
  return [...found.values()];
}
