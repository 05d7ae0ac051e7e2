/**
 * Evaluates embeddings on a parallel collection in the three settings at once: every query is scored once
 * against all candidates, and ranked in its own language's pool, in every other's and in the mixed one.
 * Not an encoder, and it computes no scores: those come from the {@link Scorer}.
 */
import { correlateRankings } from './bias/correlate.js';
import { languageGap } from './bias/language-gap.js';
import { toShares } from './bias/language-share.js';
import { checkCollection, checkEmbeddings, checkScores } from './check.js';
import { digestOf, type MissingRelevant, missingRelevant, type RetrievalCollection } from './collection.js';
import { EvaluationError } from './errors.js';
import { mean } from './means.js';
import { measureNamed } from './measures/index.js';
import { PerQueryRecorder } from './per-query.js';
import { type Profile, type ProfileName, profileNamed } from './profiles.js';
import type { MeasureMeans, RetrievalReport, RetrievalSummary, SettingMeans } from './report.js';
import { RetrievalFigures } from './retrieval-figures.js';
import type { Scorer } from './search/scorer.js';
import { tieOrder } from './search/tie-order.js';
import type { IntervalOptions } from './significance/bootstrap.js';
import { macroIntervals } from './significance/report-samples.js';

/** What {@link evaluateRetrieval} takes. */
export interface EvaluateOptions {
  readonly collection: RetrievalCollection;
  /** [queries x dimension], in the collection's order; normalised if the score is to be the cosine. */
  readonly queryEmbeddings: Float32Array;
  /** [candidates x dimension], likewise. */
  readonly candidateEmbeddings: Float32Array;
  readonly dimension: number;
  readonly scorer: Scorer;
  /** How ties and measures are defined; `trec_eval` by default. */
  readonly profile?: ProfileName;
  /** Measures beside the profile's mAP; by default Recall@1, Recall@10, nDCG@10 and RR@10. */
  readonly measures?: readonly string[];
  /** Scores held at once, in bytes (16 MiB by default); queries are scored in blocks of that size. */
  readonly blockBytes?: number;
  /** Put every query's values into the report (`per_query`), for tests of significance. Default false. */
  readonly perQuery?: boolean;
  /** Bootstrap intervals of every macro figure (`intervals`). Default none. */
  readonly intervals?: IntervalOptions;
  /** Mean rank correlation between languages (`rank_correlation`); ranks the whole pool, in every profile. Default false. */
  readonly rankCorrelation?: boolean;
  /** Called after each block. */
  readonly onProgress?: (queriesDone: number, queriesTotal: number) => void;
}

const defaultMeasures = ['Recall@1', 'Recall@10', 'nDCG@10', 'RR@10'];

/**
 * Ranks and measures a collection in the monolingual, cross-lingual and multilingual setting.
 *
 * @throws EvaluationError `INPUT_EMBEDDINGS` for a wrong length or a value that is not finite, `INPUT_COLLECTION`
 *   for languages or relevant candidates that it does not have and for a query without a relevant candidate where the
 *   profile wants one, `INPUT_PROFILE`, `INPUT_MEASURE`, and `SCORER_RESULT` for scores of a wrong length or NaN.
 * @example
 * const report = await evaluateRetrieval({ collection, queryEmbeddings, candidateEmbeddings, dimension: 384, scorer });
 * console.log(report.summary.map.multilingual);
 */
export async function evaluateRetrieval(options: EvaluateOptions): Promise<RetrievalReport> {
  const { collection, dimension } = options;
  const profile = profileNamed(options.profile ?? 'trec_eval');
  const names = [...new Set([profile.map, ...(options.measures ?? defaultMeasures)])];
  const measures = names.map((name) => measureNamed(name, profile));
  checkCollection(collection);
  checkEmbeddings(options.queryEmbeddings, collection.queries, dimension, 'query');
  checkEmbeddings(options.candidateEmbeddings, collection.candidates, dimension, 'candidate');
  const missing = missingRelevant(collection);
  if (profile.withoutRelevant === 'error') refuseMissing(collection, missing, profile);

  const ids = collection.candidates.map(({ id }) => id);
  const ties = tieOrder(ids, profile.ties);
  const recorder =
    options.perQuery || options.intervals ? new PerQueryRecorder(collection, names) : undefined;
  const figures = new RetrievalFigures({ collection, profile, measures, ties, recorder });
  await scoreQueries(options, figures);
  const perQuery = recorder?.values();
  return {
    collection: collection.name,
    content: digestOf(collection),
    langs: [...collection.langs],
    profile: profile.name,
    map_measure: profile.map,
    measures: names,
    ...reportedMeans(figures, collection, profile, names),
    ...(options.rankCorrelation ? { rank_correlation: await correlateRankings({ ...options, ties }) } : {}),
    ...(perQuery && options.intervals
      ? { intervals: macroIntervals(perQuery, names, options.intervals) }
      : {}),
    ...(perQuery && options.perQuery ? { per_query: perQuery } : {}),
    without_relevant: missing,
  };
}

function refuseMissing(
  { name }: RetrievalCollection,
  [first]: readonly MissingRelevant[],
  profile: Profile,
): void {
  if (first === undefined) return;
  throw new EvaluationError(
    'INPUT_COLLECTION',
    `${name}: ${first.queries} queries in "${first.query_lang}" (the first is "${first.example}") have no relevant candidate in "${first.candidate_lang}"; profile ${profile.name} needs one in every language. Add them or choose a profile that leaves such queries out.`,
  );
}

/** Scores every query against all candidates, a block of queries at a time. */
async function scoreQueries(options: EvaluateOptions, figures: RetrievalFigures): Promise<void> {
  const { collection, dimension, scorer, blockBytes = 16 * 1024 * 1024 } = options;
  const queries = collection.queries.length;
  const candidates = collection.candidates.length;
  const blockQueries = Math.max(1, Math.floor(blockBytes / Float32Array.BYTES_PER_ELEMENT / candidates));
  for (let begin = 0; begin < queries; begin += blockQueries) {
    const end = Math.min(begin + blockQueries, queries);
    const block = options.queryEmbeddings.subarray(begin * dimension, end * dimension);
    const scores = await scorer.score(block, options.candidateEmbeddings, dimension);
    checkScores(scores, begin, end, collection);
    for (let query = begin; query < end; query++) figures.add(query, scores, (query - begin) * candidates);
    options.onProgress?.(end, queries);
  }
}

/** The part of the report that is means of what was gathered. */
function reportedMeans(
  { byLang, top1, top10 }: RetrievalFigures,
  { langs, queries, candidates }: RetrievalCollection,
  profile: Profile,
  names: readonly string[],
) {
  const figures = (lang: string) => byLang.get(lang)!;
  const monolingual = definedEntries(langs, (lang) => figures(lang).pools.get(lang)!.means());
  const crossLingual = definedEntries(langs, (lang) =>
    definedEntries(
      langs.filter((other) => other !== lang),
      (other) => figures(lang).pools.get(other)!.means(),
    ),
  );
  const multilingual = definedEntries(langs, (lang) => figures(lang).mixed.means());
  const rankDistances = definedEntries(langs, (lang) => mean(figures(lang).distances) ?? undefined);
  const counts = { queries: countByLang(langs, queries), candidates: countByLang(langs, candidates) };
  const crossByQueryLang = definedEntries(langs, (lang) => {
    const cells = Object.values(crossLingual[lang]!);
    if (cells.length === 0) return undefined;
    return Object.fromEntries(names.map((name) => [name, mean(cells.map((cell) => cell[name]!))!]));
  });
  const gap = (means: Record<string, MeasureMeans>, name: string) =>
    languageGap(Object.fromEntries(Object.entries(means).map(([lang, values]) => [lang, values[name]!])));
  return {
    summary: summarise(names, profile, monolingual, crossLingual, multilingual, rankDistances),
    counts,
    monolingual,
    cross_lingual: crossLingual,
    multilingual,
    rank_distance: rankDistances,
    language_share: {
      pool: toShares(langs, new Map(Object.entries(counts.candidates))),
      top_1: top1.shares(),
      top_10: top10.shares(),
    },
    max_rank: definedEntries(langs, (lang) => mean(figures(lang).lastRanks) ?? undefined),
    language_preference: definedEntries(langs, (lang) => figures(lang).preference.means()),
    equal_expected_rank: definedEntries(langs, (lang) => figures(lang).equalRank.means()),
    language_gap: Object.fromEntries(
      names.map((name) => [
        name,
        {
          monolingual: gap(monolingual, name),
          cross_lingual: gap(crossByQueryLang, name),
          multilingual: gap(multilingual, name),
        },
      ]),
    ),
  };
}

function summarise(
  names: readonly string[],
  profile: Profile,
  monolingual: Record<string, MeasureMeans>,
  crossLingual: Record<string, Record<string, MeasureMeans>>,
  multilingual: Record<string, MeasureMeans>,
  rankDistances: Record<string, number>,
): RetrievalSummary {
  const pairs = Object.values(crossLingual).flatMap((row) => Object.values(row));
  const macro = (cells: readonly MeasureMeans[], name: string) => mean(cells.map((cell) => cell[name]!));
  const measures: Record<string, SettingMeans> = {};
  for (const name of names) {
    measures[name] = {
      monolingual: macro(Object.values(monolingual), name),
      cross_lingual: macro(pairs, name),
      multilingual: macro(Object.values(multilingual), name),
    };
  }
  return { map: measures[profile.map]!, rank_distance: mean(Object.values(rankDistances)), measures };
}

function countByLang(
  langs: readonly string[],
  items: RetrievalCollection['queries'],
): Record<string, number> {
  const counts = Object.fromEntries(langs.map((lang) => [lang, 0]));
  for (const { lang } of items) counts[lang]!++;
  return counts;
}

function definedEntries<T>(
  langs: readonly string[],
  value: (lang: string) => T | undefined,
): Record<string, T> {
  const entries: Record<string, T> = {};
  for (const lang of langs) {
    const found = value(lang);
    if (found !== undefined) entries[lang] = found;
  }
  return entries;
}
