/** Errors of a store of embeddings. */
import { EvaluationError } from '../errors.js';

/** The system's code, such as `ENOENT`; else what the error says. */
export function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
}

/** `INPUT_STORE`: the store is not there, not whole, not the one asked for, or in use. */
export function storeError(message: string, cause?: unknown): EvaluationError {
  return new EvaluationError('INPUT_STORE', message, cause === undefined ? undefined : { cause });
}
