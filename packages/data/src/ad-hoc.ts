/**
 * A judged retrieval collection whose corpus may be too large for memory: queries and judgments are held,
 * documents are streamed. Beside `collection.ts`, whose candidates are translations of each other and all
 * in memory.
 *
 * Not a reader (see `files/benchmarks/`), not a measure, and it holds no embeddings.
 */
import type { CollectionQuery } from './collection.js';
import { DataError } from './errors.js';

/** One document of a corpus, as it is encoded: a title, where there is one, stands in front of the text. */
export interface CorpusDocument {
  /** Unique in the corpus. */
  readonly id: string;
  readonly text: string;
  /** Its place in a file, for messages. */
  readonly where?: string;
}

/** Grades by document id, by query id. A grade from 1 on is relevant; 0 and below are judged but not relevant. */
export type Judgments = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** Queries (of one language or several), graded judgments, and one corpus. */
export interface AdHocCollection {
  /** For messages and reports: `miracl-sw-dev`. */
  readonly name: string;
  /** Language of the documents, or undefined where the corpus mixes languages. */
  readonly lang: string | undefined;
  readonly queries: readonly CollectionQuery[];
  readonly judgments: Judgments;
  /** Streams the documents in the order of the files; may be called again, and yields the same. */
  corpus(): AsyncIterable<CorpusDocument>;
  /** The measures that the benchmark's papers report, the first one foremost. */
  readonly measures: readonly string[];
  /** The evaluation profile that the benchmark's own tool follows. */
  readonly profile: string;
  /** Documents that its papers retrieve for each query. */
  readonly depth: number;
}

/** Sentences in one language and their translations, line by line, for bitext retrieval. */
export interface Bitext {
  readonly name: string;
  readonly langs: readonly [string, string];
  /** Two lists of one length; sentence i of one translates sentence i of the other. */
  readonly sentences: readonly [readonly string[], readonly string[]];
}

/**
 * Checks a collection and leaves out the queries without judgments, which no tool scores.
 *
 * @throws DataError `INPUT_COLLECTION` when a query id occurs twice or no query is judged
 */
export function adHocCollection(parts: AdHocCollection): AdHocCollection {
  const seen = new Set<string>();
  for (const { id } of parts.queries) {
    if (seen.has(id)) {
      throw new DataError(
        'INPUT_COLLECTION',
        `${parts.name}: query id "${id}" occurs twice; ids must be unique.`,
      );
    }
    seen.add(id);
  }
  const queries = parts.queries.filter(({ id }) => parts.judgments.has(id));
  if (queries.length === 0) {
    throw new DataError(
      'INPUT_COLLECTION',
      `${parts.name}: none of the ${parts.queries.length} queries is judged (the first is "${parts.queries[0]?.id ?? ''}"); do queries and judgments belong together?`,
    );
  }
  return { ...parts, queries };
}

/** Title and text as BEIR, MIRACL and Mr. TyDi's own tools join them: a space between, nothing around. */
export function titledText(title: string | undefined, text: string): string {
  return `${title ?? ''} ${text}`.trim();
}
