/**
 * Lists the GPUs of this machine as the Vulkan loader does, and makes Dawn see one of them: `webgpu.h` can neither
 * list nor name adapters. Works through the layer in the native addon (`native/src/core/vulkan_layer.cc`), with
 * either executor. Opens no device.
 */
import { delimiter } from 'node:path';
import { type VulkanDevice, type VulkanLayer, vulkanLayer } from '@synglot/native';
import { withEnvironment } from './environment.js';
import { vulkanFolders } from './vulkan-driver.js';

/** Why GPUs cannot be told apart here, or undefined. */
export function layerMissing(): string | undefined {
  try {
    return vulkanLayer() ? undefined : 'GPUs of one name can be told apart on Linux only';
  } catch (error) {
    return `GPUs of one name cannot be told apart: ${(error as Error).message}`;
  }
}

/**
 * The devices that the loader lists while Dawn is asked to `describe` one, in its order; empty without the layer.
 * To be called in the turn of a driver (`withDriver`).
 */
export async function listVulkanDevices(describe: () => Promise<unknown>): Promise<readonly VulkanDevice[]> {
  if (layerMissing()) return [];
  const layer = vulkanLayer() as VulkanLayer;
  layer.takeDevices();
  // Dawn may accept none of them; they are listed all the same.
  await withLayer(layer, '', describe).catch(() => undefined);
  return layer.takeDevices();
}

/** Runs `work` while Dawn sees only one device; to be called in the turn of a driver (`withDriver`). */
export async function withVulkanDevice<T>(place: number, work: () => Promise<T>): Promise<T> {
  return withLayer(vulkanLayer() as VulkanLayer, String(place), work);
}

function withLayer<T>({ name, folder }: VulkanLayer, place: string, work: () => Promise<T>): Promise<T> {
  const { VK_INSTANCE_LAYERS, VK_LAYER_PATH, VK_ADD_LAYER_PATH } = process.env;
  // VK_LAYER_PATH replaces all other folders, and loaders before 1.3.207 have no variable that adds to them.
  const others = VK_LAYER_PATH
    ? [VK_LAYER_PATH]
    : [...(VK_ADD_LAYER_PATH ? [VK_ADD_LAYER_PATH] : []), ...vulkanFolders('explicit_layer.d')];
  return withEnvironment(
    {
      // The first layer is nearest to Dawn, so ours sees what the others make of the devices.
      VK_INSTANCE_LAYERS: [name, ...(VK_INSTANCE_LAYERS ? [VK_INSTANCE_LAYERS] : [])].join(delimiter),
      VK_LAYER_PATH: [folder, ...others].join(delimiter),
      SYNGLOT_VULKAN_DEVICE: place,
    },
    work,
  );
}
