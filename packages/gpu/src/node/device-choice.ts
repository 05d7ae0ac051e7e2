/**
 * Which device to use, from what was found and what was asked for. Pure: no device is touched.
 */
import { GpuError } from '../errors.js';
import type { DriverId } from './vulkan-driver.js';

/** Best first: what is used when nothing is asked for. */
export const preferredOrder: readonly DriverId[] = ['gpu', 'lavapipe', 'swiftshader'];

export type ExecutorKind = 'native' | 'webgpu';

export interface FoundDevice {
  readonly id: DriverId;
  /** The adapter's name when it is usable. */
  readonly name?: string;
  /** Why it is not usable. */
  readonly problem?: string;
}

const remedies: Readonly<Record<DriverId, string>> = {
  gpu: "install the GPU's Vulkan driver and loader (Debian: apt install libvulkan1 mesa-vulkan-drivers, or NVIDIA's driver)",
  lavapipe:
    'install Mesa 25 or newer (Debian 12: apt install -t bookworm-backports mesa-vulkan-drivers libvulkan1)',
  swiftshader: 'npm install @onirenaud/swiftshader-vulkan (Linux x64 and arm64)',
};

/** How to get a device that is not there. */
export function remedyFor(id: DriverId): string {
  return remedies[id];
}

/**
 * The device asked for by option or `SYNGLOT_DEVICE`, undefined for the best one.
 *
 * @throws GpuError `INPUT_DEVICE` when it is no device's name.
 */
export function requestedDevice(option: string | undefined, env: NodeJS.ProcessEnv): DriverId | undefined {
  const asked = option || env.SYNGLOT_DEVICE || undefined;
  if (asked === undefined) return undefined;
  const known = preferredOrder.find((id) => id === asked);
  if (known) return known;
  const from = option ? 'device' : 'SYNGLOT_DEVICE';
  throw new GpuError(
    'INPUT_DEVICE',
    `${from}: expected one of ${preferredOrder.join(', ')} but received '${asked}'`,
  );
}

/**
 * The executor asked for by option or `SYNGLOT_EXECUTOR`, undefined for native where it loads.
 *
 * @throws GpuError `INPUT_DEVICE` when it is neither `native` nor `webgpu`.
 */
export function requestedExecutor(
  option: string | undefined,
  env: NodeJS.ProcessEnv,
): ExecutorKind | undefined {
  const asked = option || env.SYNGLOT_EXECUTOR || undefined;
  if (asked === undefined || asked === 'native' || asked === 'webgpu') return asked;
  const from = option ? 'executor' : 'SYNGLOT_EXECUTOR';
  throw new GpuError('INPUT_DEVICE', `${from}: expected native or webgpu but received '${asked}'`);
}

/** Dawn toggles of `SYNGLOT_TOGGLES`, for measurements: names with commas between, a `-` before what is turned off. */
export function requestedToggles(env: NodeJS.ProcessEnv): {
  readonly enable: readonly string[];
  readonly disable: readonly string[];
} {
  const names = (env.SYNGLOT_TOGGLES ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
  return {
    enable: names.filter((name) => !name.startsWith('-')),
    disable: names.filter((name) => name.startsWith('-')).map((name) => name.slice(1)),
  };
}

/** The error for a device that was asked for and is not usable: one line with what is there. */
export function deviceMissing(asked: DriverId, found: readonly FoundDevice[]): GpuError {
  const problem = found.find(({ id }) => id === asked)?.problem ?? 'not found';
  const usable = found.filter(({ name }) => name !== undefined).map(({ id, name }) => `${id} (${name})`);
  return new GpuError(
    'INPUT_DEVICE',
    `device '${asked}' is not usable here: ${oneLine(problem)}; usable: ${usable.join(', ') || 'none'}; to get it: ${remedyFor(asked)}`,
  );
}

/** Why each device is used or not, given the id that is. */
export function reasonFor(
  device: FoundDevice,
  chosen: DriverId | undefined,
  asked: DriverId | undefined,
): string {
  if (device.problem !== undefined) return `${oneLine(device.problem)}; to get it: ${remedyFor(device.id)}`;
  if (device.id !== chosen) return asked ? `not asked for; '${asked}' was` : `'${chosen}' comes before it`;
  if (asked) return 'asked for';
  return {
    gpu: 'a real GPU comes first',
    lavapipe: 'no GPU, and faster than swiftshader',
    swiftshader: 'needs nothing from the system',
  }[device.id];
}

/** Messages of drivers may have several lines; a user's error has one. */
export function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ').trim();
}
