/** The learning rate over the steps of a run. */

/** The learning rate of each update of a run. */
export interface ScheduleOptions {
  /** Highest learning rate, reached at the end of the warmup. */
  readonly learningRate: number;
  /** Updates in the run. */
  readonly steps: number;
  /** Updates over which the rate rises linearly from 0. */
  readonly warmupSteps: number;
  /** After the warmup: stay, fall linearly to 0, or fall as half a cosine to 0. */
  readonly decay: 'constant' | 'linear' | 'cosine';
}

/**
 * Learning rate of update `step` (from 1): that of transformers' `get_*_schedule_with_warmup` for the same
 * update, which is the factor of its scheduler after step - 1 calls.
 */
export function learningRateAt(step: number, options: ScheduleOptions): number {
  const { learningRate, steps, warmupSteps, decay } = options;
  const done = step - 1;
  if (done < warmupSteps) return (learningRate * done) / Math.max(1, warmupSteps);
  if (decay === 'constant') return learningRate;
  const progress = (done - warmupSteps) / Math.max(1, steps - warmupSteps);
  if (decay === 'linear') return learningRate * Math.max(0, 1 - progress);
  return learningRate * Math.max(0, 0.5 * (1 + Math.cos(Math.PI * Math.min(1, progress))));
}
