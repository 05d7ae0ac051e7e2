/**
 * The error of this package.
 */

/**
 * Stable error codes of this package; all of them are mistakes in what the user gave.
 *
 * - `INPUT_FILE`: a file or folder is missing, unreadable or damaged.
 * - `INPUT_JSON`: a line or a file is not JSON, or not the expected kind of JSON value.
 * - `INPUT_COLUMN`: a field or column is missing or of the wrong type.
 * - `INPUT_EMPTY`: a query, a passage, a negative, an encoding or a whole data set is empty.
 * - `INPUT_LANGUAGE`: a language is missing, malformed or not in the data.
 * - `INPUT_MINING`: mining leaves no negative.
 * - `INPUT_COLLECTION`: a collection contradicts itself, or nothing of it can be evaluated.
 * - `INPUT_OPTION`: an option has a value that is not allowed.
 * - `INPUT_FORMAT`: no reader has this name.
 * - `INPUT_BATCH`: no batch of the wanted size, mode or languages can be drawn from the data.
 * - `INPUT_STATE`: a sampler state belongs to other data, to other options, or is damaged.
 */
export type DataErrorCode =
  | 'INPUT_BATCH'
  | 'INPUT_COLLECTION'
  | 'INPUT_COLUMN'
  | 'INPUT_EMPTY'
  | 'INPUT_FILE'
  | 'INPUT_FORMAT'
  | 'INPUT_JSON'
  | 'INPUT_LANGUAGE'
  | 'INPUT_MINING'
  | 'INPUT_OPTION'
  | 'INPUT_STATE';

/** A mistake in data, a collection or the options of a sampler, in one line, with a stable `code`. */
export class DataError extends Error {
  readonly code: DataErrorCode;

  constructor(code: DataErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DataError';
    this.code = code;
  }
}
