/** Training: configuration, trainer, schedules, checkpoints. */
export * from './checkpoints.js';
export * from './config.js';
export * from './errors.js';
export * from './gradient-cache.js';
export * from './held-out.js';
export * from './loss-scale.js';
export * from './metrics-file.js';
export * from './mining.js';
export * from './objectives.js';
export * from './plan-cache.js';
export * from './precision.js';
export * from './run.js';
export * from './run-data.js';
export * from './run-folder.js';
export * from './schedule.js';
export * from './trainer.js';
