/** Whether a device can train in the precision that a configuration asks for. */
import type { Executor } from '@synglot/gpu';
import type { Precision } from '@synglot/nn';
import { TrainError } from './errors.js';

/**
 * Checks that a device has what a precision needs.
 *
 * @throws TrainError `INPUT_CONFIG`, one line with the device and what to do, if it has no f16
 */
export function checkPrecision(precision: Precision, { device }: Pick<Executor, 'device'>): void {
  if (precision === 'f32' || device.features.includes('shader-f16')) return;
  throw new TrainError(
    'INPUT_CONFIG',
    `mixed precision needs a device with half precision (shader-f16), which ${device.name} lacks; set precision to f32 (training.precision in a configuration), or choose another device (synglot devices lists them)`,
  );
}
