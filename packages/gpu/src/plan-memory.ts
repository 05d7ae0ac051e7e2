/** How much device memory a plan itself needs, and where most of it is live at once. Pure. */
import type { Plan, PlanBufferRole } from './plan.js';

/** What a plan has and takes on the device. */
export interface PlanMemory {
  readonly dispatches: number;
  readonly pipelines: number;
  readonly copiesAndClears: number;
  /** Bytes that the compiled plan allocates, by role; externals are bound, not allocated, and left out. */
  readonly ownBytes: Readonly<Record<Exclude<PlanBufferRole, 'external'>, number>>;
  /** Transients: how many tensors share how many buffers, and what they would take without sharing. */
  readonly pool: { readonly tensors: number; readonly buffers: number; readonly unsharedBytes: number };
  /** The command at which most bytes of transients are live, and which they are, largest first. */
  readonly peak: {
    readonly command: number;
    /** Label of the dispatch, or kind of another command. */
    readonly label: string;
    readonly liveBytes: number;
    readonly tensors: readonly { readonly name: string; readonly sizeBytes: number }[];
  };
}

/** What `plan` needs beside the buffers that it is given. */
export function planMemory(plan: Plan): PlanMemory {
  const transients = plan.transients ?? [];
  const ownBytes = { feed: 0, result: 0, transient: 0 };
  for (const { role, sizeBytes } of plan.buffers) if (role !== 'external') ownBytes[role] += sizeBytes;
  const change = new Float64Array(plan.commands.length + 1);
  for (const { sizeBytes, first, last } of transients) {
    change[first] = (change[first] as number) + sizeBytes;
    change[last + 1] = (change[last + 1] as number) - sizeBytes;
  }
  let live = 0;
  let peak = 0;
  let at = 0;
  for (let command = 0; command < plan.commands.length; command++) {
    live += change[command] as number;
    if (live <= peak) continue;
    peak = live;
    at = command;
  }
  const where = plan.commands[at];
  const dispatches = plan.commands.filter(({ kind }) => kind === 'dispatch').length;
  return {
    dispatches,
    pipelines: plan.kernels.length,
    copiesAndClears: plan.commands.length - dispatches,
    ownBytes,
    pool: {
      tensors: transients.length,
      buffers: plan.buffers.filter(({ role }) => role === 'transient').length,
      unsharedBytes: transients.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    },
    peak: {
      command: at,
      label: where?.kind === 'dispatch' ? where.label : (where?.kind ?? ''),
      liveBytes: peak,
      tensors: transients
        .filter(({ first, last }) => first <= at && at <= last)
        .map(({ name, sizeBytes }) => ({ name, sizeBytes }))
        .sort((a, b) => b.sizeBytes - a.sizeBytes),
    },
  };
}
