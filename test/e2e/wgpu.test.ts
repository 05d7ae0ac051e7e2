/**
 * The packages on wgpu, Firefox's WebGPU, with its compiler naga, where all other tests have Dawn and Tint: in Deno, which
 * is quickly installed, and in Firefox. The driver is that of the other tests, so that only what lies between it and the
 * kernels differs.
 */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { serveModule } from '../support/browser.js';
import { embedWith, type PageFunctions, plainTrainingBits } from '../support/browser-page.js';
import { inDeno, missingDeno } from '../support/deno.js';
import { openTestExecutor } from '../support/executor.js';
import { inFirefox, missingFirefox } from '../support/firefox.js';
import {
  expectAllKernels,
  expectClose,
  linkMiniLm,
  stepResults,
  tellSameBits,
} from '../support/page-results.js';
import { testFolder } from './support.js';

/** What there is in either of them. */
declare const synglot: PageFunctions;

const entry = 'test/support/browser-page.ts';
const steps = 3;

describe.each([
  { name: 'Deno', missing: missingDeno(), run: inDeno },
  { name: 'Firefox', missing: missingFirefox(), run: inFirefox },
])('in $name', ({ name, missing, run }) => {
  const it = test.skipIf(missing !== undefined);

  it('WGSL of every kernel that needs no subgroups is read, and pipelines are made', async () => {
    const work = async () => {
      const executor = await synglot.openBrowserExecutor();
      const read = await synglot.checkModules(executor);
      const compiled = await synglot.compileKernels(executor);
      executor.destroy();
      return { read, compiled, device: executor.device };
    };
    const { read, compiled, device } = await run(entry, work, undefined);
    expect(device.type).toBe('cpu');
    expectAllKernels(read, compiled, device.features);
  });

  it.each(['f32', 'mixed'] as const)('training in %s agrees with training in Node', async (precision) => {
    const work = async ({ steps, precision }: { steps: number; precision: 'f32' | 'mixed' }) => {
      const executor = await synglot.openBrowserExecutor();
      const able = precision === 'f32' || executor.device.features.includes('shader-f16');
      const bits = able ? await synglot.plainTrainingBits(executor, steps, { precision }) : null;
      executor.destroy();
      return bits;
    };
    const there = await run(entry, work, { steps, precision });
    const node = await openTestExecutor();
    try {
      expect(there !== null).toBe(precision === 'f32' || node.device.features.includes('shader-f16'));
      if (there === null) return;
      const inNode = await plainTrainingBits(node, steps, { precision });
      tellSameBits(`${name}, in ${precision},`, there, inNode);
      expect(stepResults(inNode).length).toBeGreaterThan(steps * 4);
      expectClose(stepResults(there), stepResults(inNode), precision === 'f32' ? 1e-5 : 1e-2);
    } finally {
      node.destroy();
    }
  });

  it('the device is asked whether it is done only while something waits for it', async () => {
    const work = async () => {
      let asked = 0;
      const { prototype } = (globalThis as unknown as { GPUQueue: { prototype: GPUQueue } }).GPUQueue;
      const { submit } = prototype;
      prototype.submit = function (commands) {
        if ([...commands].length === 0) asked += 1;
        return submit.call(this, commands);
      };
      const executor = await synglot.openBrowserExecutor();
      await synglot.plainTrainingBits(executor, 1);
      const whileWaiting = asked;
      await new Promise((resolve) => setTimeout(resolve, 100));
      executor.destroy();
      return { whileWaiting, afterwards: asked - whileWaiting };
    };
    const { whileWaiting, afterwards } = await run(entry, work, undefined);
    expect(whileWaiting).toBeGreaterThan(0);
    expect(afterwards).toBe(0);
  });

  it('MiniLM, fetched from a server, embeds as in Node', async () => {
    const folder = await testFolder('wgpu');
    await linkMiniLm(join(folder.path, 'minilm'));
    const served = await serveModule(entry, { '/models/': folder.path });
    try {
      const texts = ['Where is the old red house?', 'Wo steht das alte rote Haus?', 'grün'];
      const work = async ({ url, texts }: { url: string; texts: string[] }) => {
        const executor = await synglot.openBrowserExecutor();
        const vectors = await synglot.embedWith(executor, `${url}models/minilm`, texts);
        executor.destroy();
        return vectors;
      };
      const there = await run(entry, work, { url: served.url, texts });
      const node = await openTestExecutor();
      const inNode = await embedWith(node, join(folder.path, 'minilm'), texts).finally(() => node.destroy());
      expect(inNode.some((value) => value !== 0)).toBe(true);
      expectClose(there, inNode, 1e-5);
    } finally {
      await served.close();
      await folder.remove();
    }
  });
});
