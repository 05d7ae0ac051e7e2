import { describe, expect, it } from 'vitest';
import { blocksOf, type CodeRow, codeRow, codeTable, distinguishing } from './code-rows.js';

const statistics = {
  ...{ VGPRs: 96, 'Spilled VGPRs': 2, 'Spilled SGPRs': 1, 'Scratch size': 64, 'LDS size': 8704 },
  ...{ 'Subgroups per SIMD': 16, Instructions: 1415, VALU: 971, VMEM: 24, 'Inverse Throughput': 6737 },
};
const compiled = { subgroup: 64, statistics, assembly: '' };

describe('codeRow', () => {
  it('takes what RADV tells, by names of ours', () => {
    const unclamped = { ...compiled, statistics: { ...statistics, 'Inverse Throughput': 5321 } };
    expect(codeRow({ label: 'matmul_nn_workgroup', dispatches: 13 }, compiled, unclamped)).toEqual({
      ...{ kernel: 'matmul_nn_workgroup', constants: '', dispatches: 13, subgroup_size: 64, registers: 96 },
      ...{ spilled_registers: 3, scratch_bytes: 64, workgroup_memory_bytes: 8704, waves_per_simd: 16 },
      ...{ instructions: 1415, vector_instructions: 971, memory_instructions: 24 },
      ...{ estimated_cycles: 6737, estimated_cycles_unclamped: 5321 },
    });
  });

  it('refuses what another driver tells', () => {
    const other = { ...compiled, statistics: { Instructions: 3 } };
    expect(() => codeRow({ label: 'add' }, other)).toThrow("the driver does not tell 'VGPRs'");
  });
});

describe('distinguishing', () => {
  it('names the constants that tell kernels of one name apart, and no more', () => {
    const code = (add: boolean, tile: number) =>
      `alias Element = f32;\nconst SIZE: u32 = 8u;\nconst ADD: bool = ${add};\nconst TILE: u32 = ${tile}u;\nconst STEP: u32 = ${tile}u;\nfn main() {\n  const SIZE = 9;\n}`;
    const kernels = [
      { label: 'matmul', code: code(false, 8) },
      { label: 'gelu', code: code(true, 8) },
      { label: 'matmul', code: code(true, 8) },
      { label: 'matmul', code: code(true, 4) },
    ];
    expect(distinguishing(kernels)).toEqual(['ADD=false TILE=8', '', 'ADD=true TILE=8', 'ADD=true TILE=4']);
  });
});

describe('codeTable', () => {
  const row = codeRow({ label: 'add' }, compiled) as CodeRow;

  it('leaves out what no row has', () => {
    const [head, line] = codeTable([row]);
    expect(head).toContain('shared B');
    expect(head).not.toContain('dispatches');
    expect(line?.split(/\s+/)).toEqual(
      ['add', 64, 96, 3, 64, 8704, 16, 1415, 971, 24, 6737].map((each) => `${each}`),
    );
  });

  it('shows what changed, what is new and what is gone', () => {
    const earlier = [
      { ...row, registers: 48, estimated_cycles: 13474 },
      { ...row, kernel: 'old' },
    ];
    const [, changed, added, ...rest] = codeTable([row, { ...row, constants: 'TILE=4' }], earlier);
    expect(changed).toMatch(/ 48→96 .* 13474→6737 +0\.50$/);
    expect(added).toMatch(/^add TILE=4 .* new$/);
    expect(rest).toEqual(['old  is gone']);
  });
});

it('counts the instructions of basic blocks', () => {
  const assembly =
    'BB0:\n s_mov_b32 s0, s5 ; be800005\n (then repeated 2 times)\nBB1:\n v_fmac_f32_e32 v1, v2\n v_fmac_f32_e32 v3, v4\n s_branch BB1\n';
  expect(blocksOf(assembly, 2)).toEqual(['BB1: 3 instructions: 2 v_fmac_f32_e32, 1 s_branch']);
});
