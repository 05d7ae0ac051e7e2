import { expect, it } from 'vitest';
import { families, residentWarps } from './gpu-families.js';

it.each([
  {
    family: 'gh100',
    warps: 64,
    invocations: 64,
    memoryBytes: 0,
    resident: 64,
    limit: 'workgroups and warps',
  },
  { family: 'ad102', warps: 48, invocations: 32, memoryBytes: 0, resident: 24, limit: 'workgroups' },
  { family: 'gh100', warps: 20, invocations: 256, memoryBytes: 8448, resident: 16, limit: 'registers' },
  { family: 'gh100', warps: 64, invocations: 32, memoryBytes: 14336, resident: 15, limit: 'memory' },
  { family: 'ad102', warps: 16, invocations: 32, memoryBytes: 14336, resident: 6, limit: 'memory' },
  {
    family: 'tu102',
    warps: 32,
    invocations: 128,
    memoryBytes: 32768,
    resident: 8,
    limit: 'memory, none reserved',
  },
  {
    family: 'gh100',
    warps: 4,
    invocations: 256,
    memoryBytes: 0,
    resident: 0,
    limit: 'registers of one workgroup',
  },
])('$resident warps of $invocations invocations fit $family: $limit', ({ family, resident, ...kernel }) => {
  expect(residentWarps(families[family]!.multiprocessor!, kernel)).toBe(resident);
});
