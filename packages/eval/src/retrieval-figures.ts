/**
 * Gathers, query by query, how relevant passages rank in each language's pool and in the mixed one. Not the scores, and
 * not the report made from these figures; see `evaluate.ts`.
 */
import { EqualRank, equalRankDepth } from './bias/equal-expected-rank.js';
import { LanguagePreference } from './bias/language-preference.js';
import { LanguageShare } from './bias/language-share.js';
import { maxRank } from './bias/max-rank.js';
import { rankDistance } from './bias/rank-distance.js';
import type { RetrievalCollection } from './collection.js';
import { RunningMeans } from './means.js';
import type { Measure } from './measures/index.js';
import type { JudgedRanking } from './measures/ranking.js';
import type { PerQueryRecorder } from './per-query.js';
import type { Profile } from './profiles.js';
import { ranksOfRelevant } from './search/ranks.js';
import { topK } from './search/top-k.js';

/** What a {@link RetrievalFigures} works with. */
export interface RetrievalFiguresOptions {
  readonly collection: RetrievalCollection;
  readonly profile: Profile;
  readonly measures: readonly Measure[];
  /** Order of equal scores, see `tieOrder`. */
  readonly ties: Uint32Array;
  /** Keeps every query's values. */
  readonly recorder: PerQueryRecorder | undefined;
}

/** What was gathered from the queries in one language. */
class LanguageFigures {
  /** By language of the pool. */
  readonly pools: ReadonlyMap<string, RunningMeans>;
  readonly mixed: RunningMeans;
  /** One for each query that has parallel relevant passages; likewise `lastRanks`. */
  readonly distances: number[] = [];
  readonly lastRanks: number[] = [];
  readonly preference = new LanguagePreference();
  readonly equalRank = new EqualRank();

  constructor(langs: readonly string[], measures: readonly Measure[]) {
    this.pools = new Map(langs.map((lang) => [lang, new RunningMeans(measures)]));
    this.mixed = new RunningMeans(measures);
  }
}

/** One query, its scores from `offset` on, and, if it must not be found, the candidate that is the query itself. */
interface ScoredQuery {
  readonly query: number;
  readonly lang: string;
  readonly relevant: Uint32Array;
  readonly itself: number | undefined;
  readonly scores: Float32Array;
  readonly offset: number;
}

export class RetrievalFigures {
  /** By language of the queries. */
  readonly byLang: ReadonlyMap<string, LanguageFigures>;
  /** Languages of the first passage in the mixed pool, and of the first ten. */
  readonly top1: LanguageShare;
  readonly top10: LanguageShare;
  readonly #options: RetrievalFiguresOptions;
  readonly #pools: ReadonlyMap<string, Uint32Array>;
  readonly #mixedPool: Uint32Array;
  /** Candidates by id, if the profile leaves out the one with the query's own id. */
  readonly #byId: ReadonlyMap<string, number> | undefined;

  constructor(options: RetrievalFiguresOptions) {
    const { collection, profile, measures } = options;
    const { langs, candidates } = collection;
    this.#options = options;
    this.byLang = new Map(langs.map((lang) => [lang, new LanguageFigures(langs, measures)]));
    this.top1 = new LanguageShare(langs);
    this.top10 = new LanguageShare(langs);
    this.#mixedPool = Uint32Array.from(candidates.keys());
    this.#pools = new Map(
      langs.map((lang) => [lang, this.#mixedPool.filter((index) => candidates[index]!.lang === lang)]),
    );
    this.#byId =
      profile.identicalIds === 'drop' ? new Map(candidates.map(({ id }, index) => [id, index])) : undefined;
  }

  /** Adds one query; its scores of all candidates begin at `offset`. */
  add(query: number, scores: Float32Array, offset: number): void {
    const { collection } = this.#options;
    const { id, lang } = collection.queries[query]!;
    const relevant = Uint32Array.from(collection.relevant[query]!);
    const scored = { query, lang, relevant, itself: this.#byId?.get(id), scores, offset };
    const figures = this.byLang.get(lang)!;
    this.#addPools(scored, figures);
    this.#addMixedPool(scored, figures);
    this.#addLanguageBias(scored, figures);
  }

  #addPools(scored: ScoredQuery, { pools }: LanguageFigures): void {
    const { query, relevant } = scored;
    for (const [lang, pool] of this.#pools) {
      const inPool = relevant.filter((candidate) => this.#langOf(candidate) === lang);
      if (inPool.length === 0) continue;
      pools.get(lang)!.add(this.#judged(scored, pool, inPool), (name, value) => {
        this.#options.recorder?.add(query, lang, name, value);
      });
    }
  }

  #addMixedPool(scored: ScoredQuery, { mixed, distances, lastRanks }: LanguageFigures): void {
    const { query, relevant } = scored;
    if (relevant.length === 0) return;
    const { recorder } = this.#options;
    const judged = this.#judged(scored, this.#mixedPool, relevant);
    mixed.add(judged, (name, value) => {
      recorder?.add(query, undefined, name, value);
    });
    const { relevantRanks } = judged;
    const distance = rankDistance(relevantRanks);
    if (distance !== undefined) {
      distances.push(distance);
      recorder?.addDistance(query, distance);
    }
    const last = maxRank(relevantRanks);
    if (last !== undefined) lastRanks.push(last);
  }

  /** The figures of the mixed pool that depend on the languages of its first passages. */
  #addLanguageBias(scored: ScoredQuery, { preference, equalRank }: LanguageFigures): void {
    const { lang } = scored;
    const langOf = (candidate: number) => this.#langOf(candidate);
    const top = this.#best(scored, this.#mixedPool, equalRankDepth);
    const relevant = without(scored.itself, scored.relevant);
    if (relevant.length > 0) {
      const inOrder = this.#best(scored, relevant, relevant.length);
      preference.add(lang, Array.from(inOrder, langOf), langOf(top[0]!), relevant.includes(top[0]!));
    }
    const graded = (candidate: number) => ({
      lang: langOf(candidate),
      grade: relevant.includes(candidate) ? 1 : 0,
    });
    const below = relevant.filter((candidate) => !top.includes(candidate));
    equalRank.add(Array.from(top, graded), Array.from(below, graded));
    const topLangs = Array.from(top.subarray(0, 10), langOf);
    this.top1.add(lang, topLangs.slice(0, 1));
    this.top10.add(lang, topLangs);
  }

  #langOf(candidate: number): string {
    return this.#options.collection.candidates[candidate]!.lang;
  }

  /** The whole pool is retrieved, which may be less than a measure's cut-off. */
  #judged({ itself, scores, offset }: ScoredQuery, pool: Uint32Array, relevant: Uint32Array): JudgedRanking {
    const ranked = without(itself, pool);
    const found = without(itself, relevant);
    const relevantRanks = ranksOfRelevant(scores, offset, ranked, found, this.#options.ties);
    return { relevantRanks, relevant: relevant.length, retrieved: ranked.length };
  }

  #best({ itself, scores, offset }: ScoredQuery, pool: Uint32Array, count: number): Uint32Array {
    return topK(scores, offset, without(itself, pool), count, this.#options.ties);
  }
}

function without(itself: number | undefined, candidates: Uint32Array): Uint32Array {
  return itself === undefined ? candidates : candidates.filter((candidate) => candidate !== itself);
}
