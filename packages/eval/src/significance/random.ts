/** The seeded generator behind every resampling, so that a figure is the same wherever it is computed. */

/** A generator of numbers in [0, 1): sfc32 of PractRand (public domain, Chris Doty-Humphrey), period over 2^64. */
export function seededRandom(seed: number): () => number {
  let a = seed >>> 0;
  let b = Math.floor(seed / 2 ** 32) >>> 0;
  let c = 0x9e3779b9;
  let counter = 1;
  const next = () => {
    const result = (((a + b) >>> 0) + counter) >>> 0;
    counter = (counter + 1) >>> 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) >>> 0;
    c = (((c << 21) | (c >>> 11)) + result) >>> 0;
    return result;
  };
  for (let i = 0; i < 15; i++) next();
  return () => next() / 2 ** 32;
}
