import { catalogue, type KernelDefinition } from '@synglot/kernels';
import { expect, test } from 'vitest';
import { checkDefinition } from './check-definition.js';

test.each(Object.values(catalogue))('$name', (definition) => {
  expect(() => checkDefinition(definition, 'here')).not.toThrow();
});

const loose: KernelDefinition = {
  name: 'loose',
  includes: ['struct Sizes { rows : u32 , factor:f32 }'],
  enables: [],
  usesStep: false,
  constants: [],
  types: [],
  params: [
    { name: 'rows', type: 'u32' },
    { name: 'factor', type: 'f32' },
  ],
  bindings: [
    { name: 'x', access: 'read', type: 'array<f32>' },
    { name: 'y', access: 'read_write', type: 'array<f32>' },
  ],
  source: `
// @group(0) @binding(0) var<storage, read_write> old: array<f32>;
@binding( 0u ) @group(0)
var<storage> x : array<f32>;
@group(0)@binding(1)var<storage,read_write>y:array<f32>;
@group(0) @binding(16) var<uniform> sizes: Sizes; /* @group(0) @binding(2) var<storage> z: u32; */
@compute @workgroup_size(1) fn main() { y[0] = x[0]; }`,
};

test('a text may be written otherwise than the catalogue’s', () => {
  expect(() => checkDefinition(loose, 'here')).not.toThrow();
  const source = loose.source.replace('sizes: Sizes', 'rows: u32');
  expect(() => checkDefinition({ ...loose, source }, 'here')).not.toThrow();
  expect(() => checkDefinition({ ...loose, params: loose.params.slice(1) }, 'here')).toThrow(
    "here: 'sizes' is { rows: u32, factor: f32 } in its text, { factor: f32 } in its definition",
  );
});
