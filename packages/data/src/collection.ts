/**
 * A parallel retrieval collection: queries and candidates of several languages and which candidates,
 * in every language, answer each query. It is what an evaluation or a demo runs on.
 *
 * Not a reader (see `files/`), not a measure, and it holds no embeddings.
 */
import { DataError } from './errors.js';

/** One query. `id` is unique in the collection: translations of one question have different ids. */
export interface CollectionQuery {
  readonly id: string;
  readonly lang: string;
  readonly text: string;
  /** The question, of which there may be translations and other wordings; where absent, ids tell. */
  readonly parallel_id?: string;
  /** Its place in a file, for messages. */
  readonly where?: string;
}

/** One candidate passage. `context` is the text around it, for models that take (passage, context) pairs. */
export interface CollectionCandidate {
  readonly id: string;
  readonly lang: string;
  readonly text: string;
  readonly context?: string;
}

/** What a {@link ParallelCollection} is made of. */
export interface CollectionParts {
  readonly name: string;
  readonly langs: readonly string[];
  readonly queries: readonly CollectionQuery[];
  readonly candidates: readonly CollectionCandidate[];
  /** Per query, in the order of `queries`: indices into `candidates`, of all languages. */
  readonly relevant: readonly ArrayLike<number>[];
}

/**
 * A validated parallel collection. A query may lack a relevant candidate in some language; whether that
 * is a mistake is for the evaluation's profile to say.
 *
 * @throws DataError `INPUT_COLLECTION` when a language has no query or no candidate, an id occurs
 *   twice, or a relevant index is out of range or repeated.
 */
export class ParallelCollection implements CollectionParts {
  readonly name: string;
  readonly langs: readonly string[];
  readonly queries: readonly CollectionQuery[];
  readonly candidates: readonly CollectionCandidate[];
  /** Per query: ascending indices into `candidates`, of all languages. */
  readonly relevant: readonly Uint32Array[];

  constructor(parts: CollectionParts) {
    this.name = parts.name;
    this.langs = [...parts.langs];
    this.queries = parts.queries;
    this.candidates = parts.candidates;
    requireDistinctLangs(this.langs, parts.name);
    checkItems(parts.name, this.langs, parts.queries, 'query', 'queries');
    checkItems(parts.name, this.langs, parts.candidates, 'candidate', 'candidates');
    this.relevant = checkRelevant(parts);
  }

  /**
   * The part of the collection in `langs`, in that order: queries, candidates and relevance.
   *
   * @throws DataError `INPUT_LANGUAGE` for a language that the collection lacks or that is named twice.
   */
  subset(langs: readonly string[]): ParallelCollection {
    for (const lang of langs) {
      if (!this.langs.includes(lang)) {
        throw new DataError(
          'INPUT_LANGUAGE',
          `${this.name}: no language "${lang}"; it has ${this.langs.join(', ')}.`,
        );
      }
    }
    const newIndex = new Map<number, number>();
    const candidates = this.candidates.filter((candidate, index) => {
      const kept = langs.includes(candidate.lang);
      if (kept) newIndex.set(index, newIndex.size);
      return kept;
    });
    const relevant: number[][] = [];
    const queries = this.queries.filter((query, index) => {
      const kept = langs.includes(query.lang);
      if (kept) relevant.push(remap(this.relevant[index]!, newIndex));
      return kept;
    });
    return new ParallelCollection({ name: this.name, langs, queries, candidates, relevant });
  }
}

function remap(indices: Uint32Array, newIndex: ReadonlyMap<number, number>): number[] {
  const kept: number[] = [];
  for (const index of indices) {
    const mapped = newIndex.get(index);
    if (mapped !== undefined) kept.push(mapped);
  }
  return kept;
}

function requireDistinctLangs(langs: readonly string[], name: string): void {
  if (langs.length === 0) {
    throw new DataError('INPUT_LANGUAGE', `${name}: no language given; name at least one.`);
  }
  const repeated = langs.find((lang, index) => langs.indexOf(lang) !== index);
  if (repeated !== undefined) {
    throw new DataError('INPUT_LANGUAGE', `${name}: language "${repeated}" is named twice; name it once.`);
  }
}

function checkItems(
  name: string,
  langs: readonly string[],
  items: readonly { readonly id: string; readonly lang: string }[],
  one: string,
  many: string,
): void {
  const counts = new Map(langs.map((lang) => [lang, 0]));
  const ids = new Set<string>();
  for (const item of items) {
    const count = counts.get(item.lang);
    if (count === undefined) {
      throw new DataError(
        'INPUT_COLLECTION',
        `${name}: ${one} "${item.id}" is in language "${item.lang}", expected one of ${langs.join(', ')}.`,
      );
    }
    counts.set(item.lang, count + 1);
    if (ids.has(item.id)) {
      throw new DataError(
        'INPUT_COLLECTION',
        `${name}: ${one} id "${item.id}" occurs twice; ids must be unique.`,
      );
    }
    ids.add(item.id);
  }
  for (const [lang, count] of counts) {
    if (count === 0) {
      throw new DataError(
        'INPUT_COLLECTION',
        `${name}: language "${lang}" has no ${many}; add some or leave the language out.`,
      );
    }
  }
}

function checkRelevant(parts: CollectionParts): Uint32Array[] {
  if (parts.relevant.length !== parts.queries.length) {
    throw new DataError(
      'INPUT_COLLECTION',
      `${parts.name}: relevance for ${parts.relevant.length} queries, expected ${parts.queries.length}.`,
    );
  }
  return parts.relevant.map((indices, index) => {
    const query = parts.queries[index]!.id;
    // Checked before the copy, which would wrap a negative or fractional index around silently.
    for (const candidate of Array.from(indices)) {
      if (!Number.isInteger(candidate) || candidate < 0 || candidate >= parts.candidates.length) {
        throw new DataError(
          'INPUT_COLLECTION',
          `${parts.name}: query "${query}": relevant candidate ${candidate}, expected an index below ${parts.candidates.length}.`,
        );
      }
    }
    const sorted = Uint32Array.from(indices).sort();
    const repeated = sorted.find((candidate, at) => at > 0 && sorted[at - 1] === candidate);
    if (repeated !== undefined) {
      throw new DataError(
        'INPUT_COLLECTION',
        `${parts.name}: query "${query}" names candidate ${repeated} as relevant twice; name it once.`,
      );
    }
    return sorted;
  });
}
