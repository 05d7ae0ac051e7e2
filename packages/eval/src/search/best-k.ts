/**
 * The k best of a stream of scores for many queries at once: exact, ties included. It sees no embeddings,
 * and nothing is sorted but the few scores that may still be among the best.
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
    this.#keepBest(query);
    const base = query * this.#capacity;
    const end = base + this.#filled[query]!;
    return { rows: this.#rows.slice(base, end), scores: this.#scores.slice(base, end) };
  }

  #keepBest(query: number): void {
    const base = query * this.#capacity;
    const filled = this.#filled[query]!;
    const scores = this.#scores.slice(base, base + filled);
    const rows = this.#rows.slice(base, base + filled);
    const order = Array.from(scores.keys()).sort((a, b) => {
      const [x, y] = [scores[a]!, scores[b]!];
      if (x !== y) return x > y ? -1 : 1;
      return this.#sign * compareUtf8(this.#idOf(rows[a]!), this.#idOf(rows[b]!));
    });
    const kept = Math.min(filled, this.#k);
    for (let i = 0; i < kept; i++) {
      this.#scores[base + i] = scores[order[i]!]!;
      this.#rows[base + i] = rows[order[i]!]!;
    }
    this.#filled[query] = kept;
    if (kept === this.#k) this.thresholds[query] = this.#scores[base + kept - 1]!;
  }
}
