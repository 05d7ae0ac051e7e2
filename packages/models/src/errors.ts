/** The one error class of this package. It knows codes, not how a command prints them. */

/**
 * Stable error codes of this package. Those starting with `INPUT_` are mistakes in what the user gave.
 *
 * - `INPUT_DATA`: a data set on the hub cannot be fetched.
 * - `INPUT_MODEL`: no such model folder, or the hub cannot be reached.
 * - `INPUT_CHECKPOINT`: a file of a checkpoint is missing, damaged, unsupported or does not fit the others.
 * - `INPUT_TOKENIZER`: the tokenizer is missing, damaged, or does not fit the model.
 * - `INPUT_DISK`: a file cannot be written (full disk, quota, no permission).
 */
export type ModelErrorCode =
  | 'INPUT_CHECKPOINT'
  | 'INPUT_DATA'
  | 'INPUT_DISK'
  | 'INPUT_MODEL'
  | 'INPUT_TOKENIZER';

/** An error in a checkpoint, a tokenizer or their files; `message` is one line with the remedy. */
export class ModelError extends Error {
  readonly code: ModelErrorCode;

  constructor(code: ModelErrorCode, message: string, options?: ErrorOptions) {
    super(message.replace(/\s*\n\s*/g, ' '), options);
    this.name = 'ModelError';
    this.code = code;
  }
}

/** Shorthand for the most frequent error. */
export function checkpointError(message: string, cause?: unknown): ModelError {
  return new ModelError('INPUT_CHECKPOINT', message, cause === undefined ? undefined : { cause });
}

/** The text of anything thrown, on one line. */
export function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\s*\n\s*/g, ' ');
}
