/**
 * Hashes of texts and numbers, the same on every machine and run. Not cryptographic: somebody who wants
 * two texts to collide can make them.
 */

/** The finaliser of MurmurHash3 (Appleby, public domain): a bijection of 32-bit integers that mixes well. */
export function mix32(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * A 53-bit hash of the UTF-16 units of `text`, an exact integer in a double.
 *
 * Among a million texts two different ones share a hash with probability 6e-5.
 *
 * @param seed any safe integer; other seeds give unrelated hashes
 */
export function hashText(text: string, seed = 0): number {
  let low = mix32(seed ^ 0x9e3779b9);
  let high = mix32(Math.floor(seed / 2 ** 32) ^ low ^ 0x85ebca6b);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    low = Math.imul(low ^ unit, 0x9e3779b1);
    high = Math.imul(high ^ unit, 0x5f356495);
    low ^= low >>> 15;
    high ^= high >>> 13;
  }
  low = mix32(low ^ text.length);
  high = mix32(high ^ low);
  return (high & 0x1fffff) * 2 ** 32 + low;
}

/** {@link hashText} as 14 lower-case hexadecimal digits, for ids. */
export function hashTextHex(text: string): string {
  return hashText(text).toString(16).padStart(14, '0');
}

/**
 * The form in which two texts count as the same: Unicode NFKC, lower case, runs of white space as one space,
 * none at the ends.
 */
export function normaliseText(text: string): string {
  const folded = text.normalize('NFKC').toLowerCase();
  // Most texts have single spaces already, and replacing them by themselves is what takes longest here.
  return (oddSpace.test(folded) ? folded.replace(/\s+/gu, ' ') : folded).trim();
}

/** White space other than a single space. */
const oddSpace = /[^\S ]| {2}/u;

/** The hash under which duplicates are found: {@link hashText} of {@link normaliseText}. */
export function hashNormalisedText(text: string): number {
  return hashText(normaliseText(text));
}

/** An order-sensitive digest of many values; `digest` is 16 hexadecimal digits. */
export class Fingerprint {
  #a = 0x243f6a88;
  #b = 0x85a308d3;

  /** Adds a text or a safe integer. The kind is part of it: `add('1')` and `add(1)` differ. */
  add(value: string | number): this {
    const hash = typeof value === 'string' ? hashText(value, 1) : hashText(String(value), 2);
    const low = hash >>> 0;
    const high = Math.floor(hash / 2 ** 32);
    this.#a = mix32(Math.imul(this.#a, 31) ^ low);
    this.#b = mix32(Math.imul(this.#b, 37) ^ high ^ Math.imul(low, 0x27d4eb2f));
    return this;
  }

  digest(): string {
    return [this.#a, this.#b].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
  }
}
