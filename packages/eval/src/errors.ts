/** Stable error codes of this package; those that start with `INPUT_` are mistakes in what the user gave. */
export type EvaluationErrorCode =
  | 'INPUT_COLLECTION'
  | 'INPUT_EMBEDDINGS'
  | 'INPUT_MEASURE'
  | 'INPUT_OPTION'
  | 'INPUT_OUTPUT'
  | 'INPUT_PROFILE'
  | 'INPUT_SIGNIFICANCE'
  | 'INPUT_STORE'
  | 'INPUT_TREC'
  | 'SCORER_RESULT';

/** An error of an evaluation, in one line, with a stable `code`. */
export class EvaluationError extends Error {
  readonly code: EvaluationErrorCode;

  constructor(code: EvaluationErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'EvaluationError';
    this.code = code;
  }
}

/** The system's code of a failure, such as `ENOENT`; else what it says. */
export function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
}

/** `INPUT_OUTPUT`: a file cannot be written. */
export function outputError(file: string, cause: unknown): EvaluationError {
  return new EvaluationError(
    'INPUT_OUTPUT',
    `${file}: cannot be written (${codeOf(cause)}); check that its folder exists, is writable and has space.`,
    { cause },
  );
}
