/**
 * The packages in a browser: headless Chromium with WebGPU on the SwiftShader that it brings along. Firefox is in
 * wgpu.test.ts, the page for readers, `examples/browser`, in browser-example.test.ts.
 */
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchBrowser, missingBrowser, openPage, type Served, serveModule } from '../support/browser.js';
import { embedWith, type PageFunctions, plainTrainingBits } from '../support/browser-page.js';
import { openTestExecutor } from '../support/executor.js';
import {
  expectAllKernels,
  expectClose,
  linkMiniLm,
  stepResults,
  tellSameBits,
} from '../support/page-results.js';
import { labsePooling, saveTinyAdapter, saveTinyModel, testFolder } from './support.js';

/** What there is in the page. */
declare const synglot: PageFunctions;
declare const navigator: { readonly gpu: GPU };
declare const location: { readonly origin: string };
declare const Worker: new (
  url: string,
  options: { type: 'module' },
) => {
  onmessage: (event: { data: unknown }) => void;
  onerror: (event: { message: string }) => void;
};

const missing = missingBrowser();
const steps = 3;

describe.skipIf(missing !== undefined)('in Chromium', () => {
  let browser: Browser;
  let served: Served;
  let folder: Awaited<ReturnType<typeof testFolder>>;
  beforeAll(async () => {
    folder = await testFolder('browser');
    await saveTinyModel(join(folder.path, 'tiny'), labsePooling);
    await saveTinyAdapter(join(folder.path, 'adapter'), join(folder.path, 'tiny'));
    await linkMiniLm(join(folder.path, 'minilm'));
    [browser, served] = await Promise.all([
      launchBrowser(),
      serveModule('test/support/browser-page.ts', { '/models/': folder.path }),
    ]);
  });
  afterAll(async () => {
    await browser?.close();
    await served?.close();
    await folder?.remove();
  });

  /** Opens the page, does `work`, and expects no errors and no requests to other hosts. */
  async function inPage<T>(work: (page: Page) => Promise<T>): Promise<T> {
    const { page, faults, requests, close } = await openPage(browser, served.url);
    try {
      const result = await work(page);
      expect({ faults, requests }).toEqual({ faults: [], requests: [] });
      return result;
    } finally {
      await close();
    }
  }

  test('the device has all that the adapter grants, and less where asked', async () => {
    const { full, less, limits, features } = await inPage((page) =>
      page.evaluate(async () => {
        const adapter = await navigator.gpu.requestAdapter();
        const open = async (without: string[]) => {
          const executor = await synglot.openBrowserExecutor({ without });
          executor.destroy();
          return executor.device;
        };
        return {
          full: await open([]),
          less: await open(['subgroups', 'subgroup-size-control', 'timestamp-query', 'shader-f16']),
          limits: {
            binding: adapter!.limits.maxStorageBufferBindingSize,
            buffer: adapter!.limits.maxBufferSize,
          },
          features: [...adapter!.features] as string[],
        };
      }),
    );
    expect(full).toMatchObject({ id: 'browser', type: 'cpu' });
    expect(full.limits.maxStorageBufferBindingSize).toBe(limits.binding);
    expect(full.limits.maxBufferSize).toBe(limits.buffer);
    // WebGPU's default, which a device has that nobody asked for more.
    expect(limits.binding).toBeGreaterThan(2 ** 27);
    for (const feature of ['subgroups', 'shader-f16', 'timestamp-query']) {
      expect(full.features.includes(feature), feature).toBe(features.includes(feature));
      expect(less.features).not.toContain(feature);
    }
    expect(less.subgroups).toEqual({ minSize: 0, maxSize: 0 });
  });

  test('Chromium reads the WGSL of every kernel and makes their pipelines', async () => {
    const { read, compiled, features } = await inPage((page) =>
      page.evaluate(async () => {
        const executor = await synglot.openBrowserExecutor();
        const read = await synglot.checkModules(executor);
        const compiled = await synglot.compileKernels(executor);
        executor.destroy();
        return { read, compiled, features: executor.device.features };
      }),
    );
    expectAllKernels(read, compiled, features);
  });

  test('training in the page agrees with training in Node', async () => {
    const inBrowser = await inPage((page) =>
      page.evaluate(async (steps) => {
        const executor = await synglot.openBrowserExecutor();
        const bits = await synglot.plainTrainingBits(executor, steps);
        executor.destroy();
        return bits;
      }, steps),
    );
    const node = await openTestExecutor({ device: 'swiftshader', executor: 'webgpu' });
    const inNode = await plainTrainingBits(node, steps).finally(() => node.destroy());
    tellSameBits('the page', inBrowser, inNode);
    expect(stepResults(inNode).length).toBeGreaterThan(steps * 4);
    expectClose(stepResults(inBrowser), stepResults(inNode), 1e-5);
  });

  test.each([
    ['tiny', undefined],
    ['tiny', 'adapter'],
    ['minilm', undefined],
  ])('%s with adapter %s, fetched from a server, embeds as in Node', async (name, adapter) => {
    const texts = ['Where is the old red house?', 'Wo steht das alte rote Haus?', 'grün'];
    const { page, faults, requests, close } = await openPage(browser, served.url);
    const inBrowser = await page.evaluate(
      async ([name, adapter, texts]) => {
        const executor = await synglot.openBrowserExecutor();
        const over = adapter === undefined ? undefined : `models/${adapter}/`;
        const vectors = await synglot.embedWith(executor, `models/${name}`, texts, over);
        executor.destroy();
        return vectors;
      },
      [name, adapter, texts] as [string, string | undefined, string[]],
    );
    // A model that was saved here has all that is asked for.
    const complaints = faults.filter((text) => name === 'tiny' || !/status of 404/.test(text));
    expect({ complaints, requests }).toEqual({ complaints: [], requests: [] });
    await close();
    const node = await openTestExecutor();
    const inFolder = (other: string) => join(folder.path, other);
    const over = adapter === undefined ? undefined : inFolder(adapter);
    const plain = over && (await embedWith(node, inFolder(name), texts));
    const inNode = await embedWith(node, inFolder(name), texts, over).finally(() => node.destroy());
    expect(inNode.some((value) => value !== 0)).toBe(true);
    expect(inNode).not.toEqual(plain);
    expectClose(inBrowser, inNode, 1e-5);
  });

  test('a model that is on the device keeps no file of weights in the page', async () => {
    const { page, close } = await openPage(browser, served.url);
    await page.evaluate(async () => {
      const files: WeakRef<Blob>[] = [];
      const { blob } = Response.prototype;
      Object.assign(Response.prototype, {
        async blob(this: Response) {
          const file = await blob.call(this);
          files.push(new WeakRef(file));
          return file;
        },
      });
      const executor = await synglot.openBrowserExecutor();
      const model = await synglot.EmbeddingModel.load(executor, await synglot.openCheckpoint('models/tiny'));
      Object.assign(globalThis, { files, model });
    });
    expect(await page.evaluate('files.length')).toBe(2);
    await page.requestGC();
    await page.waitForFunction('files.every((file) => file.deref() === undefined)');
    expect(await page.evaluate("model.embed(['grün']).then((vectors) => vectors.length)")).toBe(8);
    await close();
  });

  test('an address is a URL, too, and files are asked for with GET, and once', async () => {
    const { page, close } = await openPage(browser, served.url);
    const asked: string[] = [];
    page.on('request', (request) => asked.push(`${request.method()} ${new URL(request.url()).pathname}`));
    const open = "synglot.openCheckpoint(new URL('models/tiny/', location)).then(({ source }) => source)";
    expect(await page.evaluate(open)).toBe(`${served.url}models/tiny`);
    const files = [
      '1_Pooling/config.json',
      '2_Dense/config.json',
      '2_Dense/model.safetensors',
      '3_Normalize/config.json',
      'config.json',
      'config_sentence_transformers.json',
      'model.safetensors',
      'modules.json',
      'sentence_bert_config.json',
      'tokenizer.json',
      'tokenizer_config.json',
    ];
    expect(asked.toSorted()).toEqual(files.map((path) => `GET /models/tiny/${path}`));
    await close();
  });

  test('an address that holds no model, or nothing, is a mistake in one line', async () => {
    const { page, close } = await openPage(browser, served.url);
    const told = await page.evaluate(async () => {
      const executor = await synglot.openBrowserExecutor();
      const opened = (model: string, adapter?: string) =>
        synglot.embedWith(executor, model, ['a'], adapter).then(
          () => 'embedded',
          ({ code, message }: { code: string; message: string }) => `${code} ${message}`,
        );
      return [
        await opened('models/none'),
        await opened('models/adapter'),
        await opened('models/tiny', 'models/none'),
        await opened('http://nobody.invalid/tiny'),
      ];
    });
    const code = 'INPUT_CHECKPOINT models';
    expect(told).toEqual([
      expect.stringMatching(`^${code}/none/config\\.json: missing; a model folder needs`),
      `${code}/adapter: an adapter; open the model under it and give this as \`adapter\``,
      expect.stringMatching(`^${code}/none/adapter_config\\.json: missing`),
      'INPUT_CHECKPOINT http://nobody.invalid/tiny/modules.json: cannot be fetched (Failed to fetch); is the server there?',
    ]);
    await close();
  });

  test('a device without subgroups trains with other kernels to the same losses', async () => {
    const [full, less] = await inPage((page) =>
      page.evaluate(async () => {
        const train = async (without: string[]) => {
          const executor = await synglot.openBrowserExecutor({ without });
          const bits = await synglot.plainTrainingBits(executor, 1);
          executor.destroy();
          return bits;
        };
        return [
          await train([]),
          await train(['subgroups', 'subgroup-size-control', 'timestamp-query']),
        ] as const;
      }),
    );
    expect(stepResults(full).length).toBeGreaterThan(4);
    expectClose(stepResults(less), stepResults(full), 1e-4);
  });

  test("a page's own device, with WebGPU's default limits and no features, trains to the same losses", async () => {
    const [full, own] = await inPage((page) =>
      page.evaluate(async () => {
        const train = async (executor: Awaited<ReturnType<PageFunctions['openBrowserExecutor']>>) => {
          const bits = await synglot.plainTrainingBits(executor, 1);
          executor.destroy();
          const { name, id, type, limits, features } = executor.device;
          return {
            name,
            id,
            type,
            limits,
            features,
            bits,
          };
        };
        const device = await (await navigator.gpu.requestAdapter())!.requestDevice();
        return [
          await train(await synglot.openBrowserExecutor()),
          await train(synglot.createWebGpuExecutor(device)),
        ] as const;
      }),
    );
    expect(own).toMatchObject({ id: 'webgpu', name: full.name, type: 'cpu' });
    expect(own.limits).toMatchObject({
      maxStorageBufferBindingSize: 2 ** 27,
      maxComputeWorkgroupStorageSize: 2 ** 14,
      maxComputeInvocationsPerWorkgroup: 256,
    });
    expect(own.features).not.toContain('subgroups');
    expect(stepResults(full.bits).length).toBeGreaterThan(4);
    expectClose(stepResults(own.bits), stepResults(full.bits), 1e-4);
  });

  test('a browser without information about its adapter gives a device all the same', async () => {
    const device = await inPage((page) =>
      page.evaluate(async () => {
        for (const [type, property] of [
          ['GPUAdapter', 'info'],
          ['GPUDevice', 'adapterInfo'],
        ] as const) {
          const { prototype } = (globalThis as unknown as Record<string, { prototype: object }>)[type]!;
          Object.defineProperty(prototype, property, { get: () => undefined });
        }
        const executor = await synglot.openBrowserExecutor();
        const buffer = executor.createBuffer('b', 8);
        executor.write(buffer, new Uint32Array([7, 9]));
        const values = [...new Uint32Array(await executor.read(buffer))];
        executor.destroy();
        const { name, type, subgroups } = executor.device;
        return { name, type, subgroups, values };
      }),
    );
    expect(device).toEqual({
      name: 'unknown adapter',
      type: 'unknown',
      values: [7, 9],
      subgroups: { minSize: 0, maxSize: 0 },
    });
  });

  test('a worker opens the device too, off the thread of the page', async () => {
    const name = await inPage((page) =>
      page.evaluate(async () => {
        const text = `import '${location.origin}/module.js';
          const executor = await synglot.openBrowserExecutor();
          const buffer = executor.createBuffer('b', 8);
          executor.write(buffer, new Uint32Array([7, 9]));
          postMessage([executor.device.name, ...new Uint32Array(await executor.read(buffer))].join(' '));`;
        const url = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
        const worker = new Worker(url, { type: 'module' });
        return new Promise<string>((resolve, reject) => {
          worker.onmessage = ({ data }) => resolve(data as string);
          worker.onerror = ({ message }) => reject(new Error(message));
        });
      }),
    );
    expect(name).toMatch(/swiftshader 7 9$/i);
  });

  test('a lost device calls onLost, and a read then rejects with DEVICE_LOST', async () => {
    const own = await launchBrowser();
    try {
      const { page } = await openPage(own, served.url);
      await page.evaluate(async () => {
        const told: string[] = [];
        const executor = await synglot.openBrowserExecutor({ onLost: ({ code }) => told.push(code) });
        Object.assign(globalThis, { told, executor, buffer: executor.createBuffer('b', 8) });
      });
      const session = await own.newBrowserCDPSession();
      const { processInfo } = await session.send('SystemInfo.getProcessInfo');
      process.kill(processInfo.find(({ type }) => type === 'GPU')!.id, 'SIGKILL');
      await page.waitForFunction('told.length > 0');
      const answer = await page.evaluate(async () => {
        const { told, executor, buffer } = globalThis as unknown as {
          told: string[];
          executor: Awaited<ReturnType<PageFunctions['openBrowserExecutor']>>;
          buffer: Parameters<typeof executor.read>[0];
        };
        const read = await executor.read(buffer).catch((error: { code: string }) => error.code);
        const again = await synglot.openBrowserExecutor().then(
          ({ device }) => device.name,
          (error: Error) => error.message,
        );
        return { told, read, again };
      });
      expect(answer).toMatchObject({ told: ['DEVICE_LOST'], read: 'DEVICE_LOST' });
      console.info(`after the loss, a new device: ${answer.again}`);
    } finally {
      await own.close();
    }
  });

  test('without WebGPU, or without an adapter, the error says which', async () => {
    const { page, close } = await openPage(browser, served.url);
    const refusal = () =>
      page.evaluate(() =>
        synglot.openBrowserExecutor().then(
          () => 'opened',
          ({ code, message }: { code: string; message: string }) => `${code}: ${message}`,
        ),
      );
    await page.evaluate(() =>
      Object.defineProperty(navigator, 'gpu', { value: undefined, configurable: true }),
    );
    expect(await refusal()).toMatch(/^DEVICE_UNAVAILABLE: This browser has no WebGPU/);
    await page.evaluate(() =>
      Object.defineProperty(navigator, 'gpu', { value: { requestAdapter: async () => null } }),
    );
    expect(await refusal()).toMatch(/^DEVICE_UNAVAILABLE: The browser has WebGPU but no adapter/);
    await close();
  });
});
