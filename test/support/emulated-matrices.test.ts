/** What the emulation of subgroup matrices refuses, and what it leaves alone. No device needed. */
import { expect, test } from 'vitest';
import { emulateMatrices } from './emulated-matrices.js';

const size32 = { minSize: 32, maxSize: 32 };
const module = (body: string, more = '') => `enable f16;
enable subgroups;
enable chromium_experimental_subgroup_matrix;
const SIZE: u32 = 16u;
alias Left = subgroup_matrix_left<f16, 16, 8>;
alias Right = subgroup_matrix_right<f16, 8, 16>;
alias Sums = subgroup_matrix_result<f32, 8, 8>;
var<workgroup> panel: array<f16, 512>;
var<workgroup> done: array<f32, 512>;
${more}
@compute @workgroup_size(64)
fn main(@builtin(subgroup_id) subgroup: u32) {
  var sums: Sums;
  ${body}
  subgroupMatrixStore<row_major>(&done, 0u, sums, 8u);
}`;

test('a module without subgroups stays as it is', () => {
  const code = '// subgroup\n@compute @workgroup_size(64) fn main() {}';
  expect(emulateMatrices(code, size32)).toBe(code);
});

test('types, loads, stores and builtins are replaced; f16 is left to the device', () => {
  const text = emulateMatrices(
    module('let left = subgroupMatrixLoad<Left, col_major>(&panel, subgroup, 8u);'),
    size32,
  );
  expect(text).toContain('enable f16;');
  expect(text).not.toMatch(/subgroups|subgroup_matrix|subgroupMatrix|subgroup_id/);
  expect(text).toContain('let left = emulated_load_left_col_major_panel( subgroup, 8u);');
  expect(text).toContain('let subgroup = emulated_index / EMULATED_SIZE;');
  expect(text).toContain('const EMULATED_SIZE = 32u;');
});

test('what is not emulated is refused by name', () => {
  expect(() => emulateMatrices(module('let x = subgroupAdd(1u);'), size32)).toThrow(/subgroupAdd/);
  const slice = 'let x = subgroupMatrixLoad<Left, row_major>(&panels[0], 0u, 8u);';
  expect(() => emulateMatrices(module(slice), size32)).toThrow(/subgroupMatrixLoad/);
  const second = 'var x: subgroup_matrix_left<f16, 8, 8>;';
  expect(() => emulateMatrices(module(second), size32)).toThrow(/one type of left/);
  expect(() => emulateMatrices('enable subgroups;\nfn main() {}', size32)).toThrow(/without left/);
});

test('subgroups have the size that a module asks for, where the device has it', () => {
  const varying = { minSize: 8, maxSize: 32, chosenSize: 8 };
  const asking = (size: string) =>
    module('')
      .replace('fn main', `@subgroup_size(${size})\nfn main`)
      .replace('const', 'enable subgroup_size_control;\nconst');
  expect(emulateMatrices(module(''), varying)).toContain('const EMULATED_SIZE = 8u;');
  expect(emulateMatrices(asking('SIZE'), varying)).toContain('const EMULATED_SIZE = 16u;');
  expect(() => emulateMatrices(asking('64'), varying)).toThrow(/from 8 to 32/);
  expect(() => emulateMatrices(module('').replace('fn main', '@subgroup_size(16) fn main'), varying)).toThrow(
    /enable subgroup_size_control/,
  );
});
