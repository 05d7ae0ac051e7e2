/**
 * The kernels' WGSL read by naga, the compiler of wgpu and of Firefox, beside Dawn's Tint which all other tests use.
 * Only read and validated: nothing runs. `cargo install naga-cli` gets it; without it the test is skipped with a line,
 * and REQUIRE_NAGA=1 makes that a failure.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { catalogue, kernelCode, kernelExtensions } from '@synglot/kernels';
import { afterAll, describe, expect, test } from 'vitest';

const naga = process.env.NAGA ?? 'naga';
const { stdout, status } = spawnSync(naga, ['--version'], { encoding: 'utf8' });
const missing = status !== 0;
if (missing) {
  const line = `${naga} is missing: kernels are not read by Firefox's compiler (cargo install naga-cli, or set NAGA)`;
  if (process.env.REQUIRE_NAGA === '1') throw new Error(line);
  console.warn(line);
}

const folder = mkdtempSync(join(tmpdir(), 'synglot-naga-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What naga says against modules, by name; none where it says nothing. */
function complaints(modules: Readonly<Record<string, string>>): string {
  const files = Object.entries(modules).map(([name, code]) => {
    const file = join(folder, `${name}.wgsl`);
    writeFileSync(file, code);
    return file;
  });
  const run = spawnSync(naga, ['--bulk-validate', ...files], { encoding: 'utf8', cwd: folder });
  return run.status === 0 ? '' : `${run.stdout}${run.stderr}` || `status ${run.status}`;
}

/** Kernels with the given extensions, and the constants that they are read with. */
function modules(wanted: 'none' | 'f16'): Record<string, string> {
  const entries = Object.values(catalogue).flatMap((definition) => {
    const halves = Object.fromEntries(definition.types.map(({ name }) => [name, 'f16']));
    const constants = wanted === 'f16' ? halves : {};
    const needs = kernelExtensions(definition, constants);
    if (needs.join() !== (wanted === 'f16' ? 'f16' : '')) return [];
    return [[`${definition.name}-${wanted}`, kernelCode(definition, constants)] as const];
  });
  return Object.fromEntries(entries);
}

describe.skipIf(missing)(`${stdout?.trim()}`, () => {
  test('reads every kernel that needs no extension, and finds nothing wrong', () => {
    const plain = modules('none');
    expect(Object.keys(plain).length).toBeGreaterThan(60);
    expect(complaints(plain)).toBe('');
  });

  test('reads every kernel in f16 that needs nothing more', () => {
    const halves = modules('f16');
    expect(Object.keys(halves).length).toBeGreaterThan(20);
    expect(complaints(halves)).toBe('');
  });

  test('the check sees a fault', () => {
    expect(complaints({ wrong: '@compute @workgroup_size(1) fn main() { let x: u32 = 1.5; }' })).not.toBe('');
  });
});
