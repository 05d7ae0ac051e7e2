/** Training: configuration, trainer, schedules, checkpoints. */
export { withInitial, withSaved } from './auxiliary-parameters.js';
export * from './cache-room.js';
export {
  findCheckpoint,
  loadOptimizer,
  type ModelParts,
  type SavedRun,
  writeBest,
  writeCheckpoint,
  writeModel,
} from './checkpoints.js';
export * from './chunks.js';
export { inTermsOfConfig } from './config/places.js';
export * from './config.js';
export * from './early-stopping.js';
export * from './errors.js';
export * from './gradient-cache.js';
export * from './held-out.js';
export { type LossScaleOptions, LossScaler, type LossScaleState } from './loss-scale.js';
export * from './metrics-file.js';
export {
  defaultMining,
  type Mine,
  type MiningRequest,
  type MiningResult,
  miningOptions,
} from './mining.js';
export * from './objective-languages.js';
export * from './objective-margins.js';
export * from './objective-teacher.js';
export * from './objectives.js';
export * from './plan-cache.js';
export * from './precision.js';
export * from './run.js';
export { dataKey, heldOutOf, type RunData, readData, toSamplerOptions } from './run-data.js';
export { checkFolder, type RunFolder } from './run-folder.js';
export * from './run-plan.js';
export * from './schedule.js';
export * from './teacher.js';
export * from './trainer.js';
export * from './update-batches.js';
export * from './update-runner.js';
