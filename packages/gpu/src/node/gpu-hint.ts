/**
 * Why Vulkan may find no GPU although the machine has one, judged by the file system. Opens no device.
 */
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { driverVariables, vulkanFolders } from './vulkan-driver.js';

/** Where the driver lies that NVIDIA's runtime mounts into a container, if not in the usual folders. */
const unusualFolders = ['/usr/local/nvidia/share/vulkan/icd.d', '/usr/share/nvidia/vulkan/icd.d'];

/**
 * One sentence, or undefined if nothing looks wrong.
 *
 * @param root the root of the file system, for tests
 */
export function gpuHint(env: NodeJS.ProcessEnv = process.env, root = '/'): string | undefined {
  if (process.platform !== 'linux') return undefined;
  const variable = driverVariables.find((name) => env[name]);
  const named = (variable ? (env[variable] as string) : '').split(delimiter).filter(Boolean);
  const missing = named.find((path) => !existsSync(path));
  if (missing) return `${variable} names ${missing}, which is not there`;
  const inRoot = (path: string) => join(root, path);
  if (existsSync(inRoot('/proc/driver/nvidia/version')) || existsSync(inRoot('/dev/nvidiactl'))) {
    const find = (folders: readonly string[]) =>
      folders.flatMap((folder) => list(folder).map((name) => join(folder, name))).find(isNvidia);
    if (named.length > 0) return named.some(isNvidia) ? undefined : `${variable} names no driver of NVIDIA`;
    if (find(vulkanFolders('icd.d', env).map(inRoot))) return undefined;
    const elsewhere = find(unusualFolders.map(inRoot));
    return elsewhere
      ? `NVIDIA's Vulkan driver lies where the loader does not look: set VK_DRIVER_FILES=${elsewhere}`
      : 'there is an NVIDIA GPU but no nvidia_icd.json: the Vulkan part of its driver is missing (in a container: start it with NVIDIA_DRIVER_CAPABILITIES=all)';
  }
  const node = list(inRoot('/dev/dri'))
    .filter((name) => name.startsWith('render'))
    .map((name) => inRoot(`/dev/dri/${name}`))
    .find((path) => !mayUse(path));
  return (
    node && `${node} may not be opened by this user: add the user to the group that owns it, often 'render'`
  );
}

const isNvidia = (path: string) => /(^|\/)nvidia_icd[^/]*\.json$/.test(path);

const list = (folder: string) => (existsSync(folder) ? readdirSync(folder).sort() : []);

function mayUse(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
