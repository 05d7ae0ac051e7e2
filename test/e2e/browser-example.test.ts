/**
 * `examples/browser` in headless Chromium: it trains, answers, measures, and says what it cannot do. Set
 * BROWSER_SCREENSHOTS to a folder to look at it.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { unzipSync } from 'fflate';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchBrowser, missingBrowser, openPage } from '../support/browser.js';
import { embedWith } from '../support/browser-page.js';
import { root } from '../support/cli.js';
import { openTestExecutor } from '../support/executor.js';
import { labsePooling, saveTinyModel, testFolder } from './support.js';

interface Serve {
  pageFiles(conditions?: readonly string[]): Promise<Record<string, Uint8Array>>;
  modelFiles(folder: string): Promise<Record<string, string>>;
  servePage(files: Record<string, Uint8Array>, port: number, model: Record<string, string>): Promise<Server>;
}

const missing = missingBrowser();
const phone = { width: 390, height: 844 };

describe.skipIf(missing !== undefined)('examples/browser', () => {
  let browser: Browser;
  let server: Server;
  let url: string;
  let folder: Awaited<ReturnType<typeof testFolder>>;
  beforeAll(async () => {
    folder = await testFolder('browser-example');
    await saveTinyModel(folder.path, labsePooling);
    const { pageFiles, modelFiles, servePage } = (await import(
      join(root, 'examples/browser/serve.mjs')
    )) as Serve;
    // The sources, as in every test; a reader's bundle has what is built.
    server = await servePage(await pageFiles(['@synglot/source']), 0, await modelFiles(folder.path));
    url = `http://localhost:${(server.address() as AddressInfo).port}/`;
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    server?.closeAllConnections();
    server?.close();
    await folder?.remove();
  });

  const enabled = (page: Page, id: string) => page.waitForSelector(`#${id}:not([disabled])`);
  const overflow = (page: Page) =>
    page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
  async function train(page: Page, updates: number): Promise<void> {
    await enabled(page, 'start');
    await page.fill('#steps', String(updates));
    await page.click('#start');
  }
  /** Opens what the page saved as a user of Node would, and expects answers near their question. */
  async function expectSaved(
    files: Readonly<Record<string, Uint8Array>>,
    [question = '', ...answers]: readonly string[],
  ): Promise<void> {
    for (const [path, bytes] of Object.entries(files)) {
      await mkdir(join(folder.path, dirname(path)), { recursive: true });
      await writeFile(join(folder.path, path), bytes);
    }
    const executor = await openTestExecutor();
    const texts = [question, ...answers, 'Der Bär lebt im Wald.', 'The shark has sharp teeth.'];
    try {
      const vectors = await embedWith(executor, join(folder.path, 'animals'), texts);
      const size = vectors.length / texts.length;
      const row = (index: number) => vectors.slice(index * size, (index + 1) * size);
      const scores = texts
        .slice(1)
        .map((_, index) =>
          row(index + 1).reduce((sum, value, at) => sum + value * (row(0)[at] as number), 0),
        );
      const others = Math.max(...scores.slice(answers.length));
      expect(scores.slice(0, answers.length).filter((score) => score > others).length).toBeGreaterThan(3);
    } finally {
      executor.destroy();
    }
  }
  const measures = async (page: Page) =>
    (await page.locator('#measures tbody tr').allInnerTexts()).map((row) => row.split(/\s+/));

  test('it trains, answers meanwhile, and gets better on facts that it was not trained on', async () => {
    const { page, faults, requests, close } = await openPage(browser, url, phone);
    await page.evaluate(`globalThis.tasks = [];
      new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration)))
        .observe({ type: 'longtask', buffered: true });`);
    await train(page, 120);
    await page.waitForFunction("document.querySelector('#progress').textContent.startsWith('Update 20 ')");
    await page.locator('#examples button').first().click();
    await page.waitForSelector('#hits li');
    expect(await page.textContent('#progress')).not.toContain('done');
    await enabled(page, 'start');

    const circles = await page.locator('#curve circle').evaluateAll((nodes) =>
      nodes.map((node) => ({
        y: Number((node as { getAttribute(name: string): string | null }).getAttribute('cy')),
        mode: (node as { getAttribute(name: string): string | null }).getAttribute('class'),
      })),
    );
    expect(circles).toHaveLength(120);
    expect(new Set(circles.map(({ mode }) => mode))).toEqual(new Set(['mono', 'cross']));
    // Down on the page is a lower loss.
    const mean = (part: typeof circles) => part.reduce((sum, { y }) => sum + y, 0) / part.length;
    expect(mean(circles.slice(-10))).toBeGreaterThan(mean(circles.slice(0, 10)) + 40);
    const last = /loss ([\d.]+)/.exec((await page.textContent('#progress')) ?? '');
    expect(Number(last?.[1])).toBeLessThan(1.5);

    const [before, after] = await measures(page);
    expect(before?.slice(0, 2)).toEqual(['none', '0']);
    expect(after?.slice(0, 2)).toEqual(['hybrid', '120']);
    for (const column of [2, 3, 4])
      expect(Number(after?.[column])).toBeGreaterThan(2 * Number(before?.[column]) - 0.1);
    expect(Number(after?.[5])).toBeLessThan(Number(before?.[5]) / 2);

    await page.evaluate("document.querySelector('#hits').replaceChildren()");
    await page.fill('#question', 'What does the owl eat?');
    await page.click('#search');
    await page.waitForSelector('#hits li');
    const hits = await page.locator('#hits li span:nth-child(2)').allTextContents();
    expect(hits).toHaveLength(10);
    const answers = [
      'The owl eats mice.',
      'Die Eule frisst Mäuse.',
      'El búho come ratones.',
      'Pöllö syö hiiriä.',
      'Сова ест мышей.',
    ];
    // Of all 300 sentences, those that say it in whatever language come first.
    expect(hits.slice(0, 6).filter((text) => answers.includes(text)).length).toBeGreaterThanOrEqual(4);
    const saving = page.waitForEvent('download');
    await page.click('#save');
    const zip = await (await saving).path();
    await expectSaved(unzipSync(await readFile(zip)), ['What does the owl eat?', ...answers]);
    if (process.env.BROWSER_SCREENSHOTS) {
      await page.screenshot({ path: join(process.env.BROWSER_SCREENSHOTS, 'phone.png'), fullPage: true });
    }
    expect(await overflow(page)).toBe(0);
    const tasks = (await page.evaluate('tasks')) as number[];
    console.info(`tasks that held the page longer than 50 ms: ${tasks.map(Math.round).join(', ') || 'none'}`);
    expect({ faults, requests }).toEqual({ faults: [], requests: [] });
    await close();
  });

  test('a page that draws no frames, as in the background, trains; Stop stops it', async () => {
    const { page, faults, close } = await openPage(browser, url, { width: 1200, height: 800 });
    await page.evaluate('globalThis.requestAnimationFrame = () => 0');
    await train(page, 2000);
    // Playwright too would wait for frames.
    await page.waitForFunction(
      "document.querySelector('#progress').textContent.startsWith('Update 1')",
      undefined,
      { polling: 100 },
    );
    await page.click('#stop');
    await enabled(page, 'start');
    expect(await page.locator('#curve circle').count()).toBe(0);
    const [, after] = await measures(page);
    expect(Number(after?.[1])).toBeLessThan(2000);
    expect(await page.textContent('#progress')).toContain('stopped');
    expect(await overflow(page)).toBe(0);
    expect(faults).toEqual([]);
    await close();
  });

  test('it loads a trained folder, and says what is wrong with an address that is none', async () => {
    const { page, requests, close } = await openPage(browser, url, phone);
    await enabled(page, 'open');
    await page.fill('#address', 'nothing');
    await page.click('#open');
    await page.waitForFunction("document.querySelector('#progress').textContent.startsWith('nothing/')");
    expect(await page.textContent('#progress')).toMatch(/^nothing\/config\.json: missing/);
    await enabled(page, 'open');
    await page.fill('#address', 'model');
    await page.click('#open');
    await enabled(page, 'start');
    expect(await page.textContent('#progress')).toBe('model: 1 layers, 16 wide.');
    const [row] = await measures(page);
    expect(row?.slice(0, 2)).toEqual(['model', '0']);
    await page.locator('#examples button').last().click();
    await page.waitForSelector('#hits li');
    expect(await page.locator('#hits li').count()).toBe(10);
    expect(await page.locator('#error').isHidden()).toBe(true);
    expect(requests).toEqual([]);
    await close();
  });

  test('without WebGPU the page says so and offers nothing', async () => {
    const without = await launchBrowser({ webGpu: false });
    const { page } = await openPage(without, url, phone);
    await page.waitForSelector('#error:not([hidden])');
    expect(await page.textContent('#error')).toMatch(/no WebGPU|no adapter/);
    expect(await page.locator('#start').isDisabled()).toBe(true);
    expect(await page.locator('#search').isDisabled()).toBe(true);
    await without.close();
  });

  test('the page says that its device was lost', async () => {
    const own = await launchBrowser();
    const { page } = await openPage(own, url, phone);
    await train(page, 2000);
    await page.waitForFunction("document.querySelector('#progress').textContent.startsWith('Update ')");
    const session = await own.newBrowserCDPSession();
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    process.kill(processInfo.find(({ type }) => type === 'GPU')!.id, 'SIGKILL');
    await page.waitForSelector('#error:not([hidden])');
    expect(await page.textContent('#error')).toMatch(/device was lost.*Load the page again/);
    expect(await page.locator('#start').isDisabled()).toBe(true);
    await own.close();
  });
});
