/** Matryoshka objectives: the contrastive loss at several dimensions of one embedding at once. */
import { type ContrastiveOptions, contrastive } from './contrastive.js';
import type { Objective } from './objective.js';

/** Options of {@link matryoshka}. */
export interface MatryoshkaOptions {
  /** Dimensions, each a multiple of 4 within the embedding's. */
  readonly dimensions: readonly number[];
  /** Weight of each dimension; default 1. */
  readonly weights?: readonly number[];
}

/**
 * One contrastive objective per dimension, over that many first numbers of the embeddings, normalised again;
 * the batch's loss is their weighted sum.
 *
 * Kusupati et al. 2022 (Matryoshka Representation Learning, arXiv 2205.13147); weights and the second
 * normalisation as in sentence-transformers' MatryoshkaLoss.
 */
export function matryoshka(
  { dimensions, weights }: MatryoshkaOptions,
  options: Omit<ContrastiveOptions, 'dimension'>,
): Objective[] {
  const { weight = 1 } = options;
  return dimensions.map((dimension, index) =>
    contrastive({ ...options, dimension, weight: weight * (weights?.[index] ?? 1) }),
  );
}
