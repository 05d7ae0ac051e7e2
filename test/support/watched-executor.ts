/** An executor that knows which of its buffers and plans are still there, and that may have no memory for a plan. */
import { type Executor, GpuError, type Plan } from '@synglot/gpu';
import { overExecutor } from './over-executor.js';

export interface Watched {
  readonly executor: Executor;
  /** Names of what was made and not destroyed. */
  readonly alive: ReadonlySet<string>;
  /** How many buffers and plans were made. */
  made(): number;
}

/**
 * `inner`, watched.
 *
 * @param compile instead of that of `inner`
 */
export function watched(
  inner: Executor,
  compile: Executor['compile'] = (...given) => inner.compile(...given),
): Watched {
  const alive = new Set<string>();
  let made = 0;
  const kept = <T extends { destroy(): void }>(name: string, one: T): T => {
    const id = `${++made}: ${name}`;
    alive.add(id);
    const { destroy } = one;
    return Object.assign(one, {
      destroy() {
        alive.delete(id);
        destroy.call(one);
      },
    });
  };
  const executor: Executor = {
    ...overExecutor(inner, {
      compile: async (plan, externals) => kept(`plan '${plan.label}'`, await compile(plan, externals)),
    }),
    createBuffer: (label, sizeBytes) => kept(`buffer '${label}'`, inner.createBuffer(label, sizeBytes)),
  };
  return { executor, alive, made: () => made };
}

/** The same, without memory for the plan that is compiled as the `nth`, until it is built anew. */
export function tight(inner: Executor, nth: number): Watched {
  let compiled = 0;
  let large: Plan | undefined;
  return watched(inner, async (...given) => {
    if (++compiled === nth) [large] = given;
    if (given[0] !== large) return inner.compile(...given);
    // As long as a device takes to say so.
    await new Promise((resolve) => setTimeout(resolve, 10));
    throw new GpuError('DEVICE_OUT_OF_MEMORY', `no memory for plan ${nth}`);
  });
}
