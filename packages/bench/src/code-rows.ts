/** What a compiler tells of kernels, as rows of results and of tables. Pure: compiles nothing. */
import type { PlanKernel } from '@synglot/gpu';
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
  /** Vector and scalar registers that are kept in memory because there are too few. */
  readonly spilled_registers: number;
  /** Memory of an invocation's own, for what has no place in registers. */
  readonly scratch_bytes: number;
  readonly workgroup_memory_bytes: number;
  /** Subgroups that fit a SIMD at a time, as far as their registers and workgroup memory go. */
  readonly waves_per_simd: number;
  readonly instructions: number;
  readonly vector_instructions: number;
  /** Loads and stores of buffers. */
  readonly memory_instructions: number;
  /** The compiler's own guess at what 64 invocations cost a SIMD; loops count for 8 turns (Mesa's aco_statistics.cpp). */
  readonly estimated_cycles: number;
  /** The same without the bounds that Tint puts on indices. */
  readonly estimated_cycles_unclamped?: number;
}

/** @throws Error where the compiler tells something else than RADV's does */
export function codeRow(
  { label, constants = '', dispatches }: { label: string; constants?: string; dispatches?: number },
  { subgroup, statistics }: CompiledCode,
  unclamped?: CompiledCode,
): CodeRow {
  const of = (name: string, from = statistics) => {
    const value = from[name];
    if (value === undefined) throw new Error(`the driver does not tell '${name}'`);
    return value;
  };
  const cycles = 'Inverse Throughput';
  return {
    kernel: label,
    constants,
    ...(dispatches === undefined ? {} : { dispatches }),
    subgroup_size: subgroup,
    registers: of('VGPRs'),
    spilled_registers: of('Spilled VGPRs') + of('Spilled SGPRs'),
    scratch_bytes: of('Scratch size'),
    workgroup_memory_bytes: of('LDS size'),
    waves_per_simd: of('Subgroups per SIMD'),
    instructions: of('Instructions'),
    vector_instructions: of('VALU'),
    memory_instructions: of('VMEM'),
    estimated_cycles: of(cycles),
    ...(unclamped ? { estimated_cycles_unclamped: of(cycles, unclamped.statistics) } : {}),
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

type Column = readonly [title: string, value: (row: CodeRow) => number | undefined];

const columns: readonly Column[] = [
  ['dispatches', (row) => row.dispatches],
  ['subgroup', (row) => row.subgroup_size],
  ['registers', (row) => row.registers],
  ['spilled', (row) => row.spilled_registers],
  ['scratch B', (row) => row.scratch_bytes],
  ['shared B', (row) => row.workgroup_memory_bytes],
  ['waves', (row) => row.waves_per_simd],
  ['instr.', (row) => row.instructions],
  ['vector', (row) => row.vector_instructions],
  ['memory', (row) => row.memory_instructions],
  ['cycles', (row) => row.estimated_cycles],
  ['unclamped', (row) => row.estimated_cycles_unclamped],
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

/** How often each instruction stands in the basic blocks of at least `least`, the most frequent first. */
export function blocksOf(assembly: string, least: number): string[] {
  return assembly
    .split(/^(?=BB\d+:)/m)
    .map((block) => ({
      name: block.split(':', 1)[0],
      instructions: [...block.matchAll(/^\s+([a-z][a-z_0-9]*)/gm)].map(([, name]) => name as string),
    }))
    .filter(({ instructions }) => instructions.length >= least)
    .map(({ name, instructions }) => {
      const counts = new Map<string, number>();
      for (const each of instructions) counts.set(each, (counts.get(each) ?? 0) + 1);
      const most = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 12);
      return `${name}: ${instructions.length} instructions: ${most.map(([each, count]) => `${count} ${each}`).join(', ')}`;
    });
}
