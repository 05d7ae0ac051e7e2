/** Sizes that plans and buffers are made for: few different ones, none much larger than what it is for. */

/** The bucket of a size: rounded up to a quarter of a power of two, and at least to a multiple of 64. */
export function bucketOf(size: number): number {
  const step = Math.max(64, 2 ** Math.floor(Math.log2(size)) / 4);
  return Math.ceil(size / step) * step;
}
