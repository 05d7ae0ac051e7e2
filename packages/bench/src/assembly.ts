/** What stands in a kernel's assembly, AMD's as LLVM writes it or NVIDIA's as Mesa's NAK does. Pure; decodes nothing. */

export interface Block {
  readonly name: string;
  /** Names of its instructions, in order. */
  readonly instructions: readonly string[];
}

/** Instructions that kernels are written for. Loads are of 16 bytes an invocation where they are wide. */
export interface InstructionCounts {
  /** Products on matrix units. */
  readonly matrix: number;
  /** Loads, stores and atomics of buffers. */
  readonly memory: number;
  readonly bufferLoads: number;
  readonly wideBufferLoads: number;
  readonly workgroupLoads: number;
  readonly wideWorkgroupLoads: number;
}

const patterns: Readonly<Record<keyof InstructionCounts, RegExp>> = {
  matrix: /^(?:v_(?:s?wmma\w*|mfma)_|[hi]mma\.)/,
  memory: /^(?:(?:buffer|global)_(?:load|store|atomic)|(?:ld|st|atom|red)\.global)/,
  bufferLoads: /^(?:(?:buffer|global)_load|ld\.global)/,
  wideBufferLoads: /^(?:(?:buffer|global)_load_(?:b128|dwordx4)|ld\.global.*\.b128)/,
  workgroupLoads: /^(?:ds_(?:load|read)|ld\.shared|ldsm)/,
  wideWorkgroupLoads:
    /^(?:ds_(?:load_b128|read_b128|load_2addr(?:_stride64)?_b64|read2(?:st64)?_b64)|ld\.shared.*\.b128|ldsm.*\.x4)/,
};

export function countInstructions(assembly: string): InstructionCounts {
  const all = basicBlocks(assembly).flatMap(({ instructions }) => instructions);
  const counts = Object.entries(patterns).map(([name, pattern]) => [
    name,
    all.filter((instruction) => pattern.test(instruction)).length,
  ]);
  return Object.fromEntries(counts) as InstructionCounts;
}

/** AMD's `BB0:`, tab and instruction; NVIDIA's `block 0 … {`, predicate, results `=`, instruction, `// delay`. */
function basicBlocks(assembly: string): Block[] {
  const nvidia = /^block/.test(assembly);
  const instruction = nvidia
    ? /^(?:@\S+)?\s+(?:.* = +)?([a-z][\w.]*).*\/\/ delay/gm
    : /^\s+([a-z][a-z_0-9]*)/gm;
  return assembly.split(nvidia ? /^(?=block)/m : /^(?=BB\d+:)/m).map((block) => ({
    name: (nvidia ? /^block\S* \d+/.exec(block)?.[0] : block.split(':', 1)[0]) ?? '',
    instructions: [...block.matchAll(instruction)].map(([, name]) => name as string),
  }));
}

/** How often each instruction stands in the basic blocks of at least `least`, the most frequent first. */
export function blocksOf(assembly: string, least: number): string[] {
  return basicBlocks(assembly)
    .filter(({ instructions }) => instructions.length >= least)
    .map(({ name, instructions }) => {
      const counts = new Map<string, number>();
      for (const each of instructions) counts.set(each, (counts.get(each) ?? 0) + 1);
      const most = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 12);
      return `${name}: ${instructions.length} instructions: ${most.map(([each, count]) => `${count} ${each}`).join(', ')}`;
    });
}
