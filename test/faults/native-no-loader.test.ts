/**
 * SwiftShader without a Vulkan loader, in both executors. The process is told beforehand that the
 * system has none, so that the stub takes the loader's place even where one is installed.
 */
import { listDevices, openExecutor } from '@synglot/gpu/node';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { nativeMissing } from './native-support.js';

const globals = globalThis as unknown as Record<symbol, { hasSystemLoader?: boolean; stubLoaded?: boolean }>;
const driverState = globals[Symbol.for('synglot.vulkan-driver')]!;

// These tests are about the default device, so the choice of whoever runs them is left out.
beforeAll(() => {
  vi.stubEnv('SYNGLOT_DEVICE', undefined);
});
afterAll(() => {
  vi.unstubAllEnvs();
});

describe.each(['native', 'webgpu'] as const)('without a Vulkan loader: %s', (executor) => {
  const missing = executor === 'native' ? nativeMissing() : undefined;

  beforeAll(() => {
    driverState.hasSystemLoader = false;
  });

  it.skipIf(missing)(
    `finds the embedded driver through the stub${missing ? ` (${missing})` : ''}`,
    async () => {
      const listed = await listDevices({ executor });
      expect(listed.map(({ id, usable }) => [id, usable])).toEqual([
        ['gpu', false],
        ['lavapipe', false],
        ['swiftshader', true],
      ]);
      const opened = await openExecutor({ executor });
      expect(opened.kind).toBe(executor);
      expect(opened.device).toMatchObject({ id: 'swiftshader', name: expect.stringMatching(/swiftshader/i) });
      expect(driverState.stubLoaded).toBe(true);
      const buffer = opened.createBuffer('b', 8);
      opened.write(buffer, Float32Array.of(1, 2));
      expect([...new Float32Array(await opened.read(buffer))]).toEqual([1, 2]);
      opened.destroy();
    },
  );

  it.skipIf(missing)('says in one line what is there and how to get lavapipe', async () => {
    await expect(openExecutor({ executor, device: 'lavapipe' })).rejects.toMatchObject({
      code: 'INPUT_DEVICE',
      message: expect.stringMatching(
        /^device 'lavapipe' is not usable here: no Vulkan loader .*usable: swiftshader .*bookworm-backports[^\n]*$/,
      ),
    });
  });
});
