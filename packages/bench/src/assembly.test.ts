import { describe, expect, it } from 'vitest';
import { blocksOf, countInstructions } from './assembly.js';

const amd = `BB0:
\ts_mov_b32 s0, s5 ; be800005
\t(then repeated 2 times)
\ts_load_b128 s[4:7], s[2:3], null ; f4080101
\tbuffer_load_b128 v[0:3], v0, s[0:3], 0 offen ; e05c0000
\tbuffer_load_b32 v4, v0, s[0:3], 0 offen ; e0500000
BB1:
\tds_load_b128 v[0:3], v9 ; dbfc0000
\tds_load_2addr_b64 v[4:7], v9 offset1:1 ; d9dc0000
\tds_load_b32 v4, v9 ; d8d80000
\tv_wmma_f32_16x16x16_f16 v[0:7], v[8:15], v[16:23], v[0:7] ; cc404000
\tv_fmac_f32_e32 v1, v2, v3 ; 56020702
\tbuffer_store_b32 v4, v0, s[0:3], 0 offen ; e0680000
\ts_branch BB1 ; bfa00000
`;
const nvidia = `block.u 0 L3 [] -> {
      r0       = s2r sr[0x21]                                    // delay=6 wr:0
      r4 p0    = iadd3 r4 c[0x1][0x10] rZ                        // delay=11
@!p0             bra pT L26                                      // delay=1
      r4..8    = ld.global.a64.constant.b128 [r2]                // delay=1
@p1   r5       = ld.global.a64.strong.gpu.u16 [r2+0x8]           // delay=1
} -> [1, 9]
block 1 L5 [0] -> {
      r4..8    = ld.shared.strong.cta.b128 [r0.x16]              // delay=1 rd:0
      r8..12   = ldsm.16.m8n8.x4 [r0]                            // delay=1
      r9       = ld.shared.strong.cta.b32 [r0]                   // delay=1
      r60..64  = hmma.m16n8k16.f32 r76..80 r92..94 r60..64       // delay=1 rd:2 wr:4
                 st.global.a64.strong.gpu.b32 [r2] r4            // delay=1
                 red.global.a64.add.u32 [r2] r4                  // delay=1
} -> [1]
`;

describe('countInstructions', () => {
  const loads = { bufferLoads: 2, wideBufferLoads: 1, workgroupLoads: 3, wideWorkgroupLoads: 2 };
  it.each([
    { gpu: 'AMD', assembly: amd, counts: { matrix: 1, memory: 3, ...loads } },
    { gpu: 'NVIDIA', assembly: nvidia, counts: { matrix: 1, memory: 4, ...loads } },
  ])('finds what kernels are written for in the assembly of $gpu', ({ assembly, counts }) => {
    expect(countInstructions(assembly)).toEqual(counts);
  });

  it('knows the older names of AMD', () => {
    const older =
      'BB0:\n\tbuffer_load_dwordx4 v[0:3]\n\tds_read_b128 v[0:3]\n\tds_read2st64_b64 v[0:3]\n\tv_mfma_f32_32x32x8f16 a[0:15]\n';
    const loads = { bufferLoads: 1, wideBufferLoads: 1, workgroupLoads: 2, wideWorkgroupLoads: 2 };
    expect(countInstructions(older)).toEqual({ matrix: 1, memory: 1, ...loads });
  });
});

describe('blocksOf', () => {
  it('counts the instructions of basic blocks', () => {
    expect(blocksOf('BB0:\n s_mov_b32 s0\nBB1:\n v_fmac_f32 v1\n v_fmac_f32 v3\n s_branch BB1\n', 2)).toEqual(
      ['BB1: 3 instructions: 2 v_fmac_f32, 1 s_branch'],
    );
    expect(blocksOf(nvidia, 6)[0]).toMatch(/^block 1: 6 instructions: 1 ld\.shared\.strong\.cta\.b128, /);
  });
});
