/** Errors of a store of embeddings. */
import { EvaluationError } from '../errors.js';

/** `INPUT_STORE`: the store is not there, not whole, not the one asked for, or in use. */
export function storeError(message: string, cause?: unknown): EvaluationError {
  return new EvaluationError('INPUT_STORE', message, cause === undefined ? undefined : { cause });
}
