/** The GPUs that kernels are compiled for without having them, and how many warps fit one of NVIDIA's multiprocessors. */

export interface GpuFamily {
  /** Mesa's driver that compiles for it. */
  readonly driver: 'radv' | 'nvk';
  readonly architecture: string;
  readonly multiprocessor?: Multiprocessor;
}

/**
 * What its warps share: the most workgroups at a time, workgroup memory in KiB, and the bytes by which that is handed out.
 * CUDA programming guide, technical specifications per compute capability; occupancy calculator.
 */
interface Multiprocessor {
  readonly workgroups: number;
  readonly memoryKib: number;
  readonly unitBytes: number;
  /** Of each workgroup, for the system: from compute capability 8.0 on. */
  readonly reservedBytes: number;
}

const nvidia = (architecture: string, workgroups: number, memoryKib: number): GpuFamily => ({
  driver: 'nvk',
  architecture,
  multiprocessor: { workgroups, memoryKib, unitBytes: 128, reservedBytes: 1024 },
});
const amd = (architecture: string): GpuFamily => ({ driver: 'radv', architecture });

/** One or two of each architecture, by the names that Mesa has for them. */
export const families: Readonly<Record<string, GpuFamily>> = {
  navi31: amd('RDNA 3'),
  navi21: amd('RDNA 2'),
  navi10: amd('RDNA 1'),
  vega20: amd('GCN 5'),
  mi100: amd('CDNA 1'),
  polaris10: amd('GCN 4'),
  gh100: nvidia('Hopper', 32, 228),
  gb100: nvidia('Blackwell, 10.0', 32, 228),
  gb202: nvidia('Blackwell, 12.0', 24, 100),
  ad102: nvidia('Ada', 24, 100),
  ga102: nvidia('Ampere, 8.6', 16, 100),
  ga100: nvidia('Ampere, 8.0', 32, 164),
  tu102: {
    driver: 'nvk',
    architecture: 'Turing',
    multiprocessor: { workgroups: 16, memoryKib: 64, unitBytes: 256, reservedBytes: 0 },
  },
};

/**
 * Warps that a multiprocessor holds at a time: as many whole workgroups as its warps, registers and memory take.
 *
 * @param warps that fit as far as registers go, and no more than there can be
 * @param invocations of a workgroup
 */
export function residentWarps(
  { workgroups, memoryKib, unitBytes, reservedBytes }: Multiprocessor,
  { warps, invocations, memoryBytes }: { warps: number; invocations: number; memoryBytes: number },
): number {
  const each = Math.ceil(invocations / 32);
  const taken = Math.ceil((memoryBytes + reservedBytes) / unitBytes) * unitBytes;
  const byMemory = taken === 0 ? workgroups : Math.floor((memoryKib * 1024) / taken);
  return each * Math.min(workgroups, Math.floor(warps / each), byMemory);
}
