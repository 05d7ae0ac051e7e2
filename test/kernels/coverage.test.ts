/** No kernel without a kernel test, and a catalogue that is what the WGSL files say. No device needed. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { catalogue, type KernelName } from '@synglot/kernels';
import { expect, test } from 'vitest';
import { kernelTests } from '../support/kernel-coverage.js';

const wgslFolder = fileURLToPath(new URL('../../kernels/wgsl/', import.meta.url));
const generator = fileURLToPath(new URL('../../kernels/scripts/generate-catalogue.mjs', import.meta.url));

test('every kernel of the catalogue is in the list of covered kernels, and nothing else is', () => {
  const covered: readonly string[] = Object.values(kernelTests).flat();
  const known = Object.keys(catalogue);
  const where = 'write a test in test/kernels and name the kernel in test/support/kernel-coverage.ts';
  expect(
    known.filter((name) => !covered.includes(name)),
    `without a test; ${where}`,
  ).toEqual([]);
  expect(
    covered.filter((name) => !known.includes(name)),
    'listed, but in no WGSL file',
  ).toEqual([]);
  expect(new Set(covered).size, 'listed twice').toBe(covered.length);
});

test.each(Object.entries(kernelTests))('%s names the kernels that it is listed for', (file, kernels) => {
  // matmul.test.ts works through the ops and checks itself which kernels they have dispatched;
  // attention.test.ts takes the names from attention-kernels.ts, for every strategy.
  if (file === 'matmul.test.ts' || file === 'attention.test.ts') return;
  const text = readFileSync(new URL(file, import.meta.url), 'utf8');
  for (const kernel of kernels) expect(text, kernel).toContain(`'${kernel}'`);
});

test('every WGSL file is in the catalogue', () => {
  const files = readdirSync(wgslFolder)
    .filter((name) => name.endsWith('.wgsl') && !name.startsWith('include_'))
    .map((name) => name.slice(0, -'.wgsl'.length));
  expect(Object.keys(catalogue).sort()).toEqual(files.sort());
});

test('the generated catalogue is not stale', () => {
  const output = execFileSync(process.execPath, [generator, '--check'], { encoding: 'utf8' });
  expect(output).toContain('is up to date');
});

test('every kernel with which a loss begins its backward multiplies by the loss scale', () => {
  const losses = fileURLToPath(new URL('../../packages/nn/src/loss/', import.meta.url));
  const text = readdirSync(losses)
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => readFileSync(losses + name, 'utf8'))
    .join('\n');
  const names = [...text.matchAll(/(?:dispatch|Kernel)\(\s*(?:g\.device, )?'(\w+_backward\w*)'/g)];
  const kernels = names
    .flatMap(([, name]) => [name, `${name}_workgroup`])
    .filter((name): name is KernelName => (name as string) in catalogue);
  expect(kernels).toEqual(
    expect.arrayContaining(['info_nce_backward', 'squared_distance_backward_workgroup']),
  );
  expect(kernels.length).toBeGreaterThanOrEqual(2);
  for (const name of kernels) expect(catalogue[name].source, name).toContain('step.loss_scale');
});
