/**
 * The dropout mask on the host: the TypeScript twin of kernels/wgsl/include_dropout.wgsl.
 *
 * For tests and for reproducing a mask elsewhere; training never calls it. A mask is a pure function
 * of (step seed, site, row, column), so nothing is stored between forward and backward.
 */

/** PCG output permutation (Jarzynski & Olano, JCGT 9(3), 2020): an unsigned 32-bit hash of `value`. */
export function pcgHash(value: number): number {
  const state = (Math.imul(value, 747796405) + 2891336453) >>> 0;
  const word = Math.imul((state >>> ((state >>> 28) + 4)) ^ state, 277803737) >>> 0;
  return ((word >>> 22) ^ word) >>> 0;
}

/**
 * The key of one row of one dropout site in one step.
 *
 * @param row the tensor's row, counted in the whole batch even if only a part of it is encoded; for attention
 * probabilities: query token · heads + head
 */
export function dropoutKey(seed: number, site: number, row: number): number {
  return pcgHash(pcgHash(pcgHash(seed) ^ site) ^ row);
}

/**
 * 0 for a dropped element, `keepScale` = 1 / (1 - rate) for a kept one.
 *
 * @param column for attention probabilities: key token counted from the sequence's first
 * @param threshold rate · 2³², rounded
 */
export function dropoutFactor(key: number, column: number, threshold: number, keepScale: number): number {
  return pcgHash(key ^ column) < threshold ? 0 : keepScale;
}
