/** What a run's timestamps mean, whichever executor took them. */
import type { DispatchTiming } from './executor.js';
import type { Plan } from './plan.js';

/** The timing of each dispatch of `plan`, given u64 nanoseconds: begin and end of each, in plan order. */
export function dispatchTimings(plan: Plan, timestamps: ArrayBuffer): DispatchTiming[] {
  const ticks = new BigUint64Array(timestamps);
  const nanoseconds = (from: number, to: number) => Number((ticks[to] ?? 0n) - (ticks[from] ?? 0n));
  return plan.commands
    .filter((command) => command.kind === 'dispatch')
    .map(({ kernel, label }, index) => ({
      kernel: plan.kernels[kernel]?.label ?? '',
      label,
      beginNs: nanoseconds(0, 2 * index),
      timeNs: nanoseconds(2 * index, 2 * index + 1),
    }));
}
