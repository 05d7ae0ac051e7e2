/**
 * An executor that reports what it does: a wrapper for people who look at plans and kernels.
 *
 * Level 1 prints each plan and how long it took to compile, 2 also the time of each kernel of every run, 3 also
 * the WGSL of every pipeline. It changes no result; level 2 makes runs slower.
 */
import type { CompiledPlan, DeviceBuffer, Executor, RunOptions, RunResult } from './executor.js';
import type { Plan } from './plan.js';

/** Wraps `executor`; `print` receives whole lines. */
export function debugExecutor(executor: Executor, level: number, print: (line: string) => void): Executor {
  return {
    kind: executor.kind,
    device: executor.device,
    createBuffer: (label, sizeBytes) => executor.createBuffer(label, sizeBytes),
    write: (buffer, data, offsetBytes) => executor.write(buffer, data, offsetBytes),
    read: (buffer, offsetBytes, sizeBytes) => executor.read(buffer, offsetBytes, sizeBytes),
    destroy: () => executor.destroy(),
    async compile(plan: Plan, externals?: ReadonlyMap<string, DeviceBuffer>): Promise<CompiledPlan> {
      // Before it is compiled: one that cannot be is looked at most.
      for (const line of describePlan(plan)) print(line);
      if (level >= 3) for (const { label, code } of plan.kernels) print(`--- ${label}\n${code}`);
      const started = performance.now();
      const compiled = await executor.compile(plan, externals);
      print(`  plan '${plan.label}' compiled in ${(performance.now() - started).toFixed(0)} ms`);
      return level < 2 ? compiled : new TimedPlan(compiled, print);
    },
  };
}

class TimedPlan implements CompiledPlan {
  constructor(
    private readonly compiled: CompiledPlan,
    private readonly print: (line: string) => void,
  ) {}

  get plan(): Plan {
    return this.compiled.plan;
  }

  async run(options: RunOptions = {}): Promise<RunResult> {
    const started = performance.now();
    const result = await this.compiled.run({ ...options, profile: true });
    this.print(`run of '${this.plan.label}': ${(performance.now() - started).toFixed(1)} ms`);
    const kernels = new Map<string, { count: number; timeNs: number }>();
    for (const { kernel, timeNs } of result.timings ?? []) {
      const { count, timeNs: before } = kernels.get(kernel) ?? { count: 0, timeNs: 0 };
      kernels.set(kernel, { count: count + 1, timeNs: before + timeNs });
    }
    for (const [kernel, { count, timeNs }] of [...kernels].sort((a, b) => b[1].timeNs - a[1].timeNs)) {
      this.print(`  ${(timeNs / 1e6).toFixed(2).padStart(10)} ms  ${String(count).padStart(4)} × ${kernel}`);
    }
    return result;
  }

  destroy(): void {
    this.compiled.destroy();
  }
}

/** A plan in two lines: how many dispatches and pipelines, and where its memory goes. */
export function describePlan(plan: Plan): string[] {
  const dispatches = plan.commands.filter((command) => command.kind === 'dispatch').length;
  const bytes = (role: string) => {
    // Views of one buffer may overlap, so each such buffer counts once, up to the end of its last view.
    const ends = new Map<string, number>();
    for (const { name, sizeBytes, within, role: own } of plan.buffers) {
      const buffer = within?.name ?? name;
      const end = (within?.offsetBytes ?? 0) + sizeBytes;
      if (own === role) ends.set(buffer, Math.max(end, ends.get(buffer) ?? 0));
    }
    return [...ends.values()].reduce((total, end) => total + end, 0);
  };
  const roles = ['external', 'transient', 'feed', 'result'].map(
    (role) => `${role} ${(bytes(role) / 2 ** 20).toFixed(1)} MiB`,
  );
  return [
    `plan '${plan.label}': ${dispatches} dispatches, ${plan.commands.length - dispatches} copies and clears, ${plan.kernels.length} pipelines`,
    `  ${roles.join(', ')}`,
  ];
}
