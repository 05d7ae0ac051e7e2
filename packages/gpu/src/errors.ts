/**
 * Stable error codes of this package.
 *
 * Convention in every synglot package: a code that starts with `INPUT_` is a mistake in what the
 * user gave (the command exits with 2); every other code is a fault of the device or of synglot.
 */
export const gpuErrorCodes = [
  'DEVICE_LOST',
  'DEVICE_OUT_OF_MEMORY',
  'DEVICE_TIMEOUT',
  'DEVICE_UNAVAILABLE',
  'DEVICE_VALIDATION',
  'EXECUTOR_DESTROYED',
  'INPUT_DEVICE',
  'PLAN_INVALID',
] as const;

/** One of the codes. */
export type GpuErrorCode = (typeof gpuErrorCodes)[number];

/** An error of a device, an executor or a plan, with a stable `code`. */
export class GpuError extends Error {
  readonly code: GpuErrorCode;

  constructor(code: GpuErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'GpuError';
    this.code = code;
  }
}
