/**
 * A GPU without hardware, to see what its compiler makes of kernels. Mesa's RADV, up to Mesa 25, opens one for every
 * family of AMD's that it knows (`RADV_FORCE_FAMILY`), compiles for it as for a real one, and can do nothing else. The
 * Vulkan layer in `compile-only/` stands in for the rest, and notes what the compiler tells of each pipeline.
 *
 * Not a device: nothing runs here, and the layer refuses what would. Changes this process's environment for good.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type DeviceInfo, type PlanKernel, warmUpPlan } from '@synglot/gpu';
import { openExecutor } from '@synglot/gpu/node';
import { mesaDriver } from './drivers.js';

/** One of each architecture, by the names that RADV has for them. */
export const families: Readonly<Record<string, string>> = {
  navi31: 'RDNA 3',
  navi21: 'RDNA 2',
  navi10: 'RDNA 1',
  vega20: 'GCN 5',
  mi100: 'CDNA 1',
  polaris10: 'GCN 4',
};

const source = fileURLToPath(new URL('../compile-only/layer.cc', import.meta.url));
const library = fileURLToPath(new URL('../build/libcompile_only.so', import.meta.url));
const layerName = 'VK_LAYER_SYNGLOT_compile_only';

export class NullDeviceError extends Error {
  readonly code = 'INPUT_DEVICE';
}

/** What a compiler tells of a kernel. */
export interface CompiledCode {
  /** Invocations of a subgroup. */
  readonly subgroup: number;
  /** By the driver's own names. */
  readonly statistics: Readonly<Record<string, number>>;
  readonly assembly: string;
}

export interface NullDevice {
  readonly device: DeviceInfo;
  readonly executor: string;
  /** @throws Error where the compiler refuses the kernel */
  compile(kernel: PlanKernel): Promise<CompiledCode>;
  destroy(): void;
}

/**
 * @param toggles of Dawn's, to turn on
 * @throws NullDeviceError, in one line, where the compiler, the driver or the means to build the layer are missing
 */
export async function openNullDevice(family: string, toggles: readonly string[] = []): Promise<NullDevice> {
  const mesa = 'Mesa 25 (Debian 12: apt install -t bookworm-backports mesa-vulkan-drivers libvulkan1)';
  const driver = mesaDriver('radeon');
  if (process.platform !== 'linux' || !driver) {
    throw new NullDeviceError(`no radeon_icd.json among the Vulkan drivers of this system; install ${mesa}`);
  }
  buildLayer();
  const folder = mkdtempSync(join(tmpdir(), 'synglot-code-'));
  const notes = join(folder, 'compiled.jsonl');
  // For good, since the driver reads some of them whenever it makes a pipeline. Loaders before 1.3.207 know the second name.
  Object.assign(process.env, {
    ...{ VK_DRIVER_FILES: driver, VK_ICD_FILENAMES: driver },
    ...{ VK_LAYER_PATH: dirname(source), VK_INSTANCE_LAYERS: layerName },
    ...{ RADV_FORCE_FAMILY: family, MESA_SHADER_CACHE_DISABLE: 'true', SYNGLOT_COMPILE_ONLY: notes },
  });
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const none = `this system's RADV has no device without hardware, which ended with Mesa 25; install ${mesa}`;
  const options = { device: 'gpu', cacheDir: '', toggles: { enable: toggles } };
  const executor = await openExecutor(options).catch((cause: Error) => {
    throw new NullDeviceError(`${none}: ${cause.message.split(';', 1)[0]}`, { cause });
  });
  if (!/null.hardware/i.test(executor.device.name)) {
    executor.destroy();
    throw new NullDeviceError(`${none}: it opened ${executor.device.name}`);
  }
  // Dawn makes a pipeline once for all that ask for the same.
  const known = new Map<string, CompiledCode>();
  const compile = async (kernel: PlanKernel): Promise<CompiledCode> => {
    rmSync(notes, { force: true });
    const plan = { label: kernel.label, kernels: [kernel], buffers: [], commands: [], stepBuffer: -1 };
    (await executor.compile(warmUpPlan(plan))).destroy();
    const lines = existsSync(notes) ? readFileSync(notes, 'utf8').trimEnd().split('\n') : [];
    if (lines.length !== 1) throw new Error(`${kernel.label}: ${lines.length} pipelines were made, not one`);
    return JSON.parse(lines[0] as string) as CompiledCode;
  };
  return {
    device: executor.device,
    executor: executor.kind,
    async compile(kernel) {
      const code = known.get(kernel.code) ?? (await compile(kernel));
      known.set(kernel.code, code);
      return code;
    },
    destroy: () => executor.destroy(),
  };
}

/** Compiles the layer where that was not done since its source changed: no part of the build of the packages. */
function buildLayer(): void {
  if (existsSync(library) && statSync(library).mtimeMs > statSync(source).mtimeMs) return;
  mkdirSync(dirname(library), { recursive: true });
  const options = [
    '-std=c++20',
    '-O1',
    '-shared',
    '-fPIC',
    '-fvisibility=hidden',
    '-Wall',
    '-Wextra',
    '-Werror',
  ];
  for (const compiler of [process.env.CXX || 'c++', 'g++', 'clang++']) {
    const { error, status, stderr } = spawnSync(compiler, [...options, source, '-o', library], {
      encoding: 'utf8',
    });
    if (status === 0) return;
    if (!error) throw new Error(`${compiler} cannot compile ${source}:\n${stderr}`);
  }
  throw new NullDeviceError('no C++20 compiler to build the Vulkan layer with (Debian: apt install g++)');
}
