/**
 * Compiled plans that are kept for reuse and give way to others: where a device has no memory for a plan, those that are
 * kept are freed, whoever keeps them, and it is compiled once more.
 */
import { GpuError } from './errors.js';
import type { CompiledPlan, DeviceBuffer, Executor } from './executor.js';
import type { Plan } from './plan.js';

interface Kept {
  readonly plan: Promise<CompiledPlan>;
  /** Settles once the plan is freed. */
  free(): Promise<void>;
}

/** What is kept on one executor. */
interface Room {
  /** Plans that are ready. */
  readonly kept: Set<Kept>;
  /** Settles with the latest compilation: of two at once, neither could take the other's place. */
  turn: Promise<unknown>;
}

const rooms = new WeakMap<Executor, Room>();

function roomOn(executor: Executor): Room {
  let room = rooms.get(executor);
  if (!room) {
    room = { kept: new Set(), turn: Promise.resolve() };
    rooms.set(executor, room);
  }
  return room;
}

/**
 * Compiles a plan; where there is no memory for it beside the plans that are kept for this executor, in their place.
 *
 * @throws GpuError as `Executor.compile` does
 */
export function compileInRoom(
  executor: Executor,
  plan: Plan,
  externals: ReadonlyMap<string, DeviceBuffer>,
): Promise<CompiledPlan> {
  const room = roomOn(executor);
  const compile = () => executor.compile(plan, externals);
  const compiled = room.turn.then(compile).catch(async (error: unknown) => {
    const noMemory = error instanceof GpuError && error.code === 'DEVICE_OUT_OF_MEMORY';
    if (!noMemory || room.kept.size === 0) throw error;
    await Promise.all([...room.kept].map((kept) => kept.free()));
    return compile();
  });
  room.turn = compiled.catch(() => undefined);
  return compiled;
}

/** Plans by key, compiled when they are first needed. */
export class KeptPlans {
  readonly #executor: Executor;
  readonly #most: number;
  /** In order of use: the first is the least recently used. */
  readonly #plans = new Map<string, Kept>();

  /** @param most plans that are kept; default: all, as long as there is memory for them */
  constructor(executor: Executor, most = Number.POSITIVE_INFINITY) {
    this.#executor = executor;
    this.#most = most;
  }

  /**
   * The plan of a key. It is to be run as soon as this promise is fulfilled, before anything else is waited for: after
   * that it may have been freed, which still ends the runs that it was given. One that failed is compiled again when it
   * is next asked for.
   */
  get(key: string, build: () => Plan, externals: ReadonlyMap<string, DeviceBuffer>): Promise<CompiledPlan> {
    let kept = this.#plans.get(key);
    if (kept) {
      this.#plans.delete(key);
    } else {
      kept = this.#kept(key, this.#compile(build, externals));
    }
    this.#plans.set(key, kept);
    return kept.plan;
  }

  /** Frees all plans, those too that are being compiled. What is asked for meanwhile is compiled anew. */
  async destroy(): Promise<void> {
    const plans = [...this.#plans.values()];
    this.#plans.clear();
    await Promise.all(plans.map((kept) => kept.free()));
  }

  #kept(key: string, plan: Promise<CompiledPlan>): Kept {
    const room = roomOn(this.#executor);
    const forget = () => {
      room.kept.delete(kept);
      if (this.#plans.get(key) === kept) this.#plans.delete(key);
    };
    const free = () => {
      forget();
      return plan.then(
        (compiled) => compiled.destroy(),
        () => undefined,
      );
    };
    const kept = { plan, free };
    plan.then(() => {
      if (this.#plans.get(key) === kept) room.kept.add(kept);
    }, forget);
    return kept;
  }

  async #compile(build: () => Plan, externals: ReadonlyMap<string, DeviceBuffer>): Promise<CompiledPlan> {
    const { kept } = roomOn(this.#executor);
    const idle = [...this.#plans.values()].filter((one) => kept.has(one));
    const surplus = Math.max(0, this.#plans.size + 1 - this.#most);
    await Promise.all(idle.slice(0, surplus).map((one) => one.free()));
    return compileInRoom(this.#executor, build(), externals);
  }
}
