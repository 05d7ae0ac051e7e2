/** Finds the Vulkan driver files of the software devices, so that every process is given the same. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Path of the driver file of `lavapipe` or `swiftshader`; undefined where it is not installed. */
export function softwareDriver(device: string): string | undefined {
  if (device === 'lavapipe') {
    const named = process.env.VK_DRIVER_FILES;
    const candidates = [
      ...(named && /lvp_icd[^/]*\.json$/.test(named) ? [named] : []),
      '/usr/share/vulkan/icd.d/lvp_icd.json',
      `/usr/share/vulkan/icd.d/lvp_icd.${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.json`,
    ];
    return candidates.find((path) => existsSync(path));
  }
  if (device !== 'swiftshader') return undefined;
  const entry = createRequire(import.meta.url).resolve('@onirenaud/swiftshader-vulkan/package.json');
  return join(dirname(entry), `${process.platform}-${process.arch}`, 'vk_swiftshader_icd.json');
}
