/**
 * What a WebGPU adapter says about itself, and a device with everything that it offers: the same for npm `webgpu` and
 * for a page. Where the adapter comes from is not known here.
 */
import { GpuError } from './errors.js';
import type { DeviceInfo, DeviceLimits, SubgroupMatrixConfig } from './executor.js';
import type {} from './webgpu-types.js';

/** What an adapter says about itself before there is a device. */
export type AdapterDescription = Omit<DeviceInfo, 'id' | 'limits' | 'subgroups'>;

/** Features that kernels or measurements use; none of them is required. */
const wantedFeatures = [
  'timestamp-query',
  'shader-f16',
  'subgroups',
  'subgroup-size-control',
  'chromium-experimental-subgroup-matrix',
];

/**
 * Describes an adapter.
 *
 * @param without features that are not to be used although the adapter has them
 */
export function describeAdapter(adapter: GPUAdapter, without: readonly string[] = []): AdapterDescription {
  // Browsers got `info` at different times.
  const info: Partial<GPUAdapterInfo> = adapter.info ?? {};
  return {
    ...describeInfo(info),
    features: wantedFeatures.filter((name) => adapter.features.has(name) && !without.includes(name)),
    // Read here because dawn.node leaves them out of the device's own description.
    subgroupMatrixConfigs: readMatrixConfigs(info),
  };
}

/** What an adapter's `info` says, or a device's `adapterInfo`, which is the same. */
export function describeInfo(info: Partial<GPUAdapterInfo>) {
  const { vendor = '', architecture = '', description = '', device = '' } = info;
  return {
    // `description` is the driver's own text, `device` a slug of the adapter's name, or, in Deno, a number on its bus;
    // pages often get neither.
    name:
      (/^\d+$/.test(device) ? '' : device) ||
      description ||
      [vendor, architecture].filter(Boolean).join(' ') ||
      'unknown adapter',
    type: adapterType(info),
    vendor,
    architecture,
    driver: description,
  };
}

/**
 * The type of an adapter, guessed from what it says about itself, since WebGPU does not report it. Kernels are chosen
 * by it, so that a GPU gets the same kernels and gives the same bits with either executor.
 */
export function adapterType(info: Partial<GPUAdapterInfo>): DeviceInfo['type'] {
  const { vendor = '', architecture = '', description = '', device = '', isFallbackAdapter } = info;
  if (isFallbackAdapter || /llvmpipe|swiftshader/i.test(`${description} ${device} ${architecture}`))
    return 'cpu';
  if (/^(nvidia|amd)$/i.test(vendor)) return 'discrete-gpu';
  if (/^(intel|apple|arm|qualcomm|img-tec|samsung)$/i.test(vendor)) return 'integrated-gpu';
  return 'unknown';
}

/**
 * A device with every limit that the adapter grants and the described features.
 *
 * @throws GpuError `DEVICE_UNAVAILABLE`
 */
export async function requestWholeDevice(
  adapter: GPUAdapter,
  { features }: AdapterDescription,
): Promise<GPUDevice> {
  const requiredLimits: Record<string, number> = {};
  for (const name of Object.keys(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(adapter.limits)))) {
    const value = (adapter.limits as unknown as Record<string, unknown>)[name];
    if (typeof value === 'number') requiredLimits[name] = value;
  }
  const requiredFeatures = features as GPUFeatureName[];
  return adapter.requestDevice({ requiredLimits, requiredFeatures }).catch((cause: Error) => {
    throw new GpuError('DEVICE_UNAVAILABLE', `WebGPU refused a device: ${cause.message}`, { cause });
  });
}

const limitNames = [
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupsPerDimension',
] as const satisfies readonly (keyof DeviceLimits)[];

/** The limits that plans are checked against, of an adapter or a device. */
export function readLimits(limits: GPUSupportedLimits): DeviceLimits {
  return Object.fromEntries(
    limitNames.map((name) => [name, Number(limits[name as keyof GPUSupportedLimits])]),
  ) as unknown as DeviceLimits;
}

/** Sizes of subgroups, both 0 without the feature. */
export function readSubgroups(
  { subgroupMinSize = 0, subgroupMaxSize = 0 }: Partial<GPUAdapterInfo>,
  features: readonly string[],
): DeviceInfo['subgroups'] {
  return features.includes('subgroups')
    ? { minSize: subgroupMinSize, maxSize: subgroupMaxSize }
    : { minSize: 0, maxSize: 0 };
}

/** Dawn's description of the matrix units, which the standard's types lack. */
export function readMatrixConfigs(info: Partial<GPUAdapterInfo>): SubgroupMatrixConfig[] {
  interface DawnConfig {
    readonly componentType: string;
    readonly resultComponentType: string;
    readonly M: number;
    readonly N: number;
    readonly K: number;
  }
  const { subgroupMatrixConfigs = [] } = info as { subgroupMatrixConfigs?: Iterable<DawnConfig> };
  return Array.from(subgroupMatrixConfigs, ({ componentType, resultComponentType, M, N, K }) => ({
    component: componentType,
    result: resultComponentType,
    M,
    N,
    K,
  }));
}
