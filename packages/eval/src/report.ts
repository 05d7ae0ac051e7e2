/**
 * The result of an evaluation: plain data, written as JSON as it stands (hence snake_case keys). Not a
 * table: see `tables/`.
 */
import type { Shares } from './bias/language-share.js';
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

/** The full result of {@link evaluateRetrieval}. Languages are query languages unless said otherwise. */
export interface RetrievalReport {
  collection: string;
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
  /** Queries left out of a pair because nothing in that pool is relevant to them. */
  without_relevant: MissingRelevant[];
}
