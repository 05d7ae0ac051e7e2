/**
 * Rows and pairs: what readers yield and samplers draw. Not a container; see `training-set.ts`.
 */

/** One text: a query or a passage in one language. */
export interface Row {
  /** Names this text in messages and results; need not be unique. */
  readonly id: string;
  readonly text: string;
  /** A code as `normaliseLanguage` gives it: `en`, `pt-br`. */
  readonly lang: string;
  /**
   * The same for this question or passage in every language, within its data set. Questions and passages
   * are numbered apart: a question and a passage may have the same parallel id.
   */
  readonly parallelId: string;
  readonly dataset: string;
  readonly domain: string;
}

/** A query, a passage that answers it, and passages known not to. */
export interface Pair {
  readonly query: Row;
  readonly passage: Row;
  readonly negatives: readonly Row[];
  /**
   * By how much a teacher scores the passage higher than each negative, in the order of `negatives`; NaN where it
   * scored none of them. Absent where the data have no scores, or none were asked for.
   */
  readonly margins?: readonly number[];
}

/**
 * The passages of a batch in the order in which tokens, masks, losses and their feeds have them: the positives, one
 * per pair, then the negatives, pair by pair.
 */
export function candidatesOf(pairs: readonly Pair[]): Row[] {
  return [...pairs.map(({ passage }) => passage), ...pairs.flatMap(({ negatives }) => negatives)];
}

/** One language's version of a parallel pair, as files with one row per language hold it. */
export interface ParallelRow {
  /** The same in every language. */
  readonly key: string;
  readonly lang: string;
  readonly query: string;
  readonly passage: string;
  readonly dataset: string;
  readonly domain: string;
  /** Parallel id of the passage, where several questions share one; otherwise `key`. */
  readonly passageKey?: string;
}

/**
 * The monolingual pair of every (key, language).
 *
 * Pairs across languages need not be made: a `TrainingSet` joins pairs by parallel id, so that
 * `n` languages give `n` pairs here and `n²` combinations there.
 */
export function* pairsFromParallel(rows: Iterable<ParallelRow>): Generator<Pair> {
  for (const row of rows) {
    const { key, lang, dataset, domain } = row;
    const common = { id: `${key}/${lang}`, lang, dataset, domain };
    yield {
      query: { ...common, text: row.query, parallelId: key },
      passage: { ...common, text: row.passage, parallelId: row.passageKey ?? key },
      negatives: [],
    };
  }
}
