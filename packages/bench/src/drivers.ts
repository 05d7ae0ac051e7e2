/** Finds the files of Vulkan drivers, so that every process is given the same. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Path of the driver file of `lavapipe` or `swiftshader`; undefined where it is not installed. */
export function softwareDriver(device: string): string | undefined {
  if (device === 'lavapipe') {
    const named = process.env.VK_DRIVER_FILES;
    return named && /lvp_icd[^/]*\.json$/.test(named) && existsSync(named) ? named : mesaDriver('lvp');
  }
  if (device !== 'swiftshader') return undefined;
  const entry = createRequire(import.meta.url).resolve('@onirenaud/swiftshader-vulkan/package.json');
  return join(dirname(entry), `${process.platform}-${process.arch}`, 'vk_swiftshader_icd.json');
}

/** Path of the driver file of one of Mesa's drivers, `lvp` or `radeon`; undefined where it is not installed. */
export function mesaDriver(name: string): string | undefined {
  const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  return ['', `.${machine}`]
    .map((suffix) => `/usr/share/vulkan/icd.d/${name}_icd${suffix}.json`)
    .find((path) => existsSync(path));
}
