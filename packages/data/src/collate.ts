/**
 * Turns the texts of a batch into one packed sequence of tokens. Not a tokenizer: the caller passes one in.
 */
import { DataError } from './errors.js';
import { candidateGroups } from './groups.js';
import type { Pair } from './rows.js';

/** Which prompt and which length limit a text gets. */
export type TextKind = 'query' | 'passage';

/**
 * Token ids of each text, special tokens included, already truncated.
 */
export type Encode = (
  texts: string[],
  kind: TextKind,
) => readonly ArrayLike<number>[] | Promise<readonly ArrayLike<number>[]>;

/** Options of {@link collate}. */
export interface CollateOptions {
  /** Put before every query, such as `Query: `. Default nothing. */
  readonly queryPrefix?: string;
  /** Put before every passage, negatives too, such as `Passage: `. Default nothing. */
  readonly passagePrefix?: string;
}

/** A batch as the encoder takes it: queries, then positives, then negatives, end to end, no padding. */
export interface PackedBatch {
  /** Token ids of all sequences: `[tokens]`. */
  readonly ids: Uint32Array;
  /** `cu_seqlens`: sequence `s` is `ids[cuSeqlens[s] … cuSeqlens[s + 1] - 1]`; `[sequences + 1]`. */
  readonly cuSeqlens: Uint32Array;
  /**
   * One per candidate, see {@link candidateGroups}: `[candidates]`. For query `i` the loss leaves out
   * candidate `j ≠ i` where `groups[j] === groups[i]`.
   */
  readonly groups: Uint32Array;
  readonly counts: {
    readonly tokens: number;
    /** queries + candidates. */
    readonly sequences: number;
    /** Query `i` is sequence `i`; its positive is candidate `i`. */
    readonly queries: number;
    /** Positives and negatives; candidate `j` is sequence `queries + j`. */
    readonly candidates: number;
  };
}

/**
 * Encodes and packs a batch.
 *
 * @param batch its `pairs` are read
 * @param encode called once for the queries and once for the passages
 * @throws DataError `INPUT_EMPTY` where a batch has no pair or a text no token
 *
 * @example
 * const packed = await collate(sampler.next(), (texts) => tokenizer.encode(texts), { queryPrefix: 'Query: ' });
 */
export async function collate(
  batch: { readonly pairs: readonly Pair[] },
  encode: Encode,
  options: CollateOptions = {},
): Promise<PackedBatch> {
  const { pairs } = batch;
  if (pairs.length === 0) throw new DataError('INPUT_EMPTY', 'a batch without pairs cannot be packed');
  const queries = pairs.map((pair) => pair.query);
  const candidates = [...pairs.map((pair) => pair.passage), ...pairs.flatMap((pair) => pair.negatives)];
  const { queryPrefix = '', passagePrefix = '' } = options;
  const queryIds = await encode(
    queries.map((row) => queryPrefix + row.text),
    'query',
  );
  const passageIds = await encode(
    candidates.map((row) => passagePrefix + row.text),
    'passage',
  );
  checkCount('queries', queryIds.length, queries.length);
  checkCount('passages', passageIds.length, candidates.length);

  const sequences = [...queryIds, ...passageIds];
  const cuSeqlens = new Uint32Array(sequences.length + 1);
  sequences.forEach((sequence, i) => {
    if (sequence.length === 0) {
      const row = [...queries, ...candidates][i]!;
      throw new DataError(
        'INPUT_EMPTY',
        `the text of '${row.id}' (${row.dataset}, ${row.lang}) has no token`,
      );
    }
    cuSeqlens[i + 1] = cuSeqlens[i]! + sequence.length;
  });
  const tokens = cuSeqlens.at(-1)!;
  const ids = new Uint32Array(tokens);
  sequences.forEach((sequence, i) => {
    ids.set(sequence, cuSeqlens[i]!);
  });
  return {
    ids,
    cuSeqlens,
    groups: candidateGroups(pairs),
    counts: {
      tokens,
      sequences: sequences.length,
      queries: queries.length,
      candidates: candidates.length,
    },
  };
}

function checkCount(what: string, received: number, expected: number): void {
  if (received !== expected) {
    throw new RangeError(`Expected \`encode\` to return ${expected} ${what} but received ${received}`);
  }
}
