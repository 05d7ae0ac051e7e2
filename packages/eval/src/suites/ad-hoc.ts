/**
 * Evaluates rankings of a judged collection: per query, per query language, and their means. Rankings come
 * from a search, a run file or predictions; this computes no scores.
 */
import { EvaluationError } from '../errors.js';
import { mean } from '../means.js';
import { measureNamed } from '../measures/index.js';
import { type ProfileName, profileNamed } from '../profiles.js';
import type { MeasureMeans } from '../report.js';
import { judgeTopic } from '../trec/judge.js';

/** What an evaluation reads of a collection; `AdHocCollection` of @synglot/data has this shape. */
export interface JudgedCollection {
  readonly name: string;
  readonly lang: string | undefined;
  readonly queries: readonly { readonly id: string; readonly lang: string }[];
  readonly judgments: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly measures: readonly string[];
  readonly profile: string;
}

/** The result for one collection; plain data, written as JSON as it stands. */
export interface AdHocReport {
  collection: string;
  /** Language of the documents; null if they are in several. */
  lang: string | null;
  profile: ProfileName;
  measures: string[];
  queries: number;
  documents: number;
  /** Means over the queries; if they are in several languages, macro means over the languages. */
  means: MeasureMeans;
  by_query_lang: Record<string, MeasureMeans>;
  per_query: Record<string, MeasureMeans>;
}

/**
 * Judges one ranking per query.
 *
 * @param rankings ids of the ranked documents, best first, in the order of `collection.queries`; they may be
 *   longer than the cut-offs but must reach them
 * @param documents size of the corpus, for the report
 * @throws EvaluationError `INPUT_MEASURE`, `INPUT_PROFILE`, `INPUT_COLLECTION` where the profile leaves all out
 */
export function evaluateRankings(
  collection: JudgedCollection,
  rankings: readonly (readonly string[])[],
  documents: number,
  options: { readonly profile?: string; readonly measures?: readonly string[] } = {},
): AdHocReport {
  const profile = profileNamed(options.profile ?? collection.profile);
  const names = [...new Set(options.measures ?? collection.measures)];
  const measures = names.map((name) => measureNamed(name, profile));
  const perQuery = new Map<string, MeasureMeans>();
  const byLang = new Map<string, MeasureMeans[]>();
  for (const [index, query] of collection.queries.entries()) {
    const grades = collection.judgments.get(query.id) ?? new Map<string, number>();
    const ranked =
      profile.identicalIds === 'drop' ? rankings[index]!.filter((id) => id !== query.id) : rankings[index]!;
    const { ranking: judged } = judgeTopic(query.id, ranked, grades);
    if (judged.relevant === 0 && profile.runs.noRelevant === 'skip') continue;
    const values = Object.fromEntries(measures.map((measure) => [measure.name, measure.evaluate(judged)]));
    perQuery.set(query.id, values);
    const own = byLang.get(query.lang) ?? [];
    own.push(values);
    byLang.set(query.lang, own);
  }
  if (byLang.size === 0) {
    throw new EvaluationError(
      'INPUT_COLLECTION',
      `${collection.name}: no query has a relevant document; profile ${profile.name} leaves such queries out`,
    );
  }
  const byQueryLang = Object.fromEntries([...byLang].map(([lang, values]) => [lang, meansOf(values)]));
  return {
    collection: collection.name,
    lang: collection.lang ?? null,
    profile: profile.name,
    measures: names,
    queries: perQuery.size,
    documents,
    means: meansOf(Object.values(byQueryLang)),
    by_query_lang: byQueryLang,
    per_query: Object.fromEntries(perQuery),
  };
}

/**
 * Notes on what a user may not expect of judgments: queries that have some but no text, relevant documents that are not
 * in the corpus, and relevant documents that the profile removes because they have their query's id. One line each; none
 * if all is well.
 *
 * @param ids of the corpus; read only where there is a judgment
 */
export function judgmentNotes(
  collection: JudgedCollection,
  ids: Iterable<string>,
  options: { readonly profile?: string } = {},
): string[] {
  const absent = new Set<string>();
  let own = 0;
  for (const { id: query } of collection.queries) {
    for (const [id, grade] of collection.judgments.get(query) ?? []) {
      if (grade < 1) continue;
      absent.add(id);
      if (id === query) own++;
    }
  }
  const judged = absent.size;
  for (const id of ids) absent.delete(id);
  const notes: string[] = [];
  const asked = new Set(collection.queries.map(({ id }) => id));
  const unasked = [...collection.judgments.keys()].filter((id) => !asked.has(id));
  // A corpus of many languages may be asked in some of them alone, with the judgments of all.
  if (unasked.length > 0 && collection.lang !== undefined) {
    notes.push(
      `${collection.name}: ${unasked.length} of ${collection.judgments.size} judged queries, the first is "${unasked[0]}", are not among the queries and are left out`,
    );
  }
  if (absent.size > 0) {
    notes.push(
      `${collection.name}: ${absent.size} of ${judged} relevant documents, the first is "${[...absent][0]}", are not in the corpus and cannot be found`,
    );
  }
  const profile = profileNamed(options.profile ?? collection.profile);
  if (own > 0 && profile.identicalIds === 'drop') {
    notes.push(
      `${collection.name}: ${own} relevant documents have the id of their query, and profile ${profile.name} takes those out of the rankings, as BEIR does; give queries other ids, or another --profile`,
    );
  }
  return notes;
}

/** Mean of each measure over several sets of values: queries, languages or collections. */
export function meansOf(values: readonly MeasureMeans[]): MeasureMeans {
  const names = Object.keys(values[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, mean(values.map((value) => value[name]!)) ?? 0]));
}
