/** Compiled training plans by capacity: few are kept and reused, the least recently used ones are freed. */
import { type CompiledPlan, type Executor, GpuError, type Plan, warmUpPlan } from '@synglot/gpu';
import {
  type BatchCapacity,
  buildCastPlan,
  buildClearPlan,
  buildTrainPlan,
  buildUpdatePlan,
  type EncoderConfig,
  type Objective,
  type OptimizerOptions,
  type ParameterStore,
  type PoolingConfig,
  type Precision,
} from '@synglot/nn';

/** What the plans train, and how many are kept. */
export interface PlanCacheOptions {
  readonly executor: Executor;
  readonly store: ParameterStore;
  readonly config: EncoderConfig;
  readonly pooling: PoolingConfig;
  readonly objectives: readonly Objective[];
  readonly perturbation?: number;
  readonly optimizer: OptimizerOptions;
  /** Default `f32`. */
  readonly precision?: Precision;
  /** Keeps only the inputs of layers for backward. */
  readonly recompute?: boolean;
  /** How many compiled batch plans are kept, if there is memory for so many: each owns its activations. Default 4. */
  readonly keep?: number;
}

/** What a plan does with a batch: see `TrainPlanOptions.mode`. */
export type BatchPlanMode = 'step' | 'accumulate' | 'evaluate';

/** A compiled plan and the sizes that it is for. */
export interface CompiledBatchPlan {
  readonly capacity: BatchCapacity;
  readonly compiled: CompiledPlan;
}

/** Compiles training plans when they are first needed. */
export class PlanCache {
  readonly #options: PlanCacheOptions;
  /** In order of use: the first is the least recently used. */
  readonly #plans = new Map<string, Promise<CompiledBatchPlan>>();
  /** The plans without a batch, by name. */
  readonly #others = new Map<string, Promise<CompiledPlan>>();

  constructor(options: PlanCacheOptions) {
    this.#options = options;
  }

  /** The plan for batches of about this size. The capacity is a function of the size alone. */
  async batchPlan(mode: BatchPlanMode, size: BatchCapacity): Promise<CompiledBatchPlan> {
    const capacity = capacityFor(size);
    const key = `${mode} ${capacity.tokens} ${capacity.queries} ${capacity.candidates}`;
    let entry = this.#plans.get(key);
    if (entry) {
      this.#plans.delete(key);
    } else {
      await this.#evict((this.#options.keep ?? 4) - 1);
      const compiling = this.#compile(mode, capacity);
      // A plan that failed is not kept: it is compiled again when it is next asked for.
      compiling.catch(() => this.#plans.delete(key));
      entry = compiling;
    }
    this.#plans.set(key, entry);
    return entry;
  }

  /** Sets all gradients to zero. */
  clearPlan(): Promise<CompiledPlan> {
    return this.#other('clear', () => buildClearPlan(this.#options.store.layout));
  }

  /** Updates from accumulated gradients. */
  updatePlan(): Promise<CompiledPlan> {
    const { executor, store, optimizer, precision } = this.#options;
    const target = { device: executor.device, ...(precision ? { precision } : {}) };
    return this.#other('update', () => buildUpdatePlan(store.layout, optimizer, target));
  }

  /** Makes mixed precision's copies of the weights, which every update then keeps up to date. */
  async castWeights(): Promise<void> {
    const { executor, store } = this.#options;
    const cast = await executor.compile(buildCastPlan(store.layout), store.externals);
    try {
      await cast.run();
    } finally {
      cast.destroy();
    }
  }

  /** Frees all plans. */
  async destroy(): Promise<void> {
    const batchPlans = [...this.#plans.values()].map(async (entry) => (await entry).compiled);
    for (const plan of await Promise.allSettled([...batchPlans, ...this.#others.values()])) {
      if (plan.status === 'fulfilled') plan.value.destroy();
    }
    this.#plans.clear();
    this.#others.clear();
  }

  /**
   * Makes the device compile the kernels of plans for batches of about this size; computes nothing and does not need
   * the weights. Kernels that it misses are compiled when they are first needed.
   */
  async warmUp(mode: BatchPlanMode, size: BatchCapacity): Promise<void> {
    const compiled = await this.#options.executor.compile(warmUpPlan(this.#build(mode, capacityFor(size))));
    await compiled.run();
    compiled.destroy();
  }

  #other(name: string, build: () => Plan): Promise<CompiledPlan> {
    let plan = this.#others.get(name);
    if (!plan) {
      const { executor, store } = this.#options;
      plan = executor.compile(build(), store.externals);
      this.#others.set(name, plan);
      plan.catch(() => this.#others.delete(name));
    }
    return plan;
  }

  /** Compiles a plan; where there is no memory for it beside the others, in their place. */
  async #compile(mode: BatchPlanMode, capacity: BatchCapacity): Promise<CompiledBatchPlan> {
    const { executor, store } = this.#options;
    const plan = this.#build(mode, capacity);
    const compile = async () => ({ capacity, compiled: await executor.compile(plan, store.externals) });
    return compile().catch(async (error: unknown) => {
      const noMemory = error instanceof GpuError && error.code === 'DEVICE_OUT_OF_MEMORY';
      // This plan is itself the latest of them.
      if (!noMemory || this.#plans.size < 2) throw error;
      await this.#evict(1);
      return compile();
    });
  }

  #build(mode: BatchPlanMode, capacity: BatchCapacity): Plan {
    const { executor, store, config, pooling, objectives, optimizer } = this.#options;
    const { precision, perturbation, recompute = false } = this.#options;
    return buildTrainPlan({
      device: executor.device,
      config,
      pooling,
      layout: store.layout,
      capacity,
      objectives,
      mode,
      optimizer,
      ...(precision ? { precision } : {}),
      ...(perturbation === undefined ? {} : { perturbation }),
      recompute,
    });
  }

  /** Frees the least recently used plans but for `most`. */
  async #evict(most: number): Promise<void> {
    while (this.#plans.size > most) {
      const [key, entry] = this.#plans.entries().next().value as [string, Promise<CompiledBatchPlan>];
      this.#plans.delete(key);
      await entry.then(
        ({ compiled }) => compiled.destroy(),
        () => undefined,
      );
    }
  }
}

/**
 * The capacity bucket of a batch: tokens rounded up to a quarter of a power of two, at least 64;
 * sequences to a multiple of 8. At most a quarter of a plan is idle.
 */
export function capacityFor(size: BatchCapacity): BatchCapacity {
  const octave = 2 ** Math.floor(Math.log2(Math.max(size.tokens, 64)));
  const step = Math.max(64, octave / 4);
  return {
    tokens: Math.ceil(size.tokens / step) * step,
    queries: Math.ceil(size.queries / 8) * 8,
    candidates: Math.ceil(size.candidates / 8) * 8,
  };
}
