/**
 * The k best of a stream of scores for many queries at once: exact, ties included. It sees no embeddings, and nothing
 * is sorted but the few scores that may still be among the best.
 */
import type { Profile } from '../profiles.js';
import { compareUtf8 } from './tie-order.js';

/** Best first; both lists have one length, at most k. */
export interface Hits {
  readonly rows: Uint32Array;
  readonly scores: Float32Array;
}

/** Collects hits; see the file's header. Bytes held: 16 · k · queries. */
export class BestK {
  readonly #k: number;
  readonly #capacity: number;
  readonly #scores: Float32Array;
  readonly #rows: Uint32Array;
  readonly #filled: Uint32Array;
  /** Scores below it cannot be among a query's k best any more. */
  readonly thresholds: Float32Array;
  readonly #idOf: (row: number) => string;
  readonly #sign: number;

  /** @param idOf id of a row, by which equal scores are ordered */
  constructor(queries: number, k: number, idOf: (row: number) => string, ties: Profile['ties']) {
    this.#k = k;
    this.#capacity = 2 * k;
    this.#scores = new Float32Array(queries * this.#capacity);
    this.#rows = new Uint32Array(queries * this.#capacity);
    this.#filled = new Uint32Array(queries);
    this.thresholds = new Float32Array(queries).fill(Number.NEGATIVE_INFINITY);
    this.#idOf = idOf;
    this.#sign = ties === 'id-ascending' ? 1 : -1;
  }

  /** Takes the scores of `count` rows from `firstRow` on; they stand at `offset`. None may be NaN. */
  add(query: number, scores: Float32Array, offset: number, count: number, firstRow: number): void {
    let threshold = this.thresholds[query]!;
    for (let i = 0; i < count; i++) {
      const score = scores[offset + i]!;
      if (score >= threshold) threshold = this.push(query, score, firstRow + i);
    }
  }

  /** Takes one score that is not below the query's threshold; returns the new threshold. */
  push(query: number, score: number, row: number): number {
    const base = query * this.#capacity;
    const at = this.#filled[query]!++;
    this.#scores[base + at] = score;
    this.#rows[base + at] = row;
    if (at + 1 === this.#capacity) this.#keepBest(query);
    return this.thresholds[query]!;
  }

  /** The hits of a query. */
  hits(query: number): Hits {
    if (this.#filled[query]! > this.#k) this.#keepBest(query);
    const base = query * this.#capacity;
    const end = base + this.#filled[query]!;
    const rows = this.#rows.subarray(base, end);
    const scores = this.#scores.subarray(base, end);
    const order = Array.from(rows.keys()).sort((a, b) => {
      const [x, y] = [scores[a]!, scores[b]!];
      return x === y ? this.#compareIds(rows[a]!, rows[b]!) : x > y ? -1 : 1;
    });
    return {
      rows: Uint32Array.from(order, (at) => rows[at]!),
      scores: Float32Array.from(order, (at) => scores[at]!),
    };
  }

  /** Of more than k scores, keeps the best, in any order: numbers are selected faster than hits are sorted. */
  #keepBest(query: number): void {
    const base = query * this.#capacity;
    const filled = this.#filled[query]!;
    const threshold = this.#scores.slice(base, base + filled).sort()[filled - this.#k]!;
    const equal: number[] = [];
    let end = base;
    for (let at = base; at < base + filled; at++) {
      const score = this.#scores[at]!;
      const row = this.#rows[at]!;
      if (score > threshold) {
        this.#scores[end] = score;
        this.#rows[end++] = row;
      } else if (score === threshold) {
        equal.push(row);
      }
    }
    const left = base + this.#k - end;
    if (equal.length > left) equal.sort((a, b) => this.#compareIds(a, b));
    for (const row of equal.slice(0, left)) {
      this.#scores[end] = threshold;
      this.#rows[end++] = row;
    }
    this.#filled[query] = this.#k;
    this.thresholds[query] = threshold;
  }

  #compareIds(a: number, b: number): number {
    return this.#sign * compareUtf8(this.#idOf(a), this.#idOf(b));
  }
}
