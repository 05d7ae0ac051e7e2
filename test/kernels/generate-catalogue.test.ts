/** What the generator of the catalogue refuses: each mistake in one line with its place. No device needed. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const root = mkdtempSync(join(tmpdir(), 'synglot-catalogue-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
for (const folder of ['scripts', 'wgsl', 'src/generated']) mkdirSync(join(root, folder), { recursive: true });
const kernels = fileURLToPath(new URL('../../kernels', import.meta.url));
for (const file of ['scripts/generate-catalogue.mjs', 'src/extensions.ts'])
  copyFileSync(join(kernels, file), join(root, file));
const script = join(root, 'scripts/generate-catalogue.mjs');

const kernel = `// y = factor · x.
//@ const WORKGROUP_SIZE: u32 = 64
//@ const LIMIT: f32 = 1.5
//@ type Element: f32 | f16
//@ include part

struct Params {
  // Of x.
  elements: u32,
  factor: f32,
}

@group(0) @binding(0) var<storage, read> x: array<Element>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(16) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  y[id.x] = half(params.factor * f32(x[id.x]));
}
`;
const include = `// Included by \`//@ include part\`.
//@ const HALVED: bool = true
//@ enable subgroups
fn half(x: f32) -> f32 {
  return select(x, 0.5 * x, HALVED);
}
`;

function generate(source: string, part = include) {
  writeFileSync(join(root, 'wgsl/double.wgsl'), source);
  writeFileSync(join(root, 'wgsl/include_part.wgsl'), part);
  return spawnSync(process.execPath, [script], { encoding: 'utf8' });
}

test('what a kernel and its include declare', () => {
  expect(generate(kernel)).toMatchObject({ status: 0, stderr: '' });
  const text = readFileSync(join(root, 'src/generated/catalogue.ts'), 'utf8');
  for (const part of [
    "constants: { WORKGROUP_SIZE?: number; LIMIT?: number; HALVED?: boolean; Element?: 'f32' | 'f16' };",
    'params: { elements: number; factor: number };',
    "bindings: 'x' | 'y';",
    '{"name":"LIMIT","type":"f32","value":1.5},{"name":"HALVED","type":"bool","value":true}',
    'enables: ["subgroups"]',
  ])
    expect(text).toContain(part);
});

test.each([
  ['const WORKGROUP_SIZE', 'const Workgroup', 2],
  ['u32 = 64', 'u32 = 64u', 2],
  ['f32 | f16', 'f32 | i8', 4],
  ['@ include', '@ inclde', 5],
  ['include part', 'include parts', 5],
  ['var<storage, read_write>', 'var<storage,read_write>', 14],
  ['@group(0) @binding(1)', '@binding(1) @group(0)', 14],
  ['@binding(1)', '@binding(2)', 1],
  ['elements: u32', 'elements: vec2<u32>', 1],
  ['struct Params', 'struct  Params', 15],
  ['fn main', 'fn start', 1],
])('%s written as %s', (right, wrong, line) => {
  const { status, stderr } = generate(kernel.replace(right, wrong));
  expect(status).toBe(1);
  expect(stderr).toMatch(new RegExp(`^kernels/wgsl/double\\.wgsl:${line}: [^\\n]+\\n$`));
});

test.each([
  ['bool = true', 'bool = yes', /^kernels\/wgsl\/include_part\.wgsl:2: cannot read [^\n]+\n$/],
  [
    'enable subgroups',
    'enable subgroup',
    /^kernels\/wgsl\/include_part\.wgsl:3: unknown extension [^\n]+\n$/,
  ],
])('%s written as %s in an include is told of there', (right, wrong, message) => {
  const { status, stderr } = generate(kernel, include.replace(right, wrong));
  expect(status).toBe(1);
  expect(stderr).toMatch(message);
});
