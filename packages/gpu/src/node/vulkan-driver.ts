/**
 * Decides which Vulkan driver Dawn finds, by setting variables or loading a library before Dawn looks.
 *
 * With a system loader, `VK_DRIVER_FILES` names the driver; without one, SwiftShader from npm is
 * put in the loader's place. Knows no executor and opens no device.
 */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants, tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { GpuError } from '../errors.js';
import { defaultCacheDir } from './cache-dir.js';
import { stubLibrary } from './elf-stub.js';
import { withEnvironment } from './environment.js';

/** `gpu` is whatever the system offers; the other two are named software drivers. */
export type DriverId = 'gpu' | 'lavapipe' | 'swiftshader';

const loaderName = 'libvulkan.so.1';
/** The variables that name drivers to the loader; the second is the older name. */
export const driverVariables = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES'] as const;
/** glibc's value; Node does not export it. Keeps the stub loaded although Node finds that it is no addon. */
const rtldNoDelete = 0x1000;

interface ProcessState {
  hasSystemLoader?: boolean;
  stubLoaded?: boolean;
  turn: Promise<unknown>;
}

// One per process, even when this module is loaded twice (from src and dist): there is one loader, too.
const stateKey = Symbol.for('synglot.vulkan-driver');
const globals = globalThis as { [stateKey]?: ProcessState };
globals[stateKey] ??= { turn: Promise.resolve() };
const state: ProcessState = globals[stateKey];

/** Whether the system has a Vulkan loader; found out once, before any stub of ours can answer. */
export function hasSystemLoader(): boolean {
  if (process.platform !== 'linux') return true;
  state.hasSystemLoader ??= tryLoad(loaderName, constants.dlopen.RTLD_LAZY);
  return state.hasSystemLoader;
}

/** Path of SwiftShader's driver description in the npm package, or undefined. */
export function swiftShaderIcd(): string | undefined {
  try {
    const root = dirname(
      createRequire(import.meta.url).resolve('@onirenaud/swiftshader-vulkan/package.json'),
    );
    const path = join(root, `${process.platform}-${process.arch}`, 'vk_swiftshader_icd.json');
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

/** Path of lavapipe's driver description (`lvp_icd*.json`), or undefined. */
export function lavapipeIcd(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const named = driverVariables.flatMap((name) => (env[name] ?? '').split(delimiter));
  const isLavapipe = (path: string) => /(^|\/)lvp_icd[^/]*\.json$/.test(path);
  const fromUser = named.find((path) => isLavapipe(path) && existsSync(path));
  if (fromUser) return fromUser;
  for (const folder of vulkanFolders('icd.d', env)) {
    const files = existsSync(folder) ? readdirSync(folder).filter(isLavapipe).sort() : [];
    // A multi-architecture system has one per machine type; prefer ours.
    const machine = { x64: 'x86_64', arm64: 'aarch64' }[process.arch as string] ?? process.arch;
    const file = files.find((name) => name.includes(machine)) ?? files[0];
    if (file) return join(folder, file);
  }
  return undefined;
}

/** Where the loader looks for descriptions of drivers (`icd.d`) or layers (`explicit_layer.d`). */
export function vulkanFolders(kind: string, env: NodeJS.ProcessEnv = process.env): string[] {
  const dataDirs = (env.XDG_DATA_DIRS || '/usr/local/share:/usr/share').split(delimiter);
  return ['/etc', ...dataDirs].map((root) => join(root, 'vulkan', kind));
}

/** Why `driver` is not available here at all, or undefined if Dawn can be asked. */
export function missingDriver(driver: DriverId): string | undefined {
  if (process.platform !== 'linux') {
    return driver === 'gpu' ? undefined : `${driver} is used on Linux only`;
  }
  if (driver === 'swiftshader') {
    return swiftShaderIcd() ? undefined : 'npm package @onirenaud/swiftshader-vulkan is not installed';
  }
  if (!hasSystemLoader()) return `no Vulkan loader (${loaderName}) on this system`;
  if (driver === 'lavapipe' && !lavapipeIcd())
    return 'no lvp_icd*.json among the Vulkan drivers of this system';
  return undefined;
}

/**
 * Runs `work` while Dawn, asked for an adapter, finds `driver`. Calls take turns, because the
 * choice is an environment variable of the whole process; it is restored afterwards.
 */
export async function withDriver<T>(driver: DriverId, work: () => Promise<T>): Promise<T> {
  const before = state.turn;
  const mine = (async () => {
    await before;
    return select(driver, work);
  })();
  state.turn = mine.catch(() => undefined);
  return mine;
}

async function select<T>(driver: DriverId, work: () => Promise<T>): Promise<T> {
  const missing = missingDriver(driver);
  if (missing) throw new GpuError('DEVICE_UNAVAILABLE', missing);
  if (driver === 'gpu') return work();
  if (driver === 'swiftshader' && !hasSystemLoader()) {
    loadStub(dirname(swiftShaderIcd() as string));
    return work();
  }
  const icd = (driver === 'swiftshader' ? swiftShaderIcd() : lavapipeIcd()) as string;
  // Loaders before 1.3.207 know only the second.
  return withEnvironment(Object.fromEntries(driverVariables.map((name) => [name, icd])), work);
}

/** Puts SwiftShader in the loader's place for the rest of the process. */
function loadStub(driverFolder: string): void {
  if (state.stubLoaded) return;
  if (process.arch !== 'x64' && process.arch !== 'arm64') {
    throw new GpuError(
      'DEVICE_UNAVAILABLE',
      `the embedded driver supports x64 and arm64 but this is ${process.arch}`,
    );
  }
  const bytes = stubLibrary({
    architecture: process.arch,
    soname: loaderName,
    needed: 'libvk_swiftshader.so',
    runPath: driverFolder,
  });
  const { RTLD_LAZY, RTLD_GLOBAL } = constants.dlopen;
  const causes: string[] = [];
  for (const root of [defaultCacheDir(), join(tmpdir(), `synglot-${process.getuid?.() ?? 0}`)]) {
    try {
      const path = writeStub(root, bytes);
      if (tryLoad(path, RTLD_LAZY | RTLD_GLOBAL | rtldNoDelete, causes)) {
        state.stubLoaded = true;
        return;
      }
    } catch (error) {
      causes.push((error as Error).message);
    }
  }
  throw new GpuError(
    'DEVICE_UNAVAILABLE',
    `the embedded SwiftShader driver cannot be loaded: ${causes.join('; ')}`,
  );
}

function writeStub(root: string, bytes: Uint8Array): string {
  const folder = join(root, 'vulkan', createHash('sha256').update(bytes).digest('hex').slice(0, 16));
  const path = join(folder, loaderName);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomUUID()}.tmp`;
  writeFileSync(temporary, bytes, { mode: 0o755 });
  renameSync(temporary, path);
  return path;
}

/**
 * Loads any shared library. Node throws in every case, since it is no addon; the message tells
 * whether the library itself was loaded first.
 */
function tryLoad(path: string, flags: number, causes: string[] = []): boolean {
  try {
    process.dlopen({ exports: {} }, path, flags);
    return true;
  } catch (error) {
    const { message } = error as Error;
    if (message.includes('did not self-register')) return true;
    causes.push(message);
    return false;
  }
}
