/**
 * Evaluates embeddings on a parallel collection in the three settings at once: every query is scored once
 * against all candidates, and ranked in its own language's pool, in every other's and in the mixed one.
 * Not an encoder, and it computes no scores: those come from the {@link Scorer}.
 */
import { correlateRankings } from './bias/correlate.js';
import { EqualRank, equalRankDepth } from './bias/equal-expected-rank.js';
import { languageGap } from './bias/language-gap.js';
import { LanguagePreference } from './bias/language-preference.js';
import { LanguageShare, toShares } from './bias/language-share.js';
import { maxRank } from './bias/max-rank.js';
import { rankDistance } from './bias/rank-distance.js';
import { checkEmbeddings, checkScores } from './check.js';
import { missingRelevant, type RetrievalCollection } from './collection.js';
import { EvaluationError } from './errors.js';
import { mean, RunningMeans } from './means.js';
import { measureNamed } from './measures/index.js';
import { PerQueryRecorder } from './per-query.js';
import { type Profile, type ProfileName, profileNamed } from './profiles.js';
import type { MeasureMeans, RetrievalReport, RetrievalSummary, SettingMeans } from './report.js';
import { ranksOfRelevant } from './search/ranks.js';
import type { Scorer } from './search/scorer.js';
import { tieOrder } from './search/tie-order.js';
import { topK } from './search/top-k.js';
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
  /** Mean rank correlation between languages (`rank_correlation`); ranks all pools in full. Default false. */
  readonly rankCorrelation?: boolean;
  /** Called after each block. */
  readonly onProgress?: (queriesDone: number, queriesTotal: number) => void;
}

const defaultMeasures = ['Recall@1', 'Recall@10', 'nDCG@10', 'RR@10'];

/**
 * Ranks and measures a collection in the monolingual, cross-lingual and multilingual setting.
 *
 * @throws EvaluationError `INPUT_EMBEDDINGS` for a wrong length or a value that is not finite, `INPUT_COLLECTION`
 *   for a query without a relevant candidate where the profile wants one, `INPUT_PROFILE`,
 *   `INPUT_MEASURE`, and `SCORER_RESULT` for scores of a wrong length or NaN.
 * @example
 * const report = await evaluateRetrieval({ collection, queryEmbeddings, candidateEmbeddings, dimension: 384, scorer });
 * console.log(report.summary.map.multilingual);
 */
export async function evaluateRetrieval(options: EvaluateOptions): Promise<RetrievalReport> {
  const { collection, dimension, scorer } = options;
  const profile = profileNamed(options.profile ?? 'trec_eval');
  const names = [...new Set([profile.map, ...(options.measures ?? defaultMeasures)])];
  const measures = names.map((name) => measureNamed(name, profile));
  checkEmbeddings(options.queryEmbeddings, collection.queries, dimension, 'query');
  checkEmbeddings(options.candidateEmbeddings, collection.candidates, dimension, 'candidate');
  const missing = missingRelevant(collection);
  const [firstMissing] = missing;
  if (firstMissing !== undefined && profile.withoutRelevant === 'error') {
    throw new EvaluationError(
      'INPUT_COLLECTION',
      `${collection.name}: ${firstMissing.queries} queries in "${firstMissing.query_lang}" (the first is "${firstMissing.example}") have no relevant candidate in "${firstMissing.candidate_lang}"; profile ${profile.name} needs one in every language. Add them or choose a profile that leaves such queries out.`,
    );
  }

  const { langs } = collection;
  const pools = new Map(langs.map((lang) => [lang, indicesOf(collection.candidates, lang)]));
  const mixedPool = Uint32Array.from(collection.candidates.keys());
  const ties = tieOrder(
    collection.candidates.map(({ id }) => id),
    profile.ties,
  );
  const byLang = <T>(make: () => T) => new Map(langs.map((lang) => [lang, make()]));
  const pairMeans = byLang(() => byLang(() => new RunningMeans(measures)));
  const mixedMeans = byLang(() => new RunningMeans(measures));
  const distances = byLang((): number[] => []);
  const lastRanks = byLang((): number[] => []);
  const preferences = byLang(() => new LanguagePreference());
  const equalRanks = byLang(() => new EqualRank());
  const recorder =
    options.perQuery || options.intervals ? new PerQueryRecorder(collection, names) : undefined;
  const withItself = profile.identicalIds === 'drop' ? indexById(collection.candidates) : undefined;
  const top1 = new LanguageShare(langs);
  const top10 = new LanguageShare(langs);

  const evaluateQuery = (query: number, scores: Float32Array, offset: number): void => {
    const { id, lang } = collection.queries[query]!;
    const relevant = Uint32Array.from(collection.relevant[query]!);
    const itself = withItself?.get(id);
    const without = (items: Uint32Array) =>
      itself === undefined ? items : items.filter((candidate) => candidate !== itself);
    for (const [poolLang, pool] of pools) {
      const inPool = relevant.filter((candidate) => collection.candidates[candidate]!.lang === poolLang);
      if (inPool.length === 0) continue;
      const relevantRanks = ranksOfRelevant(scores, offset, without(pool), without(inPool), ties);
      const ranking = { relevantRanks, relevant: inPool.length };
      pairMeans
        .get(lang)!
        .get(poolLang)!
        .add(ranking, (name, value) => {
          recorder?.add(query, poolLang, name, value);
        });
    }
    if (relevant.length > 0) {
      const relevantRanks = ranksOfRelevant(scores, offset, without(mixedPool), without(relevant), ties);
      mixedMeans.get(lang)!.add({ relevantRanks, relevant: relevant.length }, (name, value) => {
        recorder?.add(query, undefined, name, value);
      });
      const distance = rankDistance(relevantRanks);
      if (distance !== undefined) {
        distances.get(lang)!.push(distance);
        recorder?.addDistance(query, distance);
      }
      const last = maxRank(relevantRanks);
      if (last !== undefined) lastRanks.get(lang)!.push(last);
    }
    const langOf = (candidate: number) => collection.candidates[candidate]!.lang;
    const top = topK(scores, offset, without(mixedPool), equalRankDepth, ties);
    const topLangs = Array.from(top.subarray(0, 10), langOf);
    const shown = without(relevant);
    if (shown.length > 0) {
      const inOrder = topK(scores, offset, shown, shown.length, ties);
      preferences.get(lang)!.add(lang, Array.from(inOrder, langOf), langOf(top[0]!), shown.includes(top[0]!));
    }
    const passage = (candidate: number) => ({
      lang: langOf(candidate),
      grade: shown.includes(candidate) ? 1 : 0,
    });
    const below = shown.filter((candidate) => !top.includes(candidate));
    equalRanks.get(lang)!.add(Array.from(top, passage), Array.from(below, passage));
    top1.add(lang, topLangs.slice(0, 1));
    top10.add(lang, topLangs);
  };

  const queryCount = collection.queries.length;
  const candidateCount = collection.candidates.length;
  const blockBytes = options.blockBytes ?? 16 * 1024 * 1024;
  const blockQueries = Math.max(1, Math.floor(blockBytes / Float32Array.BYTES_PER_ELEMENT / candidateCount));
  for (let begin = 0; begin < queryCount; begin += blockQueries) {
    const end = Math.min(begin + blockQueries, queryCount);
    const block = options.queryEmbeddings.subarray(begin * dimension, end * dimension);
    const scores = await scorer.score(block, options.candidateEmbeddings, dimension);
    checkScores(scores, begin, end, collection);
    for (let query = begin; query < end; query++) {
      evaluateQuery(query, scores, (query - begin) * candidateCount);
    }
    options.onProgress?.(end, queryCount);
  }

  const pairsOf = (queryLang: string, poolLangs: readonly string[]) =>
    definedEntries(poolLangs, (poolLang) => pairMeans.get(queryLang)!.get(poolLang)!.means());
  const monolingual = definedEntries(langs, (lang) => pairsOf(lang, [lang])[lang]);
  const crossLingual = definedEntries(langs, (lang) => {
    const others = langs.filter((other) => other !== lang);
    return pairsOf(lang, others);
  });
  const multilingual = definedEntries(langs, (lang) => mixedMeans.get(lang)!.means());
  const rankDistances = definedEntries(langs, (lang) => mean(distances.get(lang)!) ?? undefined);
  const perQuery = recorder?.values();
  const crossByQueryLang = Object.fromEntries(
    Object.entries(crossLingual).flatMap(([lang, row]) => {
      const cells = Object.values(row);
      return cells.length === 0
        ? []
        : [[lang, Object.fromEntries(names.map((name) => [name, mean(cells.map((cell) => cell[name]!))!]))]];
    }),
  ) as Record<string, MeasureMeans>;
  const gap = (means: Record<string, MeasureMeans>, name: string) =>
    languageGap(Object.fromEntries(Object.entries(means).map(([lang, values]) => [lang, values[name]!])));
  const counts = {
    queries: countByLang(langs, collection.queries),
    candidates: countByLang(langs, collection.candidates),
  };
  return {
    collection: collection.name,
    langs: [...langs],
    profile: profile.name,
    map_measure: profile.map,
    measures: names,
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
    max_rank: definedEntries(langs, (lang) => mean(lastRanks.get(lang)!) ?? undefined),
    language_preference: definedEntries(langs, (lang) => preferences.get(lang)!.means()),
    equal_expected_rank: definedEntries(langs, (lang) => equalRanks.get(lang)!.means()),
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
    ...(options.rankCorrelation ? { rank_correlation: await correlateRankings({ ...options, ties }) } : {}),
    ...(perQuery && options.intervals
      ? { intervals: macroIntervals(perQuery, names, options.intervals) }
      : {}),
    ...(perQuery && options.perQuery ? { per_query: perQuery } : {}),
    without_relevant: missing,
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

function indicesOf(items: RetrievalCollection['candidates'], lang: string): Uint32Array {
  return Uint32Array.from(items.keys()).filter((index) => items[index]!.lang === lang);
}

function indexById(items: RetrievalCollection['candidates']): Map<string, number> {
  return new Map(items.map(({ id }, index) => [id, index]));
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
