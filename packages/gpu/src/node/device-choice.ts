/**
 * Which device to use, from what was found and what was asked for. Pure: no device is touched.
 */
import { GpuError } from '../errors.js';
import type { DriverId } from './vulkan-driver.js';

/** Best first: the order in which drivers are tried when nothing is asked for. */
export const preferredOrder: readonly DriverId[] = ['gpu', 'lavapipe', 'swiftshader'];

/** Which executor: the C++ core on Dawn, or npm `webgpu`. */
export type ExecutorKind = 'native' | 'webgpu';

export interface FoundDevice {
  /** What `--device` takes: the driver's id, or `gpu:0`, `gpu:1`, … if there are several GPUs. */
  readonly id: string;
  readonly driver: DriverId;
  /** The adapter's name if it is usable. */
  readonly name?: string;
  /** Why it is not usable. */
  readonly problem?: string;
  /** Among several GPUs, the one that is used when none is asked for. */
  readonly preferred?: boolean;
}

/** What was asked for, in the user's words. */
export interface DeviceRequest {
  readonly text: string;
  readonly from: 'device' | 'SYNGLOT_DEVICE';
}

const remedies: Readonly<Record<DriverId, string>> = {
  gpu: "install the GPU's Vulkan driver and loader (Debian: apt install libvulkan1 mesa-vulkan-drivers, or NVIDIA's driver)",
  lavapipe:
    'install Mesa 25 or newer (Debian 12: apt install -t bookworm-backports mesa-vulkan-drivers libvulkan1)',
  swiftshader: 'npm install @onirenaud/swiftshader-vulkan (Linux x64 and arm64)',
};

/** The device that the option or `SYNGLOT_DEVICE` asks for; undefined for the best one. */
export function requestedDevice(
  option: string | undefined,
  env: NodeJS.ProcessEnv,
): DeviceRequest | undefined {
  if (option?.trim()) return { text: option.trim(), from: 'device' };
  const named = env.SYNGLOT_DEVICE?.trim();
  return named ? { text: named, from: 'SYNGLOT_DEVICE' } : undefined;
}

/** The driver that a request names; undefined if it means one of several GPUs or a device by its name. */
export function driverNamed({ text }: DeviceRequest): DriverId | undefined {
  return preferredOrder.find((id) => id === text.toLowerCase());
}

/**
 * The executor that the option or `SYNGLOT_EXECUTOR` asks for; undefined for native where it loads.
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

/**
 * Turn off what Dawn checks at every run and access: commands, indices, workgroup memory that was never written. Tests
 * run with all of these checks, and look for what they would hide (`test/support/race-checks.ts`).
 */
const uncheckedToggles = ['skip_validation', 'disable_robustness', 'disable_workgroup_init'] as const;

/**
 * Dawn toggles from the environment: `SYNGLOT_UNCHECKED=1`, and for measurements `SYNGLOT_TOGGLES`, a comma-separated
 * list of names, those to turn off with a `-` before them.
 */
export function requestedToggles(
  env: NodeJS.ProcessEnv,
  unchecked = env.SYNGLOT_UNCHECKED === '1',
): {
  readonly enable: readonly string[];
  readonly disable: readonly string[];
} {
  const names = (env.SYNGLOT_TOGGLES ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
  const disable = names.filter((name) => name.startsWith('-')).map((name) => name.slice(1));
  const enable = [...(unchecked ? uncheckedToggles : []), ...names.filter((name) => !name.startsWith('-'))];
  return { enable: [...new Set(enable)].filter((name) => !disable.includes(name)), disable };
}

/**
 * The device of `found` that a request other than a driver's name means: the one with that id, or the only one whose
 * name is, or else contains, the text. Only letters and digits count, in any case: npm `webgpu` says `nvidia-h200-`.
 *
 * @param hint why the list may lack a GPU
 * @throws GpuError `INPUT_DEVICE`, one line with what is there, if none or several match or the device is not usable
 */
export function matchDevice<Device extends FoundDevice>(
  request: DeviceRequest,
  found: readonly Device[],
  hint?: string,
): Device {
  const asked = request.text.toLowerCase();
  const byId =
    found.find(({ id }) => id === asked) ??
    // A single GPU answers to `gpu:0` too; if there is none, any such id gets the reason why.
    found.find(
      ({ id, name }) =>
        id === 'gpu' && (asked === 'gpu:0' || (name === undefined && /^gpu:\d+$/.test(asked))),
    );
  if (byId?.name !== undefined) return byId;
  if (byId) throw deviceMissing(byId, found);
  const usable = found.filter(({ name }) => name !== undefined);
  const wanted = slug(asked);
  // A short number is a place in the list, not a part of a name such as 4090 or 7900.
  const searched = wanted === '' || /^(gpu-)?\d{1,2}$/.test(wanted) ? [] : usable;
  const same = searched.filter(({ name = '' }) => slug(name) === wanted);
  const meant = same.length > 0 ? same : searched.filter(({ name = '' }) => slug(name).includes(wanted));
  if (meant.length === 1) return meant[0] as Device;
  if (meant.length > 1) {
    throw new GpuError(
      'INPUT_DEVICE',
      `${request.from}: '${request.text}' is in the name of ${listOf(meant)}; name one by its id`,
    );
  }
  throw new GpuError(
    'INPUT_DEVICE',
    `${request.from}: expected one of gpu, lavapipe, swiftshader, or the id or a part of the name of a usable device, but received '${request.text}'${meantId(asked, found)}; usable: ${listOf(usable) || 'none'}${hint ? `; ${oneLine(hint)}` : ''}`,
  );
}

/** `NVIDIA H200` and `nvidia-h200-` are the same name. */
export function slug(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}

/** ` (did you mean 'gpu:1'?)` for the names that other tools use: `cuda:1`, `1`, `cpu`. */
function meantId(asked: string, found: readonly FoundDevice[]): string {
  if (asked === 'cpu') return " (did you mean 'lavapipe'?)";
  const [, tool, place] = /^(cuda|hip|xpu|mps|vulkan|webgpu|)[:# ]?(\d+)?$/.exec(asked) ?? [];
  const ids =
    place === undefined ? [tool ? 'gpu' : ''] : [`gpu:${Number(place)}`, Number(place) === 0 ? 'gpu' : ''];
  const meant = ids.find((name) => name && (name === 'gpu' || found.some(({ id }) => id === name)));
  return meant ? ` (did you mean '${meant}'?)` : '';
}

const listOf = (devices: readonly FoundDevice[]) =>
  devices.map(({ id, name }) => `${id} (${name})`).join(', ');

/** The error for a device that was asked for and is not usable: one line with what is there. */
export function deviceMissing(
  { id, driver, problem = 'not found' }: FoundDevice,
  found: readonly FoundDevice[],
): GpuError {
  const usable = listOf(found.filter(({ name }) => name !== undefined));
  return new GpuError(
    'INPUT_DEVICE',
    `device '${id}' is not usable here: ${oneLine(problem)}; usable: ${usable || 'none'}; to get it: ${remedies[driver]}`,
  );
}

/** Why a device is used or not, given the id of the one that is. */
export function reasonFor(
  device: FoundDevice,
  chosen: string | undefined,
  asked: string | undefined,
): string {
  if (device.problem !== undefined)
    return `${oneLine(device.problem)}; to get it: ${remedies[device.driver]}`;
  if (device.id !== chosen) return asked ? `not asked for; '${asked}' was` : `'${chosen}' comes before it`;
  if (asked) return 'asked for';
  return {
    gpu:
      device.id === 'gpu'
        ? 'a real GPU comes first'
        : 'a real GPU comes first, and of them the one that Dawn prefers',
    lavapipe: 'no GPU, and faster than swiftshader',
    swiftshader: 'needs nothing from the system',
  }[device.driver];
}

/** Messages of drivers may have several lines; a user's error has one. */
export function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ').trim();
}
