/**
 * The GPUs of this machine as the Vulkan loader lists them, and Dawn made to see one of them: `webgpu.h` can neither
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
 * The devices that Dawn finds while it is asked to `describe` one, in the loader's order; empty without the layer.
 * To be called in the turn of a driver (`withDriver`).
 */
export async function listVulkanDevices(describe: () => Promise<unknown>): Promise<readonly VulkanDevice[]> {
  if (layerMissing()) return [];
  const layer = vulkanLayer() as VulkanLayer;
  layer.takeDevices();
  // Dawn may take none of them; they are listed all the same.
  await withLayer(layer, '', describe).catch(() => undefined);
  return layer.takeDevices();
}

/** Runs `work` while Dawn sees one device alone; to be called in the turn of a driver (`withDriver`). */
export async function withVulkanDevice<T>(place: number, work: () => Promise<T>): Promise<T> {
  return withLayer(vulkanLayer() as VulkanLayer, String(place), work);
}

function withLayer<T>({ name, folder }: VulkanLayer, place: string, work: () => Promise<T>): Promise<T> {
  const { VK_INSTANCE_LAYERS, VK_LAYER_PATH, VK_ADD_LAYER_PATH } = process.env;
  // The path replaces all others, and loaders before 1.3.207 have no variable that adds to them.
  const others = VK_LAYER_PATH
    ? [VK_LAYER_PATH]
    : [...(VK_ADD_LAYER_PATH ? [VK_ADD_LAYER_PATH] : []), ...vulkanFolders('explicit_layer.d')];
  return withEnvironment(
    {
      // First is nearest to Dawn: what other layers make of the devices is seen.
      VK_INSTANCE_LAYERS: [name, ...(VK_INSTANCE_LAYERS ? [VK_INSTANCE_LAYERS] : [])].join(delimiter),
      VK_LAYER_PATH: [folder, ...others].join(delimiter),
      SYNGLOT_VULKAN_DEVICE: place,
    },
    work,
  );
}
