/** What a compiler tells of kernels, as rows of results and of tables. Pure: compiles nothing. */
import type { PlanKernel } from '@synglot/gpu';
import { countInstructions } from './assembly.js';
import { type GpuFamily, residentWarps } from './gpu-families.js';
import type { CompiledCode } from './null-device.js';

/** Registers are vector registers of an invocation; instructions are counted as they stand in the code. */
export interface CodeRow {
  readonly kernel: string;
  /** Constants in which it differs from others of its name, as in `ACCUMULATE=true`; else empty. */
  readonly constants: string;
  /** How often it is dispatched, in a step. */
  readonly dispatches?: number;
  readonly subgroup_size: number;
  readonly registers: number;
  /** AMD: registers that are kept in memory because there are too few. NVIDIA: instructions that put such there. */
  readonly spilled_registers: number;
  /** Memory of an invocation's own, for what has no place in registers. */
  readonly scratch_bytes: number;
  readonly workgroup_memory_bytes: number;
  /** AMD: subgroups that fit a SIMD at a time, as far as their registers and workgroup memory go. */
  readonly waves_per_simd?: number;
  /** NVIDIA: subgroups that fit a multiprocessor at a time (`residentWarps`), which has four units where AMD has a SIMD. */
  readonly warps_per_multiprocessor?: number;
  readonly instructions: number;
  /** Those of AMD's vector unit. */
  readonly vector_instructions?: number;
  /** Products on matrix units. */
  readonly matrix_instructions: number;
  /** Loads, stores and atomics of buffers. */
  readonly memory_instructions: number;
  readonly buffer_loads: number;
  /** Those of 16 bytes an invocation. */
  readonly wide_buffer_loads: number;
  readonly workgroup_loads: number;
  readonly wide_workgroup_loads: number;
  /**
   * The compiler's own guess. AMD: at what 64 invocations cost a SIMD; loops count for 8 turns (Mesa's
   * aco_statistics.cpp). NVIDIA: at the cycles of one warp alone; loops count for 10 (Mesa's nak/opt_instr_sched_common.rs).
   */
  readonly estimated_cycles: number;
  /** The same without the bounds that Tint puts on indices, and without the driver's checks of buffers. */
  readonly estimated_cycles_unclamped?: number;
  readonly buffer_loads_unclamped?: number;
  readonly wide_buffer_loads_unclamped?: number;
}

/** @throws Error where the compiler tells something else than that of the family's driver does */
export function codeRow(
  { label, constants = '', dispatches }: { label: string; constants?: string; dispatches?: number },
  family: GpuFamily,
  compiled: CompiledCode,
  unclamped?: CompiledCode,
): CodeRow {
  const of = (name: string, from = compiled) => {
    const value = from.statistics[name];
    if (value === undefined) throw new Error(`the driver does not tell '${name}'`);
    return value;
  };
  const radv = family.driver === 'radv';
  const counts = countInstructions(compiled.assembly);
  const cycles = radv ? 'Inverse Throughput' : 'Static cycle count';
  return {
    kernel: label,
    constants,
    ...(dispatches === undefined ? {} : { dispatches }),
    subgroup_size: compiled.subgroup,
    registers: of(radv ? 'VGPRs' : 'Number of GPRs'),
    spilled_registers: radv ? of('Spilled VGPRs') + of('Spilled SGPRs') : of('Spills to memory'),
    scratch_bytes: of(radv ? 'Scratch size' : 'SLM size'),
    ...(radv
      ? { workgroup_memory_bytes: of('LDS size'), waves_per_simd: of('Subgroups per SIMD') }
      : warps(family, of('Max warps/SM'), compiled.nir)),
    instructions: of(radv ? 'Instructions' : 'Instruction count'),
    ...(radv ? { vector_instructions: of('VALU') } : {}),
    matrix_instructions: counts.matrix,
    memory_instructions: counts.memory,
    buffer_loads: counts.bufferLoads,
    wide_buffer_loads: counts.wideBufferLoads,
    workgroup_loads: counts.workgroupLoads,
    wide_workgroup_loads: counts.wideWorkgroupLoads,
    estimated_cycles: of(cycles),
    ...(unclamped ? { estimated_cycles_unclamped: of(cycles, unclamped), ...freeLoads(unclamped) } : {}),
  };
}

function freeLoads({ assembly }: CompiledCode) {
  const { bufferLoads, wideBufferLoads } = countInstructions(assembly);
  return { buffer_loads_unclamped: bufferLoads, wide_buffer_loads_unclamped: wideBufferLoads };
}

/** NVK tells how many warps fit as far as registers go; the rest stands above the code in Mesa's own form. */
function warps({ multiprocessor }: GpuFamily, byRegisters: number, nir: string) {
  const [, ...size] = /^workgroup_size: (\d+), (\d+), (\d+)/m.exec(nir) ?? [];
  if (!multiprocessor || size.length === 0)
    throw new Error('the driver does not tell the size of a workgroup');
  const invocations = size.reduce((product, each) => product * Number(each), 1);
  const memoryBytes = Number(/^shared_size: (\d+)/m.exec(nir)?.[1] ?? 0);
  return {
    workgroup_memory_bytes: memoryBytes,
    warps_per_multiprocessor: residentWarps(multiprocessor, { warps: byRegisters, invocations, memoryBytes }),
  };
}

/** For each kernel as many of its constants as it takes to tell it from others of its name; the rest follow from them. */
export function distinguishing(kernels: readonly Pick<PlanKernel, 'label' | 'code'>[]): string[] {
  const constants = kernels.map(({ code }) => {
    const declared = code.matchAll(/^(?:const|alias) (\w+)(?:: \w+)? = (.*?)u?;$/gm);
    return new Map([...declared].map(([, name, value]) => [name as string, `${name}=${value}`]));
  });
  const told = kernels.map(({ label }) => label);
  for (const name of new Set(constants.flatMap((each) => [...each.keys()]))) {
    const further = told.map((text, index) => {
      const constant = constants[index]?.get(name);
      return constant ? `${text} ${constant}` : text;
    });
    const parts = (label: string, texts: readonly string[]) =>
      new Set(texts.filter((_, index) => kernels[index]?.label === label)).size;
    for (const label of new Set(kernels.map((each) => each.label))) {
      if (parts(label, further) === parts(label, told)) continue;
      kernels.forEach((each, index) => {
        if (each.label === label) told[index] = further[index] as string;
      });
    }
  }
  return told.map((text, index) => text.slice(kernels[index]!.label.length + 1));
}

type Column = readonly [title: string, value: (row: CodeRow) => number | string | undefined];

/** Wide ones of all; undefined in results from before these were counted. */
const share = (wide: number | undefined, all: number | undefined) =>
  all === undefined ? undefined : `${wide}/${all}`;

const columns: readonly Column[] = [
  ['dispatches', (row) => row.dispatches],
  ['subgroup', (row) => row.subgroup_size],
  ['registers', (row) => row.registers],
  ['spilled', (row) => row.spilled_registers],
  ['scratch B', (row) => row.scratch_bytes],
  ['shared B', (row) => row.workgroup_memory_bytes],
  ['waves', (row) => row.waves_per_simd],
  ['warps', (row) => row.warps_per_multiprocessor],
  ['instr.', (row) => row.instructions],
  ['vector', (row) => row.vector_instructions],
  ['matrix', (row) => row.matrix_instructions],
  ['memory', (row) => row.memory_instructions],
  ['wide loads', (row) => share(row.wide_buffer_loads, row.buffer_loads)],
  ['of shared', (row) => share(row.wide_workgroup_loads, row.workgroup_loads)],
  ['cycles', (row) => row.estimated_cycles],
  ['unclamped', (row) => row.estimated_cycles_unclamped],
  ['wide loads', (row) => share(row.wide_buffer_loads_unclamped, row.buffer_loads_unclamped)],
];

const named = ({ kernel, constants }: CodeRow) => (constants ? `${kernel} ${constants}` : kernel);

/** A table for a terminal; beside `earlier` rows, what differs is shown as `before→after`, and the ratio of the cycles. */
export function codeTable(rows: readonly CodeRow[], earlier?: readonly CodeRow[]): string[] {
  const shown = columns.filter(([, value]) => rows.some((row) => value(row) !== undefined));
  const cells = rows.map((row) => {
    const before = earlier?.find((other) => named(other) === named(row));
    const ratio = before ? (row.estimated_cycles / before.estimated_cycles).toFixed(2) : 'new';
    return [
      named(row),
      ...shown.map(([, value]) => {
        const [was, is] = [before && value(before), value(row)];
        return was === undefined || was === is ? `${is ?? ''}` : `${was}→${is}`;
      }),
      ...(earlier ? [ratio] : []),
    ];
  });
  const gone = (earlier ?? []).filter((row) => !rows.some((other) => named(other) === named(row)));
  const table = [['kernel', ...shown.map(([title]) => title), ...(earlier ? ['× cycles'] : [])], ...cells];
  const widths = table[0]!.map((_, index) => Math.max(...table.map((line) => line[index]!.length)));
  return [
    ...table.map((line) =>
      line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '),
    ),
    ...gone.map((row) => `${named(row)}  is gone`),
  ];
}
