/**
 * Asks Dawn what it finds with each driver, and with each of several GPUs. Which one is used is in `device-choice.ts`.
 */
import type { DeviceInfo } from '../executor.js';
import { type FoundDevice, oneLine, preferredOrder } from './device-choice.js';
import { gpuHint } from './gpu-hint.js';
import { type DriverId, missingDriver, withDriver } from './vulkan-driver.js';
import { listVulkanDevices, withVulkanDevice } from './vulkan-gpus.js';

/** What an adapter tells before there is a device. */
export type Adapter = Omit<DeviceInfo, 'id'>;

/** A device with what it takes to open it. */
export interface FoundAdapter extends FoundDevice {
  readonly adapter?: Adapter;
  /** Of several GPUs: the place among the loader's devices. */
  readonly place?: number;
  /** Of several GPUs: the address on the bus, where the driver tells. */
  readonly pci?: string;
}

/** Describes the adapter that Dawn finds first at the moment. */
export type Describe = () => Promise<Adapter>;

/** Runs `work` while Dawn finds this device. */
export function withDevice<T>(
  { driver, place }: Pick<FoundAdapter, 'driver' | 'place'>,
  work: () => Promise<T>,
): Promise<T> {
  return withDriver(driver, () => (place === undefined ? work() : withVulkanDevice(place, work)));
}

/** The device of a driver that Dawn prefers; never throws for one that is not usable. */
export async function findDevice(driver: DriverId, describe: Describe): Promise<FoundAdapter> {
  const missing = missingDriver(driver);
  if (missing) return { id: driver, driver, problem: missing };
  const found = await tryDevice({ id: driver, driver }, describe);
  if (driver !== 'gpu' || (found.adapter && found.adapter.type !== 'cpu')) return found;
  const problem = found.problem ?? `the system offers only ${found.name}, which is no GPU`;
  const hint = gpuHint();
  return { id: driver, driver, problem: hint ? `${problem}; ${hint}` : problem };
}

async function tryDevice(
  device: Pick<FoundAdapter, 'id' | 'driver' | 'place' | 'pci'>,
  describe: Describe,
): Promise<FoundAdapter> {
  try {
    const adapter = await withDevice(device, describe);
    return { ...device, name: adapter.name, adapter };
  } catch (error) {
    const message = oneLine((error as Error).message);
    const problem =
      device.driver === 'lavapipe' ? `Dawn refuses this version of lavapipe (${message})` : message;
    return { ...device, problem };
  }
}

/** The GPUs: one of the id `gpu`, or `gpu:0`, `gpu:1`, … in the Vulkan loader's order. */
export async function findGpus(describe: Describe): Promise<FoundAdapter[]> {
  const first = await findDevice('gpu', describe);
  if (missingDriver('gpu')) return [first];
  const listed = await withDriver('gpu', () => listVulkanDevices(describe));
  const gpus = listed.flatMap(({ type, pci }, place) =>
    type === 'cpu' ? [] : [{ place, ...(pci ? { pci } : {}) }],
  );
  return gpus.length > 1 ? findEach(gpus, first.name, describe) : [first];
}

/** Describes devices of the loader's list one by one; the first of the name `preferred` is the one that Dawn takes. */
export async function findEach(
  places: readonly Pick<FoundAdapter, 'place' | 'pci'>[],
  preferred: string | undefined,
  describe: Describe,
): Promise<FoundAdapter[]> {
  const found: FoundAdapter[] = [];
  for (const [index, place] of places.entries()) {
    found.push(await tryDevice({ id: `gpu:${index}`, driver: 'gpu', ...place }, describe));
  }
  const taken = found.find(({ name }) => name !== undefined && name === preferred);
  return found.map((device) => (device === taken ? { ...device, preferred: true } : device));
}

/** All devices that synglot knows of, best first; GPUs alone where `enough` is one of them. */
export async function findAll(describe: Describe, enough?: string): Promise<FoundAdapter[]> {
  const found = await findGpus(describe);
  if (found.some(({ id }) => id === enough)) return found;
  for (const driver of preferredOrder) {
    if (driver !== 'gpu') found.push(await findDevice(driver, describe));
  }
  return found;
}
