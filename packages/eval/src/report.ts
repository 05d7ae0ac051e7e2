/**
 * The result of an evaluation: plain data, written as JSON as it stands (hence snake_case keys). Not a
 * table: see `tables/`.
 */
import type { EqualRankMeans } from './bias/equal-expected-rank.js';
import type { LanguageGap } from './bias/language-gap.js';
import type { LanguagePreferenceMeans } from './bias/language-preference.js';
import type { Shares } from './bias/language-share.js';
import type { RankCorrelation } from './bias/rank-correlation.js';
import type { MissingRelevant } from './collection.js';
import type { ProfileName } from './profiles.js';

/** Mean values of measures, by the measure's name. */
export type MeasureMeans = Record<string, number>;

/** One measure in the three settings, macro-averaged; null where nothing could be measured. */
export interface SettingMeans {
  /** Queries and pool in one language; mean over languages. */
  monolingual: number | null;
  /** Queries in one language, pool in another; mean over ordered pairs. Null for a single language. */
  cross_lingual: number | null;
  /** One pool of all languages, every translation relevant; mean over query languages. */
  multilingual: number | null;
}

/** The macro figures, the row of a table. */
export interface RetrievalSummary {
  /** The profile's mAP (see `map_measure` of the report). */
  map: SettingMeans;
  /** Mean rank distance over query languages; null when no query has two parallel relevant passages. */
  rank_distance: number | null;
  /** Every measure, by name. */
  measures: Record<string, SettingMeans>;
}

/** Values of single queries, all columns in the order of `queries`; null where a query was not measured. */
export interface PerQueryValues {
  /** Digest of the collection: its questions, passages and judgments. Absent in reports of earlier versions. */
  content?: string;
  /** Ids. */
  queries: string[];
  /** Languages of the queries. */
  langs: string[];
  /** Name of the question that each query is a translation of. */
  questions: string[];
  /** By language of the pool, then by measure. */
  pools: Record<string, Record<string, (number | null)[]>>;
  /** In the mixed pool, by measure. */
  multilingual: Record<string, (number | null)[]>;
  rank_distance: (number | null)[];
}

/** Bootstrap intervals, [low, high], of the macro figures. */
export interface MacroIntervals {
  method: 'percentile bootstrap';
  /** What was drawn: questions with all their translations, or queries within each language. */
  resampled: 'questions' | 'queries within a language';
  confidence: number;
  resamples: number;
  seed: number;
  measures: Record<string, Record<keyof SettingMeans, [number, number] | null>>;
  rank_distance: [number, number] | null;
}

/** The full result of {@link evaluateRetrieval}. Languages are query languages unless said otherwise. */
export interface RetrievalReport {
  collection: string;
  /** Digest of its questions, passages and judgments: what the name alone may not say. Absent in reports of earlier versions. */
  content?: string;
  langs: string[];
  profile: ProfileName;
  /** The measure behind `summary.map`, for example `AP@20`. */
  map_measure: string;
  measures: string[];
  summary: RetrievalSummary;
  counts: { queries: Record<string, number>; candidates: Record<string, number> };
  monolingual: Record<string, MeasureMeans>;
  /** By language of the queries, then of the pool. */
  cross_lingual: Record<string, Record<string, MeasureMeans>>;
  multilingual: Record<string, MeasureMeans>;
  rank_distance: Record<string, number>;
  /** Languages of the first passages in the mixed pool, beside the pool's own shares. */
  language_share: {
    pool: Shares;
    top_1: Record<string, Shares>;
    top_10: Record<string, Shares>;
  };
  /** Mean Max@R: rank of the last parallel relevant passage in the mixed pool. */
  max_rank?: Record<string, number>;
  /** Whether the query's own language is ranked first in the mixed pool, and what its first passage is. */
  language_preference?: Record<string, LanguagePreferenceMeans>;
  /** PEER@20: the probability of equal expected rank in the mixed pool, of relevant and of other passages. */
  equal_expected_rank?: Record<string, EqualRankMeans>;
  /** By measure and setting: the best language minus the worst, by query language; null for one language. */
  language_gap?: Record<string, Record<keyof SettingMeans, LanguageGap | null>>;
  /** How alike translations of a question rank the mixed pool (MRC), when asked for. */
  rank_correlation?: RankCorrelation | null;
  /** When asked for. */
  intervals?: MacroIntervals;
  /** When asked for. */
  per_query?: PerQueryValues;
  /** Queries left out of a pair because nothing in that pool is relevant to them. */
  without_relevant: MissingRelevant[];
}
