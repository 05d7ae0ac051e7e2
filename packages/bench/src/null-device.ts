/**
 * A GPU without hardware, to see what its compiler makes of kernels. Mesa's RADV, up to Mesa 25, opens one for every
 * family of AMD's that it knows (`RADV_FORCE_FAMILY`); Mesa's NVK opens one of NVIDIA's where nouveau's answers come from
 * `compile-only/nouveau.cc`. Both compile for it as for a real one, and can do nothing else. The Vulkan layer in
 * `compile-only/` stands in for the rest, and notes what the compiler tells of each pipeline.
 *
 * Not a device: nothing runs here, and the layer refuses what would. Changes this process's environment for good, and
 * a process opens GPUs of one driver only.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DeviceInfo, type PlanKernel, warmUpPlan } from '@synglot/gpu';
import { openExecutor } from '@synglot/gpu/node';
import { built, layerSettings, NullDeviceError } from './compile-only.js';
import { mesaDriver } from './drivers.js';
import { families, type GpuFamily } from './gpu-families.js';

/** What a compiler tells of a kernel. */
export interface CompiledCode {
  /** Invocations of a subgroup. */
  readonly subgroup: number;
  /** By the driver's own names. */
  readonly statistics: Readonly<Record<string, number>>;
  readonly assembly: string;
  /** Mesa's own form of it, of which only what stands above the code is looked at. */
  readonly nir: string;
}

/** A line of the layer's notes. */
interface Note extends Omit<CompiledCode, 'assembly' | 'nir'> {
  readonly representations: Readonly<Record<string, string>>;
}

const drivers: Readonly<
  Record<
    GpuFamily['driver'],
    { file: string; vendor: string; mesa: string; none: string; environment: (family: string) => object }
  >
> = {
  radv: {
    file: 'radeon',
    vendor: 'RADV',
    mesa: 'Mesa 25 (Debian 12: apt install -t bookworm-backports mesa-vulkan-drivers libvulkan1)',
    none: 'has no device without hardware, which ended with Mesa 25',
    environment: (family) => ({ RADV_FORCE_FAMILY: family }),
  },
  nvk: {
    file: 'nouveau',
    vendor: 'NVK',
    mesa: 'Mesa 26.1 (Debian 13: apt install -t trixie-backports mesa-vulkan-drivers libvulkan1)',
    none: 'does not open as that of Mesa 26.1 does',
    environment: (family) => ({
      SYNGLOT_CHIP: family,
      NVK_I_WANT_A_BROKEN_VULKAN_DRIVER: '1',
      MESA_VK_IGNORE_CONFORMANCE_WARNING: 'true',
    }),
  },
};

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
  const { driver } = families[family] as GpuFamily;
  const { file, vendor, mesa, none, environment } = drivers[driver];
  const path = mesaDriver(file);
  if (process.platform !== 'linux' || !path) {
    throw new NullDeviceError(`no ${file}_icd.json among the Vulkan drivers of this system; install ${mesa}`);
  }
  const layer = layerSettings();
  if (driver === 'nvk') {
    // Global, so that its functions come before libdrm's.
    const { RTLD_NOW, RTLD_GLOBAL } = constants.dlopen;
    process.dlopen({ exports: {} }, built('nouveau'), RTLD_NOW | RTLD_GLOBAL);
  }
  const folder = mkdtempSync(join(tmpdir(), 'synglot-code-'));
  const notes = join(folder, 'compiled.jsonl');
  // For good, since the driver reads some of them whenever it makes a pipeline. Loaders before 1.3.207 know the second name.
  Object.assign(process.env, {
    VK_DRIVER_FILES: path,
    VK_ICD_FILENAMES: path,
    ...layer,
    MESA_SHADER_CACHE_DISABLE: 'true',
    SYNGLOT_COMPILE_ONLY: notes,
    ...environment(family),
  });
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const refused = `this system's ${vendor} ${none}; install ${mesa}`;
  const options = { device: 'gpu', cacheDir: '', unchecked: false, toggles: { enable: toggles } };
  const executor = await openExecutor(options).catch((cause: Error) => {
    throw new NullDeviceError(`${refused}: ${cause.message.split(';', 1)[0]}`, { cause });
  });
  if (!/null.hardware/i.test(executor.device.name)) {
    executor.destroy();
    throw new NullDeviceError(`${refused}: it opened ${executor.device.name}`);
  }
  // Dawn makes a pipeline once for all that ask for the same.
  const known = new Map<string, CompiledCode>();
  const compile = async (kernel: PlanKernel): Promise<CompiledCode> => {
    rmSync(notes, { force: true });
    const plan = { label: kernel.label, kernels: [kernel], buffers: [], commands: [], stepBuffer: -1 };
    (await executor.compile(warmUpPlan(plan))).destroy();
    const lines = existsSync(notes) ? readFileSync(notes, 'utf8').trimEnd().split('\n') : [];
    if (lines.length !== 1) throw new Error(`${kernel.label}: ${lines.length} pipelines were made, not one`);
    const { subgroup, statistics, representations } = JSON.parse(lines[0] as string) as Note;
    const of = (name: RegExp) => Object.entries(representations).find(([each]) => name.test(each))?.[1] ?? '';
    return { subgroup, statistics, assembly: of(/assembly/i), nir: of(/^NIR/) };
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
