import { describe, expect, it } from 'vitest';
import { type CodeRow, codeRow, codeTable, distinguishing } from './code-rows.js';
import { families, type GpuFamily } from './gpu-families.js';

const statistics = {
  VGPRs: 96,
  'Spilled VGPRs': 2,
  'Spilled SGPRs': 1,
  'Scratch size': 64,
  'LDS size': 8704,
  'Subgroups per SIMD': 16,
  Instructions: 1415,
  VALU: 971,
  'Inverse Throughput': 6737,
};
const assembly =
  'BB0:\n\tbuffer_load_b128 v[0:3]\n\tbuffer_load_b32 v4\n\tds_load_b32 v4\n\tv_wmma_f32_16x16x16_f16 v[0:7]\n';
const compiled = { subgroup: 64, statistics, assembly, nir: '' };
const { navi31, gh100 } = families as { navi31: GpuFamily; gh100: GpuFamily };

describe('codeRow', () => {
  it('takes what RADV tells, by names of ours', () => {
    const unclamped = { ...compiled, statistics: { ...statistics, 'Inverse Throughput': 5321 } };
    expect(codeRow({ label: 'matmul_nn_workgroup', dispatches: 13 }, navi31, compiled, unclamped)).toEqual({
      kernel: 'matmul_nn_workgroup',
      constants: '',
      dispatches: 13,
      subgroup_size: 64,
      registers: 96,
      spilled_registers: 3,
      scratch_bytes: 64,
      workgroup_memory_bytes: 8704,
      waves_per_simd: 16,
      instructions: 1415,
      vector_instructions: 971,
      matrix_instructions: 1,
      memory_instructions: 2,
      buffer_loads: 2,
      wide_buffer_loads: 1,
      workgroup_loads: 1,
      wide_workgroup_loads: 0,
      estimated_cycles: 6737,
      estimated_cycles_unclamped: 5321,
      buffer_loads_unclamped: 2,
      wide_buffer_loads_unclamped: 1,
    });
  });

  it('takes what NVK tells, and how many warps fit', () => {
    const nvk = {
      'Number of GPRs': 96,
      'Spills to memory': 3,
      'SLM size': 16,
      'Max warps/SM': 20,
      'Instruction count': 2515,
      'Static cycle count': 57170,
    };
    const nir = 'shader: MESA_SHADER_COMPUTE\nworkgroup_size: 32, 8, 1\nshared_size: 8448\n';
    const code = { subgroup: 32, statistics: nvk, nir, assembly: '' };
    const none = { buffer_loads: 0, wide_buffer_loads: 0, workgroup_loads: 0, wide_workgroup_loads: 0 };
    expect(codeRow({ label: 'matmul_nn_workgroup' }, gh100, code)).toEqual({
      kernel: 'matmul_nn_workgroup',
      constants: '',
      subgroup_size: 32,
      registers: 96,
      spilled_registers: 3,
      scratch_bytes: 16,
      workgroup_memory_bytes: 8448,
      warps_per_multiprocessor: 16,
      instructions: 2515,
      matrix_instructions: 0,
      memory_instructions: 0,
      ...none,
      estimated_cycles: 57170,
    });
    expect(() => codeRow({ label: 'add' }, gh100, { ...code, nir: '' })).toThrow('size of a workgroup');
  });

  it('refuses what another driver tells', () => {
    const other = { ...compiled, statistics: { Instructions: 3 } };
    expect(() => codeRow({ label: 'add' }, navi31, other)).toThrow("the driver does not tell 'VGPRs'");
    expect(() => codeRow({ label: 'add' }, gh100, compiled)).toThrow(
      "the driver does not tell 'Number of GPRs'",
    );
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
  const row = codeRow({ label: 'add' }, navi31, compiled) as CodeRow;

  it('leaves out what no row has', () => {
    const [head, line] = codeTable([row]);
    expect(head).toContain('shared B');
    expect(head).not.toContain('dispatches');
    expect(head).not.toContain('warps');
    expect(line?.split(/\s+/)).toEqual(
      ['add', 64, 96, 3, 64, 8704, 16, 1415, 971, 1, 2, '1/2', '0/1', 6737].map((each) => `${each}`),
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
