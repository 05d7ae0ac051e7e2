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
