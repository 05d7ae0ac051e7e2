/** What is said where there is no WebGPU; where there is, test/e2e/browser.test.ts and wgpu.test.ts open it. */
import { afterEach, expect, test, vi } from 'vitest';
import { openBrowserExecutor } from './browser-executor.js';

afterEach(() => {
  vi.unstubAllGlobals();
});

test.each([
  [undefined, /in Node use openExecutor of @synglot\/gpu\/node$/],
  [true, /^This browser has no WebGPU, or it is switched off \(in Firefox: dom\.webgpu\.enabled/],
  [false, /^WebGPU needs a secure context/],
])('without WebGPU, isSecureContext being %s, the remedy is named', async (secure, message) => {
  if (secure !== undefined) vi.stubGlobal('isSecureContext', secure);
  await expect(openBrowserExecutor()).rejects.toMatchObject({
    code: 'DEVICE_UNAVAILABLE',
    message: expect.stringMatching(message),
  });
});
