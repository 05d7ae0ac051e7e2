/**
 * All ways to cut texts into pieces, as flat arrays, with the sums and best paths that unigram training needs.
 * It chooses no pieces.
 */
import type { Trie } from '../trie.js';

/** log(exp(a) + exp(b)) */
function logAdd(a: number, b: number): number {
  if (a < b) return a === Number.NEGATIVE_INFINITY ? b : b + Math.log1p(Math.exp(a - b));
  return b === Number.NEGATIVE_INFINITY ? a : a + Math.log1p(Math.exp(b - a));
}

/** The lattices of many texts: edges sorted by text, then by beginning. A score of −∞ takes a piece out. */
export class Lattices {
  readonly #lengths: number[] = [];
  readonly #firstEdge: number[] = [0];
  readonly #begins: number[] = [];
  readonly #ends: number[] = [];
  readonly #pieces: number[] = [];
  readonly #trie: Trie;
  #alpha = new Float64Array(64);
  #beta = new Float64Array(64);
  #best = new Int32Array(64);

  constructor(trie: Trie) {
    this.#trie = trie;
  }

  /** Adds a text by its characters; texts are numbered from 0 in the order in which they are added. */
  add(characters: readonly string[]): void {
    const { length } = characters;
    for (let begin = 0; begin < length; begin++) {
      this.#trie.match(characters, begin, (end, piece) => {
        this.#begins.push(begin);
        this.#ends.push(end);
        this.#pieces.push(piece);
      });
    }
    this.#lengths.push(length);
    this.#firstEdge.push(this.#pieces.length);
    if (length < this.#alpha.length) return;
    this.#alpha = new Float64Array(2 * length);
    this.#beta = new Float64Array(2 * length);
    this.#best = new Int32Array(2 * length);
  }

  get size(): number {
    return this.#lengths.length;
  }

  /** Adds to `expected` how often each piece is used over all ways to cut text `text`, times `weight`. */
  addExpected(text: number, scores: Float64Array, weight: number, expected: Float64Array): void {
    const length = this.#lengths[text]!;
    const first = this.#firstEdge[text]!;
    const last = this.#firstEdge[text + 1]!;
    const alpha = this.#alpha.fill(Number.NEGATIVE_INFINITY, 0, length + 1);
    const beta = this.#beta.fill(Number.NEGATIVE_INFINITY, 0, length + 1);
    alpha[0] = 0;
    beta[length] = 0;
    for (let edge = first; edge < last; edge++) {
      const end = this.#ends[edge]!;
      alpha[end] = logAdd(alpha[end]!, alpha[this.#begins[edge]!]! + scores[this.#pieces[edge]!]!);
    }
    for (let edge = last - 1; edge >= first; edge--) {
      const begin = this.#begins[edge]!;
      beta[begin] = logAdd(beta[begin]!, beta[this.#ends[edge]!]! + scores[this.#pieces[edge]!]!);
    }
    const total = alpha[length]!;
    if (total === Number.NEGATIVE_INFINITY) return;
    for (let edge = first; edge < last; edge++) {
      const piece = this.#pieces[edge]!;
      const through = alpha[this.#begins[edge]!]! + scores[piece]! + beta[this.#ends[edge]!]!;
      expected[piece] = expected[piece]! + weight * Math.exp(through - total);
    }
  }

  /**
   * The likeliest way to cut text `text` (Viterbi), as piece ids; empty if there is none.
   *
   * @param without - a piece that may not be used
   */
  bestPath(text: number, scores: Float64Array, without = -1): number[] {
    const length = this.#lengths[text]!;
    const alpha = this.#alpha.fill(Number.NEGATIVE_INFINITY, 0, length + 1);
    alpha[0] = 0;
    this.#best[length] = -1;
    for (let edge = this.#firstEdge[text]!; edge < this.#firstEdge[text + 1]!; edge++) {
      const piece = this.#pieces[edge]!;
      if (piece === without) continue;
      const score = alpha[this.#begins[edge]!]! + scores[piece]!;
      if (score > alpha[this.#ends[edge]!]!) {
        alpha[this.#ends[edge]!] = score;
        this.#best[this.#ends[edge]!] = edge;
      }
    }
    if (alpha[length] === Number.NEGATIVE_INFINITY) return [];
    const path: number[] = [];
    for (let at = length; at > 0; at = this.#begins[this.#best[at]!]!)
      path.push(this.#pieces[this.#best[at]!]!);
    return path.reverse();
  }
}
