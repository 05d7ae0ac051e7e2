/** The one error class of this package. It knows codes, not how a command prints them. */

/**
 * - `INPUT_RUN`: a file or folder is missing, or holds no run.
 * - `INPUT_EMBEDDINGS`: embeddings, their languages and texts do not fit each other.
 * - `INPUT_OUTPUT`: the page cannot be written.
 * - `PAGE_NOT_BUILT`: the page's script is missing from the package.
 */
export type ReportErrorCode = 'INPUT_EMBEDDINGS' | 'INPUT_OUTPUT' | 'INPUT_RUN' | 'PAGE_NOT_BUILT';

/** An error of a report, in one line, with a stable `code`. */
export class ReportError extends Error {
  readonly code: ReportErrorCode;

  constructor(code: ReportErrorCode, message: string, options?: ErrorOptions) {
    super(message.replace(/\s*\n\s*/g, ' '), options);
    this.name = 'ReportError';
    this.code = code;
  }
}
