/** Errors of this package; `INPUT_*` codes are mistakes in what the user gave. */
export type TrainErrorCode = 'INPUT_CONFIG' | 'INPUT_OUTPUT' | 'INPUT_RESUME' | 'TRAIN_DIVERGED';

/** A mistake in a configuration or a run's folder, or a run that diverged, in one line with a stable `code`. */
export class TrainError extends Error {
  readonly code: TrainErrorCode;

  constructor(code: TrainErrorCode, message: string, options?: ErrorOptions) {
    super(message.replace(/\s*\n\s*/g, ' '), options);
    this.name = 'TrainError';
    this.code = code;
  }
}
