/** The umbrella library: every layer under one import, and the demo as a function. */
export * from '@synglot/data';
export * from '@synglot/eval';
export * from '@synglot/gpu';
export { type ListedDevice, listDevices, type OpenExecutorOptions, openExecutor } from '@synglot/gpu/node';
export * from '@synglot/models';
export * from '@synglot/nn';
export * from '@synglot/train';
export * from './demo/demo.js';
export { mineForTraining } from './mining/mine-for-training.js';
export { type MineOptions, type MineResult, mineNegatives } from './mining/mine-negatives.js';
export { writeMined } from './mining/write-mined.js';
