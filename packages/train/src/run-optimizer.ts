/** From a configuration's `optimizer` section to the optimiser's options. */
import type { OptimizerOptions, ParameterGroup } from '@synglot/nn';
import type { TrainConfig } from './config.js';

/** The optimiser of a run. That its groups name parameters is checked in `model-checks.ts`. */
export function toOptimizer({ optimizer }: TrainConfig): OptimizerOptions {
  const { layer_decay: layerDecay, groups } = optimizer;
  const common = {
    maxGradientNorm: optimizer.max_gradient_norm,
    decay: optimizer.decay,
    ...(layerDecay === undefined ? {} : { layerDecay }),
    ...(groups ? { groups: groups.map((group) => toGroup(group, optimizer.learning_rate)) } : {}),
  };
  const weightDecay = optimizer.weight_decay;
  if (optimizer.name === 'sgd') return { ...common, method: { kind: 'sgd', weightDecay } };
  const [beta1, beta2] = optimizer.betas;
  return { ...common, method: { kind: 'adamw', beta1, beta2, epsilon: optimizer.epsilon, weightDecay } };
}

type GroupConfig = NonNullable<TrainConfig['optimizer']['groups']>[number];

/** The schedule is shared, so a rate of its own is a factor of the run's. */
function toGroup(group: GroupConfig, learningRate: number): ParameterGroup {
  const scale =
    group.learning_rate === undefined ? group.learning_rate_scale : group.learning_rate / learningRate;
  return {
    parameters: group.parameters,
    ...(scale === undefined ? {} : { learningRateScale: scale }),
    ...(group.weight_decay === undefined ? {} : { weightDecay: group.weight_decay }),
  };
}
