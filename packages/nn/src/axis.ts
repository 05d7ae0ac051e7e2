/** Axes whose live size changes from step to step, and the `Step` uniform that carries the sizes. */
import { stepFeedSizeBytes } from '@synglot/gpu';

/**
 * Slots of `Step.counts` (kernels/wgsl/include_step.wgsl), where a step's live sizes are. Slot 0 is `all`: the axis
 * is always full. A plan holds an axis's capacity and slot, the step feed its live size.
 */
export const countSlots = {
  all: 0,
  tokens: 1,
  queries: 2,
  candidates: 3,
  distinctWords: 4,
  distinctPositions: 5,
  tileQueries: 6,
  tileCandidates: 7,
} as const;

/** The size that an axis follows; `all` is always the capacity. */
export type CountSlot = keyof typeof countSlots;

/** Slots of `Step.begins`, for parts of a batch; 0 is the beginning of a tensor. */
export const beginSlots = { none: 0, first: 1, second: 2 } as const;

/** An axis of `capacity` rows, of which a step uses as many as the slot says. */
export interface Axis {
  readonly capacity: number;
  readonly slot: CountSlot;
}

/** What a step feeds besides data; the defaults are those of a step that updates nothing. */
export interface StepValues {
  readonly counts: Readonly<Partial<Record<Exclude<CountSlot, 'all'>, number>>>;
  /** Seed of this step's dropout masks, an unsigned 32-bit integer. */
  readonly seed?: number;
  readonly update?: {
    /** Number of this update, from 1. */
    readonly step: number;
    readonly learningRate: number;
    readonly beta1: number;
    readonly beta2: number;
  };
  /**
   * Where a part of a batch begins: (token, sequence) for a chunk that is encoded on its own; for a tile of the loss,
   * the rows of the embeddings at which its (queries, candidates) begin.
   */
  readonly begins?: readonly [number, number];
  /** Multiplies every gradient before clipping: 1 / (accumulation steps · loss scale). */
  readonly gradientScale?: number;
  /** Multiplies the loss and so every gradient: mixed precision's guard against underflow. */
  readonly lossScale?: number;
}

/** Where the fields of `Step` lie, in bytes, by their names in WGSL. */
export const stepOffsets = {
  counts: 0,
  seed: 32,
  optimizer_step: 36,
  learning_rate: 40,
  bias_correction_1: 44,
  bias_correction_2_sqrt: 48,
  gradient_scale: 52,
  begins: 56,
  loss_scale: 64,
} as const;

const noUpdate = { step: 1, learningRate: 0, beta1: 0, beta2: 0 };

/**
 * Packs the `Step` uniform; bias corrections are computed here, in double precision.
 *
 * @throws TypeError for a count that there is not or that is no whole number, and for a learning rate that is not finite,
 *   which would make every parameter NaN
 */
export function packStep(values: StepValues): Uint8Array {
  const bytes = new Uint8Array(stepFeedSizeBytes);
  const view = new DataView(bytes.buffer);
  const setUint = (offset: number, value: number) => view.setUint32(offset, value, true);
  const setFloat = (offset: number, value: number) => view.setFloat32(offset, value, true);
  const { counts, seed = 0, update = noUpdate, begins = [0, 0], gradientScale = 1, lossScale = 1 } = values;
  const { step, learningRate, beta1, beta2 } = update;
  if (!Number.isFinite(learningRate)) {
    throw new TypeError(`Step: expected a finite learning rate but received ${learningRate}`);
  }
  for (const [slot, count] of Object.entries(counts)) {
    if (!(slot in countSlots && Number.isInteger(count) && count >= 0)) {
      const known = Object.keys(countSlots).slice(1).join(', ');
      throw new TypeError(`Step: expected whole numbers of ${known} but received ${count} of ${slot}`);
    }
    setUint(stepOffsets.counts + countSlots[slot as CountSlot] * 4, count);
  }
  setUint(stepOffsets.seed, seed >>> 0);
  setUint(stepOffsets.optimizer_step, step);
  setFloat(stepOffsets.learning_rate, learningRate);
  setFloat(stepOffsets.bias_correction_1, 1 - beta1 ** step);
  setFloat(stepOffsets.bias_correction_2_sqrt, Math.sqrt(1 - beta2 ** step));
  setFloat(stepOffsets.gradient_scale, gradientScale);
  setUint(stepOffsets.begins, begins[0]);
  setUint(stepOffsets.begins + 4, begins[1]);
  setFloat(stepOffsets.loss_scale, lossScale);
  return bytes;
}
