/** Axes whose live size changes from step to step, and the `Step` uniform that carries the sizes. */
import { stepFeedSizeBytes } from '@synglot/gpu';

/**
 * Slots of `Step.counts` (kernels/wgsl/include_step.wgsl). Slot 0 is `all`: the axis is always full.
 * Slots are not sizes: a plan knows the capacity, the step feed the live size.
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

export type CountSlot = keyof typeof countSlots;

/** Slots of `Step.begins`, for parts of a batch; 0 is the beginning of a tensor. */
export const beginSlots = { none: 0, first: 1, second: 2 } as const;

/** A first axis of `capacity` rows, of which a step uses as many as its slot says. */
export interface Axis {
  readonly capacity: number;
  readonly slot: CountSlot;
}

/** What a step feeds besides data; everything defaults to a step that neither drops nor updates. */
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
   * Where a part of a batch begins: (token, sequence) of a chunk that is encoded on its own, or the rows of
   * the embeddings where (queries, candidates) of a tile of the loss begin.
   */
  readonly begins?: readonly [number, number];
  /** Multiplies every gradient before clipping: 1 / (accumulation steps · loss scale). */
  readonly gradientScale?: number;
  /** Multiplies the loss and so every gradient: mixed precision's guard against underflow. */
  readonly lossScale?: number;
}

/** Packs the `Step` uniform; bias corrections are computed here, in double precision. */
export function packStep(values: StepValues): Uint8Array {
  const bytes = new Uint8Array(stepFeedSizeBytes);
  const view = new DataView(bytes.buffer);
  for (const [slot, index] of Object.entries(countSlots)) {
    if (slot !== 'all')
      view.setUint32(index * 4, values.counts[slot as Exclude<CountSlot, 'all'>] ?? 0, true);
  }
  const { step, learningRate, beta1, beta2 } = values.update ?? {
    step: 1,
    learningRate: 0,
    beta1: 0,
    beta2: 0,
  };
  view.setUint32(32, (values.seed ?? 0) >>> 0, true);
  view.setUint32(36, step, true);
  view.setFloat32(40, learningRate, true);
  view.setFloat32(44, 1 - beta1 ** step, true);
  view.setFloat32(48, Math.sqrt(1 - beta2 ** step), true);
  view.setFloat32(52, values.gradientScale ?? 1, true);
  const [first, second] = values.begins ?? [0, 0];
  view.setUint32(56, first, true);
  view.setUint32(60, second, true);
  view.setFloat32(64, values.lossScale ?? 1, true);
  return bytes;
}
