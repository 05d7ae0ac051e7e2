/**
 * Rows of embeddings that need not be in memory: what a search reads. Implementations: arrays (here), a
 * store on disk and other tools' files (`store/`).
 */
import { EvaluationError } from '../errors.js';

/** A matrix of embeddings with an id for every row, read block by block. */
export interface VectorSource {
  readonly rows: number;
  readonly dimension: number;
  /** Id of the passage of a row. */
  id(row: number): string;
  /** Copies rows `begin` … `end - 1` to the start of `into`. */
  read(begin: number, end: number, into: Float32Array): Promise<void>;
}

/** Embeddings in memory. @throws EvaluationError `INPUT_EMBEDDINGS` unless there is a row for every id */
export function memoryVectors(data: Float32Array, dimension: number, ids: readonly string[]): VectorSource {
  // Types do not bind a caller in JavaScript, nor what was read from a file.
  if (!(data instanceof Float32Array)) {
    const received = (data as object | null | undefined)?.constructor?.name ?? typeof data;
    throw new EvaluationError(
      'INPUT_EMBEDDINGS',
      `expected embeddings as a Float32Array but received ${received}; make one of it: new Float32Array(…)`,
    );
  }
  if (data.length !== ids.length * dimension) {
    throw new EvaluationError(
      'INPUT_EMBEDDINGS',
      `expected ${ids.length} x ${dimension} embeddings but received ${data.length} values`,
    );
  }
  return {
    rows: ids.length,
    dimension,
    id: (row) => ids[row]!,
    read: (begin, end, into) => {
      into.set(data.subarray(begin * dimension, end * dimension));
      return Promise.resolve();
    },
  };
}

/**
 * Refuses NaN, and values so large that a dot product could overflow; those of embeddings are around 1.
 *
 * @throws EvaluationError `INPUT_EMBEDDINGS` naming the row
 */
export function checkFinite(values: Float32Array, dimension: number, name: (row: number) => string): void {
  for (let i = 0; i < values.length; i++) {
    if (Math.abs(values[i]!) < 1e17) continue;
    const row = Math.floor(i / dimension);
    throw new EvaluationError(
      'INPUT_EMBEDDINGS',
      `embedding of "${name(row)}": value ${i % dimension} is ${values[i]}, expected a finite number; did training diverge?`,
    );
  }
}
