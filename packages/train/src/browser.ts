/**
 * `@synglot/train` for pages and workers, taken by bundlers under the condition `browser`: the trainer and its
 * objectives over rows in memory. Configurations, run folders and checkpoints need a file system and are not here.
 */
export * from './cache-room.js';
export * from './chunks.js';
export * from './early-stopping.js';
export * from './errors.js';
export * from './gradient-cache.js';
export * from './held-out.js';
export { type LossScaleOptions, LossScaler, type LossScaleState } from './loss-scale.js';
export * from './objective-languages.js';
export * from './objective-margins.js';
export * from './objective-teacher.js';
export * from './objectives.js';
export * from './plan-cache.js';
export * from './precision.js';
export * from './schedule.js';
export * from './trainer.js';
export * from './update-batches.js';
export * from './update-runner.js';
