/** Ops as forward/backward pairs, encoder, losses, optimisers: everything that emits plans. */
export * from './adapters/bottleneck.js';
export {
  type AdapterConfig,
  type BottleneckActivation,
  type BottleneckConfig,
  bottleneckPlaces,
  type LoraConfig,
  linearModules,
  loraScale,
  matchModules,
  type TrainedBeside,
} from './adapters/config.js';
export * from './adapters/lora.js';
export * from './adapters/parameters.js';
export * from './axis.js';
export { dropoutFactor, dropoutKey } from './dropout-mask.js';
export * from './encoder/batch.js';
export * from './encoder/config.js';
export * from './encoder/encoder.js';
export * from './encoder/layer.js';
export * from './graph.js';
export * from './initialize.js';
export * from './loss/contrastive.js';
export * from './loss/distillation.js';
export * from './loss/info-nce.js';
export * from './loss/info-nce-tile.js';
export * from './loss/language-discriminator.js';
export * from './loss/margin-mse.js';
export * from './loss/matryoshka.js';
export * from './loss/objective.js';
export * from './loss/row-wise.js';
export * from './loss/temperature.js';
export * from './ops/attention.js';
export * from './ops/attention-kernels.js';
export * from './ops/elementwise.js';
export * from './ops/embedding.js';
export { feedForward } from './ops/feed-forward.js';
export * from './ops/first-columns.js';
export * from './ops/gradient-sum.js';
export type { KernelChoice } from './ops/kernel-choice.js';
export * from './ops/layer-norm.js';
export * from './ops/learned-scale.js';
export * from './ops/linear.js';
export * from './ops/matmul.js';
export * from './ops/matmul-candidates.js';
export * from './ops/matmul-matrix-tiles.js';
export * from './ops/matrix-units.js';
export * from './ops/perturbation.js';
export * from './ops/pooling.js';
export * from './optim/optimizer.js';
export {
  type ParameterGroup,
  type ParameterGroupOptions,
  type ParameterSettings,
  parameterGroups,
} from './optim/parameter-groups.js';
export { matchesPattern, unmatchedPatterns } from './optim/parameter-patterns.js';
export * from './parameter-store.js';
export * from './parameters.js';
export * from './plans/chunk-plan.js';
export * from './plans/embedding-loss-plan.js';
export * from './plans/encode-plan.js';
export * from './plans/loss-tile-plan.js';
export * from './plans/score-plan.js';
export * from './plans/train-plan.js';
export type { Slab, SlabPlace } from './slabs.js';
export type { TunedClass, TuneOptions, TuningTable } from './tuning/trial.js';
export * from './tuning/tune-attention.js';
export * from './tuning/tune-matmul.js';
