/**
 * Turns the texts of a batch into one packed sequence of tokens. Not a tokenizer: the caller passes one in.
 */
import { DataError } from './errors.js';
import { candidateGroups } from './groups.js';
import { candidatesOf, type Pair } from './rows.js';

/** Which prompt and which length limit a text gets. */
export type TextKind = 'query' | 'passage';

/**
 * Token ids of each text, special tokens included, already truncated.
 */
export type Encode = (
  texts: string[],
  kind: TextKind,
) => readonly ArrayLike<number>[] | Promise<readonly ArrayLike<number>[]>;

/** The texts of a batch as a {@link BatchRewrite} leaves them. */
export interface RewrittenTexts {
  /** One per pair. */
  readonly queries: readonly string[];
  /** In the order of {@link candidatesOf}. */
  readonly passages: readonly string[];
  /** Counts for the log, which may be summed over batches. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** What a {@link BatchRewrite} is given. */
export interface BatchToRewrite {
  readonly index: number;
  readonly pairs: readonly Pair[];
}

/**
 * Changes the texts of a batch before they are encoded, such as {@link codeSwitching}; must depend on nothing
 * but the batch. The rows stay what they are: false negatives are found by the texts as they were.
 */
export type BatchRewrite = (batch: BatchToRewrite) => RewrittenTexts | Promise<RewrittenTexts>;

/** Options of {@link collate}. */
export interface CollateOptions {
  /** Applied to the texts before prefixes are put in front. Default none. */
  readonly rewrite?: BatchRewrite;
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
  /** What the rewrite counted. */
  readonly metrics?: Readonly<Record<string, number>>;
}

/**
 * Encodes and packs a batch.
 *
 * @param batch its `pairs` are read; a rewrite also needs its `index`
 * @param encode called once for the queries and once for the passages
 * @throws DataError `INPUT_EMPTY` where a batch has no pair or a text no token
 *
 * @example
 * const encode = async (texts) => (await tokenizer.encodeBatch(texts)).map(({ ids }) => ids);
 * const packed = await collate(sampler.next(), encode, { queryPrefix: 'Query: ' });
 */
export async function collate(
  batch: { readonly index?: number; readonly pairs: readonly Pair[] },
  encode: Encode,
  options: CollateOptions = {},
): Promise<PackedBatch> {
  const { pairs } = batch;
  if (pairs.length === 0) throw new DataError('INPUT_EMPTY', 'a batch without pairs cannot be packed');
  const queries = pairs.map((pair) => pair.query);
  const candidates = candidatesOf(pairs);
  const { queryPrefix = '', passagePrefix = '', rewrite } = options;
  const texts = (await rewrite?.({ index: batch.index ?? 0, pairs })) ?? {
    queries: queries.map((row) => row.text),
    passages: candidates.map((row) => row.text),
  };
  const queryIds = await encode(
    texts.queries.map((text) => queryPrefix + text),
    'query',
  );
  const passageIds = await encode(
    texts.passages.map((text) => passagePrefix + text),
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
    ...('metrics' in texts ? { metrics: texts.metrics } : {}),
  };
}

function checkCount(what: string, received: number, expected: number): void {
  if (received !== expected) {
    throw new RangeError(`Expected \`encode\` to return ${expected} ${what} but received ${received}`);
  }
}
