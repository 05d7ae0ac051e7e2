import { describe, expect, test } from 'vitest';
import {
  bindingScalar,
  catalogue,
  type KernelDefinition,
  kernelCode,
  packParams,
  paramsSizeBytes,
} from './index.js';

const definition: KernelDefinition = {
  name: 'example',
  includes: ['// included'],
  enables: ['subgroups'],
  usesStep: false,
  constants: [
    { name: 'TILE', type: 'u32', value: 8 },
    { name: 'SHIFT', type: 'i32', value: -1 },
    { name: 'RATE', type: 'f32', value: 2 },
    { name: 'FLAG', type: 'bool', value: false },
  ],
  types: [{ name: 'Element', choices: ['f32', 'f16'] }],
  params: [
    { name: 'rows', type: 'u32' },
    { name: 'offset', type: 'i32' },
    { name: 'scale', type: 'f32' },
  ],
  bindings: [{ name: 'x', access: 'read', type: 'array<vec4<Element>>' }],
  source: 'for (var i = 0u; i < TILE; i++) { //@ unroll\n  x(i);\n}\nfn main() {}',
};

describe('kernelCode', () => {
  test('puts enables first, then element types, constants, includes and the source with its loops unrolled', () => {
    const lines = kernelCode(definition, { TILE: 2, FLAG: true }).split('\n');
    expect(lines.slice(0, 7)).toEqual([
      'enable subgroups;',
      'alias Element = f32;',
      'const TILE: u32 = 2u;',
      'const SHIFT: i32 = -1;',
      'const RATE: f32 = 2.0;',
      'const FLAG: bool = true;',
      '// included',
    ]);
    expect(lines.filter((line) => line.includes('x('))).toEqual(['x(0u);', 'x(1u);']);
  });

  test('a fractional f32 stays as it is', () => {
    expect(kernelCode(definition, { RATE: 0.25 })).toContain('const RATE: f32 = 0.25;');
  });

  test('a chosen f16 is enabled before everything else', () => {
    const lines = kernelCode(definition, { Element: 'f16' }).split('\n');
    expect(lines.slice(0, 3)).toEqual(['enable f16;', 'enable subgroups;', 'alias Element = f16;']);
  });

  test.each([
    ['f32', 'vec4<u32>'],
    ['f16', 'vec2<u32>'],
  ])('the bits of four %s are %s, for a kernel that names them', (Element, bits) => {
    const source = `var<private> quad: ElementBits;\n${definition.source}`;
    expect(kernelCode({ ...definition, source }, { Element })).toContain(`alias ElementBits = ${bits};`);
    expect(kernelCode(definition, { Element })).not.toContain('Bits');
  });

  test('an element type outside the choices is refused', () => {
    expect(() => kernelCode(definition, { Element: 'u32' })).toThrow(/f32 or f16 for type Element.*u32/);
  });

  test('a binding holds the chosen type', () => {
    const [binding] = definition.bindings as [(typeof definition.bindings)[0]];
    expect(bindingScalar(definition, binding, {})).toBe('f32');
    expect(bindingScalar(definition, binding, { Element: 'f16' })).toBe('f16');
    expect(bindingScalar(definition, { ...binding, type: 'array<vec2<u32>>' }, {})).toBe('u32');
  });

  test('an unknown constant names the known ones', () => {
    expect(() => kernelCode(definition, { TILES: 2 })).toThrow(
      /'example' has no constant 'TILES'.*TILE, SHIFT.*Element/,
    );
  });

  test.each([
    ['TILE', 2.5],
    ['TILE', true],
    ['FLAG', 1],
    ['RATE', '2'],
  ])('%s of %s is refused', (name, value) => {
    expect(() => kernelCode(definition, { [name]: value })).toThrow(new RegExp(`for constant ${name}`));
  });
});

describe('packParams', () => {
  test('little-endian, in order of declaration, padded as a uniform', () => {
    const bytes = packParams(definition, { scale: 1.5, offset: -2, rows: 7 });
    expect(bytes.length).toBe(paramsSizeBytes(definition));
    const view = new DataView(bytes.buffer);
    expect([view.getUint32(0, true), view.getInt32(4, true), view.getFloat32(8, true)]).toEqual([7, -2, 1.5]);
  });

  test.each([
    [{ rows: 1, offset: 0 }, /params\.scale/],
    [{ rows: 1, offset: 0, scale: Number.NaN }, /params\.scale/],
    // f32 would make it infinite.
    [{ rows: 1, offset: 0, scale: 1e40 }, /params\.scale but received 1e\+40/],
    [{ rows: 1.5, offset: 0, scale: 1 }, /params\.rows but received 1\.5/],
    [{ rows: -1, offset: 0, scale: 1 }, /params\.rows/],
    [{ rows: 2 ** 32, offset: 0, scale: 1 }, /params\.rows/],
    [{ rows: 1, offset: 2 ** 31, scale: 1 }, /params\.offset/],
  ])('%j is refused', (values, message) => {
    expect(() => packParams(definition, values as Record<string, number>)).toThrow(message);
  });

  test('the whole range of u32 and i32 is allowed', () => {
    const bytes = packParams(definition, { rows: 2 ** 32 - 1, offset: -(2 ** 31), scale: 0 });
    const view = new DataView(bytes.buffer);
    expect([view.getUint32(0, true), view.getInt32(4, true)]).toEqual([2 ** 32 - 1, -(2 ** 31)]);
  });
});

describe('the catalogue', () => {
  test.each(Object.entries(catalogue))('%s fits what every device grants', (name, kernel) => {
    expect(kernel.name).toBe(name);
    expect(kernel.bindings.length).toBeLessThanOrEqual(8);
    expect(kernel.bindings.some(({ access }) => access === 'read_write')).toBe(true);
    const code = kernelCode(kernel, {});
    expect(code).toContain('fn main(');
    expect(code).not.toContain('//@ unroll');
    if (kernel.usesStep) expect(code).toContain('@group(0) @binding(17) var<uniform> step: Step;');
  });
});
