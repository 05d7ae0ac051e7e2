/** Devices, buffers and plans. Imports nothing of Node: what needs Node is in `@synglot/gpu/node`. */
export * from './assign-transients.js';
export { type BrowserExecutorOptions, openBrowserExecutor } from './browser-executor.js';
export * from './debug-executor.js';
export * from './errors.js';
export * from './executor.js';
export * from './in-flight.js';
export * from './kept-plans.js';
export * from './plan.js';
export * from './plan-builder.js';
export * from './plan-memory.js';
export * from './tensor.js';
export * from './warm-up.js';
export * from './webgpu-executor.js';
export type { WebGpu, WebGpuDevice } from './webgpu-globals.js';
