/**
 * Dynamic loss scaling: the factor that keeps gradients within half precision.
 *
 * Semantics of torch.amp.GradScaler: an update whose gradients overflow is skipped and halves the scale,
 * and the optimiser does not count it; after some good updates in a row the scale doubles. The device
 * finds overflows and skips by itself (packages/nn/src/optim); here is what the host decides between
 * updates. Knows no buffers.
 */

export interface LossScaleOptions {
  /** Scale of the first update; a power of two, so that scaling rounds nothing. Default 65,536. */
  readonly initial?: number;
  /** Good updates in a row after which the scale doubles. Default 2,000. */
  readonly growthInterval?: number;
}

/** Where the scale stands. Plain JSON, part of a checkpoint. */
export interface LossScaleState {
  readonly scale: number;
  /** Good updates since the scale last changed. */
  readonly good: number;
  /** Updates skipped since the beginning. */
  readonly skipped: number;
}

/** Beyond it, doubling helps no more: the smallest gradients that matter are far above what f32 holds. */
const largestScale = 2 ** 24;
/** An overflow at this scale does not come from scaling. */
export const smallestLossScale = 2 ** -10;

/** The state before the first update. */
export function initialLossScale(options: LossScaleOptions = {}): LossScaleState {
  return { scale: options.initial ?? 65_536, good: 0, skipped: 0 };
}

/** The state after an update that did, or did not, overflow. */
export function nextLossScale(
  { scale, good, skipped }: LossScaleState,
  overflow: boolean,
  options: LossScaleOptions = {},
): LossScaleState {
  if (overflow) return { scale: scale / 2, good: 0, skipped: skipped + 1 };
  if (good + 1 < (options.growthInterval ?? 2000)) return { scale, good: good + 1, skipped };
  return { scale: Math.min(largestScale, scale * 2), good: 0, skipped };
}
