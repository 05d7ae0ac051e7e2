/** What kind of device an adapter is, from the words that Dawn and browsers have for it. */
import { expect, test } from 'vitest';
import { adapterType } from './webgpu-adapter.js';

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
