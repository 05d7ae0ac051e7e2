/**
 * Asks Dawn what it finds with each driver, and with each of several GPUs. Which one is used is in `device-choice.ts`.
 */
import type { DeviceInfo } from '../executor.js';
import { type FoundDevice, oneLine, preferredOrder, slug } from './device-choice.js';
import { gpuHint } from './gpu-hint.js';
import { type DriverId, missingDriver, withDriver } from './vulkan-driver.js';
import { layerMissing, listVulkanDevices, withVulkanDevice } from './vulkan-gpus.js';

/** What an adapter says about itself before there is a device. */
export type Adapter = Omit<DeviceInfo, 'id'>;

/** A device that was found, and what it takes to open it. */
export interface FoundAdapter extends FoundDevice {
  readonly adapter?: Adapter;
  /** If there are several GPUs: its place among the loader's devices. */
  readonly place?: number;
  /** If there are several GPUs but no such list: the name by which npm `webgpu` opens it. */
  readonly adapterName?: string;
  /** If there are several GPUs: its address on the bus, where the driver reports it. */
  readonly pci?: string;
}

/** What an executor's Dawn can be asked. */
export interface Finder {
  /** Describes the adapter that Dawn finds first at the moment, or the one with the given name. */
  describe(adapterName?: string): Promise<Adapter>;
  /** Names of the adapters, if the executor can open one by name. */
  names?(): Promise<readonly string[]>;
}

type Place = Pick<FoundAdapter, 'place' | 'adapterName' | 'pci'>;

/** Runs `work` while Dawn finds this device. */
export function withDevice<T>(
  { driver, place }: Pick<FoundAdapter, 'driver' | 'place'>,
  work: () => Promise<T>,
): Promise<T> {
  return withDriver(driver, () => (place === undefined ? work() : withVulkanDevice(place, work)));
}

/** The device that Dawn prefers with a driver; one that is not usable is returned with its problem. */
export async function findDevice(driver: DriverId, finder: Finder): Promise<FoundAdapter> {
  const missing = missingDriver(driver);
  if (missing) return { id: driver, driver, problem: missing };
  const found = await tryDevice({ id: driver, driver }, finder);
  if (driver !== 'gpu' || (found.adapter && found.adapter.type !== 'cpu')) return found;
  const problem = found.problem ?? `the system offers only ${found.name}, which is no GPU`;
  const hint = gpuHint();
  return { id: driver, driver, problem: hint ? `${problem}; ${hint}` : problem };
}

async function tryDevice(
  device: Place & Pick<FoundAdapter, 'id' | 'driver'>,
  { describe }: Finder,
): Promise<FoundAdapter> {
  try {
    const adapter = await withDevice(device, () => describe(device.adapterName));
    return { ...device, name: adapter.name, adapter };
  } catch (error) {
    const message = oneLine((error as Error).message);
    const problem =
      device.driver === 'lavapipe' ? `Dawn refuses this version of lavapipe (${message})` : message;
    return { ...device, problem };
  }
}

/** The GPUs: one with the id `gpu`, or `gpu:0`, `gpu:1`, … in the Vulkan loader's order. */
export async function findGpus(finder: Finder): Promise<FoundAdapter[]> {
  const first = await findDevice('gpu', finder);
  if (missingDriver('gpu')) return [first];
  const gpus = await (layerMissing() ? namedGpus : listedGpus)(finder);
  return gpus.length > 1 ? findEach(gpus, first.name, finder) : [first];
}

async function listedGpus({ describe }: Finder): Promise<Place[]> {
  const listed = await withDriver('gpu', () => listVulkanDevices(describe));
  return listed.flatMap(({ type, pci }, place) =>
    type === 'cpu' ? [] : [{ place, ...(pci ? { pci } : {}) }],
  );
}

/** GPUs by name. Of several with the same name, or whose names begin alike, only the first can be opened by name. */
async function namedGpus({ describe, names = async () => [] }: Finder): Promise<Place[]> {
  const gpus: Place[] = [];
  for (const adapterName of new Set(await withDriver('gpu', names))) {
    const adapter = await withDriver('gpu', () => describe(adapterName)).catch(() => undefined);
    if (adapter && adapter.type !== 'cpu' && slug(adapter.name) === slug(adapterName))
      gpus.push({ adapterName });
  }
  return gpus;
}

/** Describes devices one by one; the first with the name `preferred` is the one that Dawn would choose. */
export async function findEach(
  places: readonly Place[],
  preferred: string | undefined,
  finder: Finder,
): Promise<FoundAdapter[]> {
  const found: FoundAdapter[] = [];
  for (const [index, place] of places.entries()) {
    found.push(await tryDevice({ id: `gpu:${index}`, driver: 'gpu', ...place }, finder));
  }
  const taken = found.find(({ name }) => name !== undefined && name === preferred);
  return found.map((device) => (device === taken ? { ...device, preferred: true } : device));
}

/** All devices that synglot knows of, best first; only the GPUs if `enough` is the id of one of them. */
export async function findAll(finder: Finder, enough?: string): Promise<FoundAdapter[]> {
  const found = await findGpus(finder);
  if (found.some(({ id }) => id === enough)) return found;
  for (const driver of preferredOrder) {
    if (driver !== 'gpu') found.push(await findDevice(driver, finder));
  }
  return found;
}
