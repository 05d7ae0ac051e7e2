/** What an adapter is called and what kind of device it is, from the words that Dawn, browsers and Deno have for it. */
import { expect, test } from 'vitest';
import { adapterType, describeInfo } from './webgpu-adapter.js';

test.each([
  [{ vendor: 'nvidia', architecture: 'hopper' }, 'discrete-gpu'],
  [{ vendor: 'amd', architecture: 'rdna-3' }, 'discrete-gpu'],
  [{ vendor: 'intel', architecture: 'gen-12lp' }, 'integrated-gpu'],
  [{ vendor: 'apple', architecture: 'metal-3' }, 'integrated-gpu'],
  [{ vendor: 'mesa', device: 'llvmpipe-llvm-15-0-6-256-bits-' }, 'cpu'],
  [{ vendor: 'google', architecture: 'swiftshader' }, 'cpu'],
  [{ vendor: 'nvidia', isFallbackAdapter: true }, 'cpu'],
  [{}, 'unknown'],
] as const)('%o is %s', (info, type) => {
  expect(adapterType(info)).toBe(type);
});

test.each([
  [{ vendor: 'mesa', device: 'llvmpipe-llvm-15', description: 'llvmpipe: Mesa 25' }, 'llvmpipe-llvm-15'],
  [
    { vendor: '65541', device: '0', description: 'llvmpipe (LLVM 15.0.6, 256 bits)' },
    'llvmpipe (LLVM 15.0.6, 256 bits)',
  ],
  [{ vendor: 'nvidia', architecture: 'hopper' }, 'nvidia hopper'],
  [{}, 'unknown adapter'],
] as const)('%o is called %s', (info, name) => {
  expect(describeInfo(info).name).toBe(name);
});
