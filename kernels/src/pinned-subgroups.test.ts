import { expect, test } from 'vitest';
import { catalogue, type KernelName, kernelCode, kernelExtensions } from './index.js';

const onMatrices = (Object.keys(catalogue) as KernelName[]).filter((name) =>
  name.endsWith('_subgroup_matrix'),
);

test.each(onMatrices)('%s asks for a size of subgroups only where it is told to', (name) => {
  const definition = catalogue[name];
  const free = kernelCode(definition, { SUBGROUP_SIZE: 16 });
  expect(free).not.toMatch(/enable subgroup_size_control|@subgroup_size/);
  expect(kernelExtensions(definition)).not.toContain('subgroup_size_control');
  const constants = { SUBGROUP_SIZE: 16, PIN_SUBGROUP_SIZE: true };
  const pinned = kernelCode(definition, constants);
  expect(pinned).toMatch(/@compute @workgroup_size\(WORKGROUP_X\) @subgroup_size\(SUBGROUP_SIZE\)\s+fn main/);
  expect(pinned).toContain('enable subgroup_size_control;');
  expect(kernelExtensions(definition, constants)).toContain('subgroup_size_control');
});

test('a kernel without the constant cannot ask', () => {
  expect(onMatrices.length).toBeGreaterThan(0);
  expect(() => kernelCode(catalogue.matmul_nt, { PIN_SUBGROUP_SIZE: true })).toThrow(/no constant/);
});
