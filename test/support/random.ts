/** Seeded numbers for tests. */

/** Uniform numbers in [0, 1): mulberry32. */
export function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `count` floats in [-scale, scale). */
export function randomFloats(count: number, seed: number, scale = 1): Float32Array {
  const random = uniform(seed);
  return Float32Array.from({ length: count }, () => (random() * 2 - 1) * scale);
}

/** An integer in [from, below). */
export function randomInteger(random: () => number, from: number, below: number): number {
  return from + Math.floor(random() * (below - from));
}
