/** `@synglot/gpu/node`: devices of this machine. What runs in a page too is in `@synglot/gpu`. */
export { defaultCacheDir } from './cache-dir.js';
export type { ExecutorKind } from './device-choice.js';
export { type ListedDevice, listDevices, type OpenExecutorOptions, openExecutor } from './open-executor.js';
export { threadTimeNs } from './thread-time.js';
export type { DriverId } from './vulkan-driver.js';
