/**
 * How many commands of a plan a device is handed at once. Systems reset a GPU whose work does not end within a few
 * seconds (Windows after 2, by default), and they count from one submission to the next: a step that a small GPU computes
 * for longer must not be one submission. A processor has no such watchdog, and every submission costs it time.
 */
import type { DeviceInfo } from './executor.js';

/** A step of a twelve-layer encoder has about 500 commands: some sixteen submissions. */
const onGpu = 32;

/**
 * @param asked overrules what the type of the device says; `Infinity` for all at once
 * @throws RangeError for less than 1
 */
export function commandsPerSubmission(type: DeviceInfo['type'], asked?: number): number {
  if (asked !== undefined && !(asked >= 1)) {
    throw new RangeError(`expected commandsPerSubmission to be 1 or more but received ${asked}`);
  }
  return Math.floor(asked ?? (type === 'cpu' ? Infinity : onGpu));
}
