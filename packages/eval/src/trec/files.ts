/** What TREC files hold, in memory: judgments (qrels) and rankings (runs). Not their reader: see `files/`. */

/** Judgments: topic, then document, then grade; a negative grade means "in the pool but not judged". */
export type Qrels = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** A ranking of one system: topic, then document, then score; the higher, the earlier it ranks. */
export interface TrecRun {
  readonly topics: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** The system's name, from the last line of its file. */
  readonly tag: string;
}
