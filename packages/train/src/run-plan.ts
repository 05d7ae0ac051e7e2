/** The plan of a run's steps and the memory of its parameters, without running or reading any data. */
import { bytesPerElement, type DeviceInfo, type Plan } from '@synglot/gpu';
import type { Checkpoint } from '@synglot/models';
import {
  type BatchCapacity,
  buildTrainPlan,
  elementTypeOf,
  encoderParameters,
  halfKind,
  optimizerState,
  ParameterLayout,
} from '@synglot/nn';
import type { TrainConfig } from './config.js';
import { checkModelShape, runEncoder } from './model-checks.js';
import { contrastiveObjective } from './objectives.js';
import { capacityFor } from './plan-cache.js';
import { toOptimizer } from './run-optimizer.js';

/** What a run would need, known without a device. */
export interface RunPlan {
  readonly plan: Plan;
  /** What the plan is compiled for: the bucket of the given size. */
  readonly capacity: BatchCapacity;
  /** Bytes of the slabs of each kind: parameters, gradients, optimiser state, copies in half precision. */
  readonly parameterBytes: Readonly<Record<string, number>>;
}

/**
 * What one step of `config` takes on a device, with the contrastive loss only, nothing frozen by a schedule and no
 * adversarial steps. Freezing takes less, further objectives somewhat more.
 *
 * @param size about the size of a batch: tokens of all its sequences, queries, candidates
 */
export function planRun(
  config: TrainConfig,
  checkpoint: Checkpoint,
  device: DeviceInfo,
  size: BatchCapacity,
): RunPlan {
  checkModelShape(config, checkpoint);
  const { pooling } = checkpoint;
  const encoder = runEncoder(checkpoint.config, config);
  const specs = encoderParameters(encoder, pooling);
  const { maxStorageBufferBindingSize, maxBufferSize } = device.limits;
  const layout = new ParameterLayout(specs, Math.min(maxStorageBufferBindingSize, maxBufferSize));
  const optimizer = toOptimizer(config);
  const { precision } = config.training;
  const capacity = capacityFor(size);
  const plan = buildTrainPlan({
    config: encoder,
    pooling,
    layout,
    device,
    precision,
    capacity,
    optimizer,
    objectives: [contrastiveObjective({ ...config.loss, normalize: !pooling.normalize }).objective],
    recompute: config.training.recompute,
    mode: config.training.accumulation === 1 ? 'step' : 'accumulate',
  });
  const kinds = [
    'parameter',
    ...(precision === 'mixed' ? [halfKind] : []),
    'gradient',
    ...optimizerState(optimizer),
  ];
  const bytesOf = (kind: string) =>
    layout.slabsOf(kind).reduce((sum, { elements }) => sum + elements, 0) *
    bytesPerElement[elementTypeOf(kind)];
  return { plan, capacity, parameterBytes: Object.fromEntries(kinds.map((kind) => [kind, bytesOf(kind)])) };
}
