/**
 * The packages in Deno, on wgpu and its compiler naga, which Firefox has too. The driver is that of the other tests, so
 * that what differs is what stands between it and the kernels.
 */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { serveModule } from '../support/browser.js';
import { embedWith, type PageFunctions, plainTrainingBits } from '../support/browser-page.js';
import { inDeno, missingDeno } from '../support/deno.js';
import { openTestExecutor } from '../support/executor.js';
import {
  expectAllKernels,
  expectClose,
  linkMiniLm,
  stepResults,
  tellSameBits,
} from '../support/page-results.js';
import { testFolder } from './support.js';

/** What there is in Deno. */
declare const synglot: PageFunctions;

const missing = missingDeno();
const entry = 'test/support/browser-page.ts';
const steps = 3;

describe.skipIf(missing !== undefined)('in Deno', () => {
  test('wgpu reads the WGSL of every kernel that needs no subgroups, and makes pipelines', async () => {
    const work = async () => {
      const executor = await synglot.openBrowserExecutor();
      const read = await synglot.checkModules(executor);
      const compiled = await synglot.compileKernels(executor);
      executor.destroy();
      return { read, compiled, device: executor.device };
    };
    const { read, compiled, device } = await inDeno(entry, work, undefined);
    expect(device.name).toMatch(/llvmpipe|swiftshader/i);
    expectAllKernels(read, compiled, device.features);
  });

  test.each(['f32', 'mixed'] as const)('training in %s agrees with training in Node', async (precision) => {
    const work = async ({ steps, precision }: { steps: number; precision: 'f32' | 'mixed' }) => {
      const executor = await synglot.openBrowserExecutor();
      const able = precision === 'f32' || executor.device.features.includes('shader-f16');
      const bits = able ? await synglot.plainTrainingBits(executor, steps, { precision }) : undefined;
      executor.destroy();
      return bits ?? null;
    };
    const inDenos = await inDeno(entry, work, { steps, precision });
    const node = await openTestExecutor();
    try {
      expect(inDenos !== null).toBe(precision === 'f32' || node.device.features.includes('shader-f16'));
      if (inDenos === null) return;
      const inNode = await plainTrainingBits(node, steps, { precision });
      tellSameBits(`Deno, in ${precision},`, inDenos, inNode);
      expect(stepResults(inNode).length).toBeGreaterThan(steps * 4);
      expectClose(stepResults(inDenos), stepResults(inNode), precision === 'f32' ? 1e-5 : 1e-2);
    } finally {
      node.destroy();
    }
  });

  test('MiniLM, fetched from a server, embeds as in Node', async () => {
    const folder = await testFolder('deno');
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
      const inDenos = await inDeno(entry, work, { url: served.url, texts });
      const node = await openTestExecutor();
      const inNode = await embedWith(node, join(folder.path, 'minilm'), texts).finally(() => node.destroy());
      expect(inNode.some((value) => value !== 0)).toBe(true);
      expectClose(inDenos, inNode, 1e-5);
    } finally {
      await served.close();
      await folder.remove();
    }
  });
});
