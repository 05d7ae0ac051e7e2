/**
 * A pseudo-random permutation of 0 … n-1 that needs no table: a balanced Feistel network over the next even
 * power of two, walked along its cycles until it lands below n (Black and Rogaway, 2002). Not a shuffle of
 * an array, and not cryptographic.
 */
import { mix32 } from './hash.js';

const rounds = 6;
/** Below 2^8 values the network has too few round functions to reach all permutations about equally. */
const fewestHalfBits = 4;

/** One permutation of 0 … `size`-1, chosen by integer keys; O(1) memory and expected O(1) time. */
export class Permutation {
  readonly size: number;
  readonly #halfBits: number;
  readonly #mask: number;
  readonly #keys: Uint32Array;

  /** @param size 1 … 2^31 @param keys safe integers */
  constructor(size: number, ...keys: number[]) {
    if (!Number.isInteger(size) || size < 1 || size > 2 ** 31) {
      throw new RangeError(`Expected a permutation of 1 to 2^31 values but received size ${size}`);
    }
    this.size = size;
    this.#halfBits = Math.max(fewestHalfBits, Math.ceil(Math.log2(size) / 2));
    this.#mask = 2 ** this.#halfBits - 1;
    let word = 0x6a09e667;
    for (const key of keys) word = mix32(mix32(word ^ (key >>> 0)) ^ Math.floor(key / 2 ** 32)) + 0x9e3779b9;
    this.#keys = Uint32Array.from({ length: rounds }, (_, round) =>
      mix32(word + Math.imul(round + 1, 0x9e3779b9)),
    );
  }

  /** The value at `index`, both in 0 … size-1. */
  at(index: number): number {
    let value = index;
    do {
      let left = Math.floor(value / 2 ** this.#halfBits);
      let right = value & this.#mask;
      for (const key of this.#keys) {
        const next = (left ^ mix32(right ^ key)) & this.#mask;
        left = right;
        right = next;
      }
      value = left * 2 ** this.#halfBits + right;
    } while (value >= this.size);
    return value;
  }
}
