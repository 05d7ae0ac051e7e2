import { catalogue, kernelCode } from '@synglot/kernels';
import { expect, test } from 'vitest';
import { workgroupUse } from './wgsl-use.js';

test('every kernel of the catalogue can be read', () => {
  for (const definition of Object.values(catalogue)) {
    const { invocations, memoryBytes } = workgroupUse(kernelCode(definition, {}));
    expect(invocations, definition.name).toBeGreaterThan(0);
    expect(memoryBytes % 16, definition.name).toBe(0);
  }
});

test('panels, structs and atomics are counted, each rounded up to 16 bytes', () => {
  expect(
    workgroupUse(`alias Element = f16;
const X: u32 = 8u; // of columns
const ROWS: u32 = max(LEAST, (X + 5u) / 4u);
const LEAST: u32 = 2u;
struct Pair {
  first: vec2<f32>,
  second: u32,
}
var<workgroup> panel: array<vec4<Element>, ROWS * X>;
var<workgroup> pairs: array<Pair, X>;
var<workgroup> count: atomic<u32>;
@compute @workgroup_size(X, ROWS) fn main() {}`),
  ).toEqual({ invocations: 24, memoryBytes: 3 * 8 * 8 + 8 * 12 + 16 });
});

test('what is not understood is an error', () => {
  expect(() =>
    workgroupUse('var<workgroup> x: mat2x2<f32>;\n@compute @workgroup_size(1) fn main() {}'),
  ).toThrow(/mat2x2/);
  expect(() => workgroupUse('const N: u32 = min(2u, 3u);\n@compute @workgroup_size(N) fn main() {}')).toThrow(
    /min/,
  );
});
