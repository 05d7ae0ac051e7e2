/**
 * Seeded random numbers: xoshiro128** 1.1 (Blackman and Vigna, 2018; public domain), its state filled from
 * any number of integer keys. Not for secrets.
 *
 * A generator is keyed by what it is for, for example (seed, batch index), so that the numbers of batch k
 * depend on no earlier batch.
 */
import { mix32 } from './hash.js';

/** A stream of random numbers that depends only on its keys. */
export class Random {
  readonly #state: Uint32Array;

  /** @param keys safe integers, at least one; any change in any of them gives an unrelated stream */
  constructor(...keys: number[]) {
    // Each lane absorbs all keys from a start of its own, so the 128 bits are not one 32-bit hash repeated.
    this.#state = Uint32Array.from([0x9e3779b9, 0x3c6ef372, 0xdaa66d2b, 0x78dde6e4], (lane) => {
      let word = lane;
      for (const key of keys) {
        word = mix32(word ^ (key >>> 0)) + lane;
        word = mix32(word ^ Math.floor(key / 2 ** 32)) + lane;
      }
      return mix32(word ^ keys.length);
    });
    if (this.#state.every((word) => word === 0)) this.#state[0] = 1;
  }

  /** A uniform integer in [0, 2^32). */
  uint32(): number {
    const s = this.#state;
    const s1 = s[1]!;
    const product = Math.imul(s1, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    s[2] = s[2]! ^ s[0]!;
    s[3] = s[3]! ^ s1;
    s[1] = s1 ^ s[2]!;
    s[0] = s[0]! ^ s[3]!;
    s[2] = s[2]! ^ (s1 << 9);
    const s3 = s[3]!;
    s[3] = (s3 << 11) | (s3 >>> 21);
    return result;
  }

  /** A uniform number in [0, 1), a multiple of 2^-53. */
  float(): number {
    const high = this.uint32() >>> 5;
    const low = this.uint32() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  /** A uniform integer in [0, `n`), without bias, for 1 ≤ n ≤ 2^32. */
  below(n: number): number {
    const limit = 2 ** 32 - (2 ** 32 % n);
    let value = this.uint32();
    while (value >= limit) value = this.uint32();
    return value % n;
  }

  /** `count` different elements of `values` (all of them where there are fewer), in random order. */
  pick<T>(values: readonly T[], count: number): T[] {
    const rest = [...values];
    const wanted = Math.min(count, rest.length);
    for (let i = 0; i < wanted; i++) {
      const j = i + this.below(rest.length - i);
      [rest[i], rest[j]] = [rest[j]!, rest[i]!];
    }
    rest.length = wanted;
    return rest;
  }
}
