/**
 * What an encoder plan is fed: packed token ids and what follows from them.
 *
 * Sequences lie end to end, without padding. Each sequence has a slot: queries from slot 0,
 * candidates (passages, then hard negatives) from slot `capacity.queries`.
 */
import { GpuError, type Tensor } from '@synglot/gpu';
import type { Axis } from '../axis.js';
import type { Graph } from '../graph.js';
import type { SortedRows, TokenFeeds } from '../ops/embedding.js';
import type { PoolingFeeds } from '../ops/pooling.js';
import type { EncoderConfig } from './config.js';

/** A packed batch: sequence s has ids[cuSeqlens[s] … cuSeqlens[s + 1]). Queries come first. */
export interface EncoderBatch {
  readonly ids: Uint32Array;
  readonly cuSeqlens: Uint32Array;
  /** How many of the sequences, from the first, are queries. */
  readonly queries: number;
  /** The rest: passages of the queries in order, then hard negatives. */
  readonly candidates: number;
  /** Token types (0 or 1 in pairs); all 0 when absent. */
  readonly types?: Uint32Array;
}

/** The largest batch that a plan takes. */
export interface BatchCapacity {
  readonly tokens: number;
  readonly queries: number;
  readonly candidates: number;
}

/** The feeds of a plan, and the axes along which they lie. */
export interface EncoderFeeds {
  readonly tokenAxis: Axis;
  readonly queryAxis: Axis;
  readonly candidateAxis: Axis;
  readonly embedding: TokenFeeds;
  readonly pooling: PoolingFeeds;
  readonly bounds: Tensor;
}

/** For `sortRows`: two digits cover vocabularies of up to 4 million tokens. */
const digitBits = 11;
const digitMask = (1 << digitBits) - 1;

/** Declares the feeds of a plan; `packBatch` fills them. */
export function declareFeeds(g: Graph, config: EncoderConfig, capacity: BatchCapacity): EncoderFeeds {
  const { tokens, queries, candidates } = capacity;
  const distinctWords = Math.min(tokens, config.vocabularySize);
  const distinctPositions = Math.min(tokens, config.maxPositions);
  const tokenFeed = g.plan.feed('tokens', [tokens, 4]);
  const bounds = g.plan.feed('bounds', [tokens, 2]);
  const sorted = (name: string, distinct: number, slot: Axis['slot']): SortedRows => ({
    axis: { capacity: distinct, slot },
    rows: g.plan.feed(`${name} rows`, [distinct]),
    offsets: g.plan.feed(`${name} offsets`, [distinct + 1]),
    order: g.plan.feed(`${name} order`, [tokens]),
  });
  return {
    tokenAxis: { capacity: tokens, slot: 'tokens' },
    queryAxis: { capacity: queries, slot: 'queries' },
    candidateAxis: { capacity: Math.max(1, candidates), slot: 'candidates' },
    embedding: {
      tokens: tokenFeed,
      words: sorted('word', distinctWords, 'distinctWords'),
      positions: sorted('position', distinctPositions, 'distinctPositions'),
    },
    pooling: {
      tokens: tokenFeed,
      bounds,
      slots: g.plan.feed('slots', [queries + Math.max(1, candidates), 2]),
    },
    bounds,
  };
}

/** What `packBatch` makes of a batch: the data of every feed, and the sizes that `packStep` takes. */
export interface PackedFeeds {
  readonly feeds: Record<string, Uint32Array>;
  readonly counts: {
    readonly tokens: number;
    readonly queries: number;
    readonly candidates: number;
    readonly distinctWords: number;
    readonly distinctPositions: number;
  };
}

/** Computes the feeds of one batch. Throws `PLAN_INVALID` if it does not fit the plan or the model. */
export function packBatch(config: EncoderConfig, capacity: BatchCapacity, batch: EncoderBatch): PackedFeeds {
  checkBatch(config, capacity, batch);
  const { ids, cuSeqlens, types } = batch;
  const sequences = batch.queries + batch.candidates;
  const tokens = new Uint32Array(ids.length * 4);
  const bounds = new Uint32Array(ids.length * 2);
  const positions = new Uint32Array(ids.length);
  const slots = new Uint32Array((capacity.queries + Math.max(1, capacity.candidates)) * 2);
  // XLM-R counts no padding token, not even one that a text spells out as `<pad>`.
  const uncounted = config.family === 'xlm-roberta' ? config.positionOffset - 1 : -1;
  for (let sequence = 0; sequence < sequences; sequence++) {
    const begin = cuSeqlens[sequence] as number;
    const end = cuSeqlens[sequence + 1] as number;
    const slot = sequence < batch.queries ? sequence : capacity.queries + sequence - batch.queries;
    slots.set([begin, end], slot * 2);
    let next = config.positionOffset;
    for (let token = begin; token < end; token++) {
      const position = ids[token] === uncounted ? uncounted : next++;
      positions[token] = position;
      // Plain stores: `set` would make an array for each token of each step.
      tokens[token * 4] = ids[token] as number;
      tokens[token * 4 + 1] = position;
      tokens[token * 4 + 2] = types?.[token] ?? 0;
      tokens[token * 4 + 3] = slot;
      bounds[token * 2] = begin;
      bounds[token * 2 + 1] = end;
    }
  }
  const words = sortRows(ids);
  const sortedPositions = sortRows(positions);
  return {
    feeds: {
      tokens,
      bounds,
      slots,
      'word rows': words.rows,
      'word offsets': words.offsets,
      'word order': words.order,
      'position rows': sortedPositions.rows,
      'position offsets': sortedPositions.offsets,
      'position order': sortedPositions.order,
    },
    counts: {
      tokens: ids.length,
      queries: batch.queries,
      candidates: batch.candidates,
      distinctWords: words.rows.length,
      distinctPositions: sortedPositions.rows.length,
    },
  };
}

/**
 * The distinct values, ascending; where each begins in `order`; and `order`, the indices sorted by value, then index.
 *
 * A radix sort, which is stable and linear in the batch: this is most of the work that the host does for a batch.
 */
export function sortRows(values: Uint32Array): {
  rows: Uint32Array;
  offsets: Uint32Array;
  order: Uint32Array;
} {
  const count = values.length;
  let largest = 0;
  for (let index = 0; index < count; index++) largest = Math.max(largest, values[index]!);
  let order = new Uint32Array(count);
  for (let index = 0; index < count; index++) order[index] = index;
  let sorted = new Uint32Array(count);
  const ends = new Uint32Array(1 << digitBits);
  for (let shift = 0; shift < 32 && (shift === 0 || largest >>> shift > 0); shift += digitBits) {
    ends.fill(0);
    for (let index = 0; index < count; index++) ends[(values[index]! >>> shift) & digitMask]!++;
    for (let digit = 1; digit <= digitMask; digit++) ends[digit]! += ends[digit - 1]!;
    for (let entry = count - 1; entry >= 0; entry--) {
      const index = order[entry]!;
      const digit = (values[index]! >>> shift) & digitMask;
      ends[digit]!--;
      sorted[ends[digit]!] = index;
    }
    [order, sorted] = [sorted, order];
  }
  const rows = new Uint32Array(count);
  const offsets = new Uint32Array(count + 1);
  let distinct = 0;
  for (let entry = 0; entry < count; entry++) {
    const value = values[order[entry]!]!;
    if (distinct > 0 && rows[distinct - 1] === value) continue;
    rows[distinct] = value;
    offsets[distinct] = entry;
    distinct++;
  }
  offsets[distinct] = count;
  return { rows: rows.slice(0, distinct), offsets: offsets.slice(0, distinct + 1), order };
}

function checkBatch(config: EncoderConfig, capacity: BatchCapacity, batch: EncoderBatch): void {
  const { ids, cuSeqlens, queries, candidates, types } = batch;
  const fail = (message: string): never => {
    throw new GpuError('PLAN_INVALID', `packed batch: ${message}`);
  };
  if (
    cuSeqlens.length !== queries + candidates + 1 ||
    cuSeqlens[0] !== 0 ||
    cuSeqlens.at(-1) !== ids.length
  ) {
    fail(
      `expected ${queries + candidates + 1} borders from 0 to ${ids.length} but received ${cuSeqlens.length}`,
    );
  }
  if (ids.length > capacity.tokens || queries > capacity.queries || candidates > capacity.candidates) {
    fail(
      `${ids.length} tokens, ${queries} queries, ${candidates} candidates exceed the plan's ${capacity.tokens}, ${capacity.queries}, ${capacity.candidates}`,
    );
  }
  if (types && types.length !== ids.length)
    fail(`expected ${ids.length} token types but received ${types.length}`);
  const longest = config.maxPositions - config.positionOffset;
  for (let sequence = 0; sequence < queries + candidates; sequence++) {
    const length = (cuSeqlens[sequence + 1] as number) - (cuSeqlens[sequence] as number);
    if (length < 1 || length > longest)
      fail(`sequence ${sequence} has ${length} tokens, expected 1 to ${longest}`);
  }
  for (const id of ids) {
    if (id >= config.vocabularySize)
      fail(`token id ${id} is outside the vocabulary of ${config.vocabularySize}`);
  }
  for (const type of types ?? []) {
    if (type >= config.typeVocabularySize)
      fail(`token type ${type}, but the model has ${config.typeVocabularySize}`);
  }
}
