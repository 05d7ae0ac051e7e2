/** Compiled training plans by capacity: few are kept and reused, the least recently used ones are freed. */
import { type CompiledPlan, type Executor, KeptPlans, type Plan, warmUpPlan } from '@synglot/gpu';
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
import { bucketOf } from './bucket.js';

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

/** Compiles training plans when they are first needed. */
export class PlanCache {
  readonly #options: PlanCacheOptions;
  readonly #plans: KeptPlans;
  /** The plans without a batch. */
  readonly #others: KeptPlans;

  constructor(options: PlanCacheOptions) {
    this.#options = options;
    this.#plans = new KeptPlans(options.executor, options.keep ?? 4);
    this.#others = new KeptPlans(options.executor);
  }

  /** The plan for batches of a capacity, to be run as {@link KeptPlans.get} says. */
  batchPlan(mode: BatchPlanMode, capacity: BatchCapacity): Promise<CompiledPlan> {
    const key = `${mode} ${capacity.tokens} ${capacity.queries} ${capacity.candidates}`;
    return this.#plans.get(key, () => this.#build(mode, capacity), this.#options.store.externals);
  }

  /** Sets all gradients to zero. */
  clearPlan(): Promise<CompiledPlan> {
    const { store } = this.#options;
    return this.#others.get('clear', () => buildClearPlan(store.layout), store.externals);
  }

  /** Updates from accumulated gradients. */
  updatePlan(): Promise<CompiledPlan> {
    const { executor, store, optimizer, precision } = this.#options;
    const target = { device: executor.device, ...(precision ? { precision } : {}) };
    return this.#others.get(
      'update',
      () => buildUpdatePlan(store.layout, optimizer, target),
      store.externals,
    );
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
    await Promise.all([this.#plans.destroy(), this.#others.destroy()]);
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
}

/**
 * The capacity bucket of a batch: that of its tokens, and sequences up to a multiple of 8. Beyond 256 tokens at most a
 * quarter of a plan is idle.
 */
export function capacityFor(size: BatchCapacity): BatchCapacity {
  return {
    tokens: bucketOf(size.tokens),
    queries: Math.ceil(size.queries / 8) * 8,
    candidates: Math.ceil(size.candidates / 8) * 8,
  };
}
