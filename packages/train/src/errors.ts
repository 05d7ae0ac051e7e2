/** Errors of this package; `INPUT_*` codes are mistakes in what the user gave. */
export type TrainErrorCode = 'INPUT_CONFIG' | 'INPUT_OUTPUT' | 'INPUT_RESUME' | 'TRAIN_DIVERGED' | 'STOPPED';

/**
 * A mistake in a configuration or a run's folder, a run that diverged, or one that was asked to stop while it was still
 * being opened, in one line with a stable `code`.
 */
export class TrainError extends Error {
  readonly code: TrainErrorCode;

  constructor(code: TrainErrorCode, message: string, options?: ErrorOptions) {
    super(message.replace(/\s*\n\s*/g, ' '), options);
    this.name = 'TrainError';
    this.code = code;
  }
}

/** @throws TrainError `STOPPED` if the signal asks for it */
export function checkStopped(signal: AbortSignal | undefined): void {
  if (signal?.aborted)
    throw new TrainError('STOPPED', 'stopped before an update; the same command begins again');
}
