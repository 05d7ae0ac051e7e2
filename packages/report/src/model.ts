/**
 * What the page is given, as JSON: the one interface between the readers (Node) and the page (browser).
 * Types only; no code on either side depends on the other.
 */

/** The three settings, in the order in which they are shown. */
export type Setting = 'monolingual' | 'cross_lingual' | 'multilingual';

/** A measure in the three settings; null where it was not measured. */
export type SettingValues = Record<Setting, number | null>;

/** Everything on the page. */
export interface ReportModel {
  readonly title: string;
  readonly runs: readonly RunModel[];
  readonly published: readonly PublishedModel[];
  readonly trainings: readonly TrainingModel[];
  readonly embeddings: readonly EmbeddingMapModel[];
  readonly collections: readonly CollectionsModel[];
}

/** Judged collections, bitexts or one TREC run: figures without settings. */
export interface CollectionsModel {
  /** Unique within its benchmark. */
  readonly label: string;
  readonly file: string;
  readonly task: string;
  readonly collections: readonly CollectionModel[];
}

/** Figures of one collection, by measure. */
export interface CollectionModel {
  readonly name: string;
  /** Such as `482 queries, 5000 documents`. */
  readonly size: string;
  readonly means: Readonly<Record<string, number>>;
  readonly intervals: Readonly<Record<string, Interval>>;
}

/** One evaluated run. */
export interface RunModel {
  /** Unique within its benchmark. */
  readonly label: string;
  /** File it was read from, as given on the command line. */
  readonly file: string;
  /** Runs of different benchmarks are never put in one chart. */
  readonly task: string;
  /** What tells benchmarks of one name apart; absent where the file does not say it. */
  readonly asked?: AskedModel;
  /** What was varied α of: runs of one series are joined by a line in the α curve. */
  readonly series: string;
  /** Share of monolingual batches in training; null if unknown or not constant. */
  readonly alpha: number | null;
  /** What `mAP` is in this run, such as `AP@20`; null if unknown. */
  readonly mapMeasure: string | null;
  /** `mAP` first, then every other measure. */
  readonly measures: Readonly<Record<string, SettingValues>>;
  readonly rankDistance: number | null;
  /** Bootstrap intervals of the means, where they were computed. */
  readonly intervals?: IntervalsModel;
  /** Per pair of languages; absent for runs of which only means are known. */
  readonly pairs?: PairsModel;
  /** Absent where none of it was measured. */
  readonly bias?: BiasModel;
  readonly worstQueries: readonly WorstQueryModel[];
  /** Further facts: model, device, profile. */
  readonly facts: readonly (readonly [name: string, value: string])[];
}

/** What a run was asked. */
export interface AskedModel {
  readonly langs: readonly string[];
  /** Questions and passages by language. */
  readonly counts?: unknown;
  /** Digest of questions, passages and judgments. */
  readonly content?: string | undefined;
}

/** Language bias in the mixed pool, means over query languages; null where it was not measured. */
export interface BiasModel {
  /** Rank of the last parallel relevant passage. */
  readonly maxRank: number | null;
  readonly ownLanguageFirst: number | null;
  /** Shares of what the first passage is. */
  readonly first: Readonly<Record<FirstPassage, number>> | null;
  /** PEER@20 of right passages and of others. */
  readonly equalRank: { readonly relevant: number | null; readonly other: number | null } | null;
  readonly rankCorrelation: number | null;
  /** Best language minus worst in the mixed pool, keys as in `RunModel.measures`. */
  readonly gaps: Readonly<Record<string, number>>;
}

/** What a query found first: whether it is relevant, and whether it is in the query's language. */
export type FirstPassage = 'relevant_own' | 'relevant_other' | 'wrong_own' | 'wrong_other';

/** Intervals `[low, high]`, keys as in `RunModel.measures`. */
export interface IntervalsModel {
  /** Such as 0.95. */
  readonly confidence: number;
  readonly measures: Readonly<Record<string, Record<Setting, Interval | null>>>;
  readonly rankDistance: Interval | null;
}

/** Bounds of a confidence interval. */
export type Interval = readonly [low: number, high: number];

/** Matrices of every language pair. */
export interface PairsModel {
  readonly langs: readonly string[];
  readonly matrices: readonly PairMatrixModel[];
}

/** One matrix: rows are languages of the queries, columns languages of the pool. */
export interface PairMatrixModel {
  readonly name: string;
  /** `langs.length` rows and columns. */
  readonly values: readonly (readonly (number | null)[])[];
  /** The pool of all languages, one value per row; absent where it has no meaning. */
  readonly mixed?: readonly (number | null)[];
}

/** A published row to compare with. Only mAP and rank distance are known. */
export interface PublishedModel {
  readonly label: string;
  readonly task: string;
  readonly map: SettingValues;
  readonly rankDistance: number | null;
  readonly source: string;
}

/** The curves of one training run. */
export interface TrainingModel {
  /** Unique on the page. */
  readonly label: string;
  readonly steps: number;
  readonly curves: Readonly<Record<CurveName, readonly CurvePoint[]>>;
}

/** Keys of `metrics.jsonl` that are drawn. */
export type CurveName = 'loss' | 'validation_loss' | 'learning_rate' | 'gradient_norm';

/** `[step, mean, least, greatest]` of neighbouring updates, or `[step, value]` of one. */
export type CurvePoint =
  | readonly [step: number, value: number]
  | readonly [step: number, mean: number, least: number, greatest: number];

/** Texts as points in the plane. */
export interface EmbeddingMapModel {
  /** Unique on the page. */
  readonly label: string;
  /** Distinct languages; `points` refer to them by index. */
  readonly langs: readonly string[];
  /** x, y, index of the language. */
  readonly points: readonly (readonly [x: number, y: number, lang: number])[];
  /** Per point, if known. */
  readonly texts?: readonly string[];
  /** How many there were before a sample was drawn. */
  readonly total: number;
  /** Shares of the variance on both axes; absent where the points were given in two dimensions. */
  readonly explained?: readonly [number, number];
}

/** A query that was answered badly. */
export interface WorstQueryModel {
  readonly id: string;
  readonly lang: string;
  readonly text: string;
  readonly setting: string;
  readonly value: number | null;
  readonly ranking: readonly RankedModel[];
}

/** A passage in the ranking of a query. */
export interface RankedModel {
  readonly rank: number;
  readonly id: string;
  readonly lang: string;
  readonly text: string;
  readonly score: number | null;
  readonly relevant: boolean;
}
