/**
 * The state of a batch sampler as a checkpoint holds it, and the checks before it is trusted.
 */
import { DataError } from '../errors.js';
import type { CursorState, Stratum } from './strata.js';

/** Where a sampler stands. Plain JSON; its size does not grow with the number of steps. */
export interface SamplerState {
  readonly version: 1;
  /** Fingerprint of the training set. */
  readonly data: string;
  /** Fingerprint of the options. */
  readonly options: string;
  readonly seed: number;
  /** Index of the next batch. */
  readonly step: number;
  /** One list per stratum; those never drawn from are missing. See {@link packCursor}. */
  readonly strata: readonly (readonly number[])[];
}

/** What a sampler expects of a state. */
export interface ExpectedState {
  readonly data: string;
  readonly options: string;
  readonly seed: number;
  /** In an order that depends on the training set only. */
  readonly strata: readonly Stratum[];
  /** Number of items of the training set. */
  readonly items: number;
}

/** The state, once it is known to fit. @throws DataError `INPUT_STATE` saying what does not */
export function checkState(state: unknown, expected: ExpectedState): SamplerState {
  if (!isRecord(state) || state.version !== 1 || !Array.isArray(state.strata) || !isCount(state.step)) {
    throw new DataError(
      'INPUT_STATE',
      'this is not a sampler state of version 1: start without it, or use another checkpoint',
    );
  }
  const mismatch = (what: string, remedy: string, key: 'data' | 'options' | 'seed') =>
    new DataError(
      'INPUT_STATE',
      `the sampler state belongs to ${what} (expected ${expected[key]}, received ${String(state[key])}): ${remedy}, or start anew`,
    );
  if (state.data !== expected.data) {
    throw mismatch(
      'other training data',
      'resume with the same files, `langs` and `limit`, in the same order',
      'data',
    );
  }
  if (state.seed !== expected.seed) throw mismatch('another seed', 'resume with the same seed', 'seed');
  if (state.options !== expected.options) {
    throw mismatch('other sampler options', 'resume with the same batch size, mode and weights', 'options');
  }
  for (const [i, packed] of (state.strata as unknown[]).entries()) {
    if (!isSound(packed, expected)) {
      throw new DataError(
        'INPUT_STATE',
        `the sampler state is damaged at strata[${i}]: use another checkpoint`,
      );
    }
  }
  return state as unknown as SamplerState;
}

/** A cursor in few numbers: stratum index, epoch, position, passed over, then the deferred items. */
export function packCursor(index: number, cursor: CursorState): number[] {
  return [index, cursor.epoch, cursor.position, cursor.passedOver, ...cursor.deferred];
}

/** The inverse of {@link packCursor}, for a list that {@link checkState} has passed. */
export function unpackCursor(packed: readonly number[]): { index: number; cursor: CursorState } {
  const [index, epoch, position, passedOver, ...deferred] = packed as [number, number, number, number];
  return { index, cursor: { epoch, position, passedOver, deferred } };
}

function isSound(packed: unknown, expected: ExpectedState): boolean {
  if (!Array.isArray(packed) || packed.length < 4 || !packed.every(isCount)) return false;
  const { index, cursor } = unpackCursor(packed);
  const stratum = expected.strata[index];
  return (
    stratum !== undefined &&
    cursor.position < stratum.size &&
    cursor.deferred.every((item) => item < expected.items)
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
