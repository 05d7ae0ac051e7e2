/** Dispatch timings as a trace that Perfetto (ui.perfetto.dev) and chrome://tracing open. Pure. */
import type { DispatchTiming } from '@synglot/gpu';

/** A trace in Chrome's event format; times are microseconds. */
export interface Trace {
  readonly displayTimeUnit: 'ms';
  readonly traceEvents: readonly object[];
}

/** One row for the device, one slice per dispatch: named by what it computes, coloured by kernel. */
export function traceOf(process: string, timings: readonly DispatchTiming[]): Trace {
  const common = { pid: 1, tid: 1 };
  return {
    displayTimeUnit: 'ms',
    traceEvents: [
      { ...common, ph: 'M', name: 'process_name', args: { name: process } },
      { ...common, ph: 'M', name: 'thread_name', args: { name: 'device' } },
      ...timings.map(({ kernel, label, beginNs, timeNs }) => ({
        ...common,
        ph: 'X',
        name: label,
        cat: kernel,
        ts: beginNs / 1000,
        dur: timeNs / 1000,
        args: { kernel },
      })),
    ],
  };
}

/** Share of the time between the first dispatch's beginning and the last one's end in which none ran. */
export function idleShare(timings: readonly DispatchTiming[]): number {
  let busyNs = 0;
  let reachedNs = 0;
  for (const { beginNs, timeNs } of [...timings].sort((a, b) => a.beginNs - b.beginNs)) {
    const from = Math.max(beginNs, reachedNs);
    busyNs += Math.max(0, beginNs + timeNs - from);
    reachedNs = Math.max(reachedNs, beginNs + timeNs);
  }
  return reachedNs === 0 ? 0 : 1 - busyNs / reachedNs;
}
