/**
 * Dynamic loss scaling: the factor that keeps gradients within half precision.
 *
 * Semantics of torch.amp.GradScaler: an update whose gradients overflow is skipped and halves the scale,
 * and the optimiser does not count it; after some good updates in a row the scale doubles. The device
 * detects overflows and skips updates by itself (packages/nn/src/optim); this file is what the host decides
 * between updates. Knows no buffers.
 */
import type { Precision } from '@synglot/nn';

/** Where the scale begins, and how long it waits before it doubles. */
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

/** Doubling beyond this does not help: by then the smallest gradients that matter are within f16. */
const largestScale = 2 ** 24;
/** An overflow at this scale does not come from scaling. */
const smallestScale = 2 ** -10;

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
  return { scale: scale < largestScale ? scale * 2 : scale, good: 0, skipped };
}

/** The loss scale of a run, from update to update; in full precision it is 1 and nothing is skipped. */
export class LossScaler {
  readonly #options: LossScaleOptions;
  #state: LossScaleState | undefined;

  /** @param precision `mixed` scales the loss */
  constructor(precision: Precision, options: LossScaleOptions = {}) {
    this.#options = options;
    this.#state = precision === 'mixed' ? initialLossScale(options) : undefined;
  }

  /** What a checkpoint holds; undefined in full precision. */
  get state(): LossScaleState | undefined {
    return this.#state;
  }

  /** Continues from a checkpoint; from one that has no scale, with the initial one. */
  restore(state: LossScaleState | undefined): void {
    if (this.#state) this.#state = state ?? initialLossScale(this.#options);
  }

  /** What the next update's loss is multiplied by. */
  get scale(): number {
    return this.#state?.scale ?? 1;
  }

  /** The number of an update as the optimiser counts: without those that were skipped. */
  counted(step: number): number {
    return step - (this.#state?.skipped ?? 0);
  }

  /** Whether an overflow may come from the scale alone, so that skipping the update and a smaller scale will help. */
  skips(overflow: boolean): boolean {
    return overflow && this.#state !== undefined && this.#state.scale > smallestScale;
  }

  /** Decides the next scale after an update that was, or was not, skipped. */
  advance(skipped: boolean): void {
    if (this.#state) this.#state = nextLossScale(this.#state, skipped, this.#options);
  }
}
