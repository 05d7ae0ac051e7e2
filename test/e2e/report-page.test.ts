/**
 * `synglot report` in a real browser: Chromium opens the file, and what it shows, asks for and survives is
 * checked. Not how it looks: set REPORT_SCREENSHOTS to a folder and look at the pictures.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { executablePath, missingBrowser } from '../support/browser.js';
import { root, runCliWell } from '../support/cli.js';
import { randomFloats } from '../support/random.js';
import {
  evaluation,
  hostile,
  langs,
  settings,
  worstQueries,
  writeCollections,
  writeJson,
  writeRuns,
} from './report-runs.js';
import { testFolder } from './support.js';

const missing = missingBrowser();

describe.skipIf(missing !== undefined)('synglot report', () => {
  let folder: { path: string; remove: () => Promise<void> };
  let browser: Browser;
  let html: string;

  beforeAll(async () => {
    const { bundlePage } = (await import(join(root, 'packages/report/scripts/bundle-page.mjs'))) as {
      bundlePage: () => Promise<unknown>;
    };
    await bundlePage();
    folder = await testFolder('report');
    await writeRuns(join(folder.path, 'runs'));
    html = join(folder.path, 'report.html');
    const { stdout } = await runCliWell(['report', join(folder.path, 'runs'), '--output', html]);
    expect(stdout).toContain('10 runs, 5 training curves, 1 embedding map');
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
  });

  afterAll(async () => {
    await browser?.close();
    await folder?.remove();
  });

  /** Opens a page; `requests` are those for anything but the file itself, `faults` its errors. */
  async function open(file: string, width: number, colorScheme: 'light' | 'dark' = 'light') {
    const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
    const page = await context.newPage();
    const requests: string[] = [];
    const faults: string[] = [];
    const url = pathToFileURL(file).href;
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') faults.push(message.text());
    });
    page.on('pageerror', (error) => faults.push(error.message));
    await context.route('**/*', (route) => {
      const asked = route.request().url();
      if (asked === url) return route.continue();
      requests.push(asked);
      return route.abort();
    });
    await page.goto(url);
    await page.waitForSelector('html[data-drawn]');
    return { page, requests, faults, close: () => context.close() };
  }

  async function picture(page: Page, name: string): Promise<void> {
    const to = process.env.REPORT_SCREENSHOTS;
    if (to) await page.screenshot({ path: join(to, `${name}.png`), fullPage: true });
  }

  /** Width of what can be scrolled to, sideways, against the window's. */
  const overflow = (page: Page) =>
    page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');

  /** Least contrast of a number in the heat map to its cell, as WCAG defines it. */
  const leastContrast = (page: Page) =>
    page.evaluate(`(() => {
      const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
      const luminance = (color) => {
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((byte) => {
          const part = byte / 255;
          return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      return Math.min(...Array.from(document.querySelectorAll('.heat td'), (cell) => {
        const style = getComputedStyle(cell);
        const [a, b] = [luminance(style.color), luminance(style.backgroundColor)];
        return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      }));
    })()`);

  test('every part is drawn, at desktop and phone width, and nothing is asked for', async () => {
    for (const [width, scheme] of [
      [1280, 'light'],
      [390, 'light'],
      [1280, 'dark'],
      [390, 'dark'],
    ] as const) {
      const { page, requests, faults, close } = await open(html, width, scheme);
      const titles = await page.locator('h2').allTextContents();
      expect(titles).toEqual([
        'Runs',
        'Settings and language bias',
        'Language pairs',
        'α curve',
        'Training',
        'Embeddings',
        'Worst queries',
      ]);
      expect(await page.locator('.summary tbody tr').count()).toBe(10);
      expect(await page.locator('.heat tbody td').count()).toBe(11 * 12);
      expect(await page.locator('.overview .thumb').count()).toBe(10);
      expect(await page.locator('.overview svg rect').count()).toBe(10 * 121);
      expect(await page.locator('#settings figure svg').count()).toBe(2);
      expect(await page.locator('#alpha figure svg').count()).toBe(2);
      expect(await page.locator('#training figure svg').count()).toBe(4);
      expect(await page.locator('#embeddings figure [aria-label="dot"] path').count()).toBe(660);
      expect(await page.locator('details.query').count()).toBe(9);
      await picture(page, `${width}-${scheme}`);
      expect(await leastContrast(page)).toBeGreaterThan(4.5);
      expect(await overflow(page), `sideways scroll at ${width}`).toBe(0);
      expect({ requests, faults }).toEqual({ requests: [], faults: [] });
      await close();
    }
  });

  test('values in the table are those of the runs, with fixed digits', async () => {
    const { page, close } = await open(html, 1280);
    const json = JSON.parse(await readFile(join(folder.path, 'runs/alpha-0.5/eval.json'), 'utf8'));
    const { map, rank_distance } = json.summary;
    const row = page.locator('.summary tbody tr', { hasText: /^alpha-0\.5/ });
    expect(await row.locator('td small').allTextContents()).toEqual([
      '0.7700 – 0.8000',
      '0.6500 – 0.6800',
      '0.5600 – 0.6100',
      '240.0 – 310.0',
    ]);
    expect(await row.locator('td > span').allTextContents()).toEqual([
      '0.50',
      ...settings.map((setting) => map[setting].toFixed(4)),
      rank_distance.toFixed(1),
    ]);
    await page.locator('#pairs .choice select').first().selectOption('alpha-0.5');
    const pair = page.locator('.heat tbody tr').nth(1).locator('td').nth(3);
    expect(await pair.getAttribute('title')).toBe(
      `German → English: ${json.cross_lingual.de.en['AP@20'].toFixed(4)}`,
    );
    await close();
  });

  test('every figure that is printed as the best one is marked', async () => {
    const runs = join(folder.path, 'ties');
    await mkdir(runs);
    const values = { first: 0.52344961, second: 0.52340001, third: 0.5 };
    for (const [label, value] of Object.entries(values)) {
      const map = { monolingual: value, cross_lingual: value, multilingual: null };
      const distance = 500 * (1 - value);
      await writeJson(join(runs, `${label}.json`), { task: 't', summary: { map, rank_distance: distance } });
    }
    const to = join(folder.path, 'ties.html');
    await runCliWell(['report', runs, '--output', to]);
    const { page, close } = await open(to, 1280);
    const marked = (label: string) =>
      page.locator('.summary tbody tr', { hasText: label }).locator('.best').allTextContents();
    expect(await marked('first')).toEqual(['0.5234', '0.5234', '238.3']);
    expect(await marked('second')).toEqual(['0.5234', '0.5234', '238.3']);
    expect(await marked('third')).toEqual([]);
    await close();
  });

  test('a collection of another size is not in the row of its name', async () => {
    const runs = join(folder.path, 'sizes');
    await mkdir(runs);
    const report = (collection: string, documents: number, value: number) => ({
      ...{ collection, documents, queries: 482, lang: 'sw', means: { 'nDCG@10': value } },
    });
    const of = (model: string, ...reports: object[]) =>
      writeJson(join(runs, `${model}.json`), { task: 'miracl', model, reports });
    await of('a', report('miracl-sw', 131_924, 0.25), report('miracl-yo', 705, 0.5));
    await of('b', report('miracl-sw', 3597, 0.75), report('miracl-yo', 705, 0.625));
    const to = join(folder.path, 'sizes.html');
    await runCliWell(['report', runs, '--output', to]);
    const { page, close } = await open(to, 1280);
    const rows = await page.locator('#collections tbody tr').all();
    const texts = await Promise.all(rows.map((row) => row.locator('th, td').allTextContents()));
    expect(texts.slice(0, 3)).toEqual([
      ['miracl-sw, 482 queries, 131924 documents', '0.2500', '–'],
      ['miracl-yo', '0.5000', '0.6250'],
      ['miracl-sw, 482 queries, 3597 documents', '–', '0.7500'],
    ]);
    await close();
  });

  test('judged collections, bitexts, runs and bias are tables; a model may be named anything', async () => {
    const to = join(folder.path, 'collections.html');
    await writeCollections(join(folder.path, 'collections'));
    const { stdout } = await runCliWell(['report', join(folder.path, 'collections'), '--output', to]);
    expect(stdout).toContain('1 run, 4 collections files');
    for (const width of [1280, 390]) {
      const { page, requests, faults, close } = await open(to, width);
      const cells = () => page.locator('#collections tbody td > span').allTextContents();
      expect(await cells()).toEqual(['0.2500', '0.3750', '0.5000', '0.6250', '0.3750', '0.5000']);
      expect(await page.locator('#collections tbody th').allTextContents()).toEqual([
        'miracl-sw',
        'miracl-yo',
        'mean',
      ]);
      expect(await page.locator('#collections .best').count()).toBe(0);
      expect(await page.locator('#collections tbody td small').first().textContent()).toBe('0.1875 – 0.3125');
      const choose = page.locator('#collections .choice select');
      await choose.nth(1).selectOption('Recall@100');
      expect(await cells()).toEqual(Array.from({ length: 6 }, () => '0.5000'));
      await choose.first().selectOption('tatoeba');
      expect(await cells()).toEqual(['0.6250']);
      await choose.first().selectOption('TREC runs');
      expect(await cells()).toEqual(['0.1250']);
      expect(await page.locator('#bias tbody td').allTextContents()).toEqual([
        '400.0',
        '0.5000',
        '0.5000',
        '0.1250',
        '0.2500',
        '0.1250',
        '0.5000',
        '0.1875',
        '0.1250',
        '0.0625',
      ]);
      await picture(page, `${width}-collections`);
      expect(await overflow(page), `sideways scroll at ${width}`).toBe(0);
      expect(await page.evaluate('window.broken')).toBeUndefined();
      expect({ requests, faults }).toEqual({ requests: [], faults: [] });
      await close();
    }
  });

  test('choices: measure, order, published rows, another run, a difference, languages', async () => {
    const { page, faults, close } = await open(html, 1280);
    const firstRun = () => page.locator('.summary tbody th').first().textContent();
    await page.getByRole('button', { name: 'rank distance' }).click();
    const distances = await page.locator('.summary tbody td:last-child').allTextContents();
    expect(distances.map(Number)).toEqual(distances.map(Number).sort((a, b) => a - b));
    await page.getByRole('button', { name: 'rank distance' }).click();
    expect(await firstRun()).toMatch(/alpha-1/);

    await page.locator('.picker > summary').click();
    await page.getByLabel('LaBSE hybrid').check();
    expect(await page.locator('.summary .published td > span').allTextContents()).toEqual([
      '–',
      '0.8167',
      '0.7672',
      '0.6817',
      '221.1',
    ]);
    await page.locator('#runs .choice select').selectOption('Recall@1');
    expect(await page.locator('.summary thead').textContent()).toContain('Recall@1 cross');

    await page.locator('.thumb[title="alpha-1"]').click();
    expect(await page.locator('#pairs .choice select').first().inputValue()).toBe('alpha-1');
    await page.locator('#pairs .choice select').nth(2).selectOption('alpha-0');
    expect(await page.locator('.heat caption').textContent()).toBe('AP@20 of alpha-1 minus alpha-0');
    expect(await page.locator('.ramp').textContent()).toMatch(/^-0\.\d{3}\+0\.\d{3}$/);
    expect(await leastContrast(page)).toBeGreaterThan(4.5);
    await picture(page, '1280-choices');
    if (process.env.REPORT_SCREENSHOTS)
      await page.pdf({ path: join(process.env.REPORT_SCREENSHOTS, 'print.pdf') });

    const background = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
    const light = await background();
    for (let clicks = 0; clicks < 2; clicks++) await page.getByRole('button', { name: /^theme/ }).click();
    expect(await background()).not.toBe(light);
    expect(await leastContrast(page)).toBeGreaterThan(4.5);

    await page.locator('#embeddings .tick', { hasText: 'zh' }).locator('input').uncheck();
    expect(await page.locator('#embeddings figure [aria-label="dot"] path').count()).toBe(600);
    await page.locator('#worst .choice select').first().selectOption('ar');
    expect(await page.locator('details.query').count()).toBe(3);
    expect(faults).toEqual([]);
    await close();
  });

  test('texts are text, whatever is in them', async () => {
    const file = join(folder.path, 'hostile.html');
    const names = { label: hostile, worst_queries: worstQueries() };
    const json = await writeJson(join(folder.path, 'hostile.json'), evaluation(1, 0.5, names));
    await runCliWell(['report', json, '--output', file, '--title', hostile]);
    const { page, requests, faults, close } = await open(file, 390);
    expect(await page.evaluate('window.broken')).toBeUndefined();
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.title()).toBe(hostile);
    expect(await page.locator('h1').textContent()).toBe(hostile);
    expect(await page.locator('.summary tbody th').textContent()).toBe(hostile);
    expect(await page.locator('.query-text').allTextContents()).toContain(
      `Where did the river begin? ${hostile}`,
    );
    expect(await overflow(page)).toBe(0);
    expect({ requests, faults }).toEqual({ requests: [], faults: [] });
    await close();
  });

  test("a demo's report, and a section of embeddings in JSON, alone on their pages", async () => {
    const map = { monolingual: 0.4, cross_lingual: null, multilingual: 0.1 };
    const runs = ['monolingual', 'cross-lingual', 'hybrid'].map((mode, index) => ({
      mode,
      seed: 0,
      map,
      rank_distance: 2000 - 400 * index,
      measures: { 'Recall@1': map },
      last_loss: 2,
    }));
    const demo = { steps: 9, encoder: {}, chance: { map, rank_distance: 2611 }, runs };
    const json = await writeJson(join(folder.path, 'report.json'), demo);
    const vectors = Array.from({ length: 22 }, (_, row) => [...randomFloats(5, row)]);
    const embeddings = {
      vectors,
      langs: vectors.map((_, row) => langs[row % 2]),
      texts: vectors.map(() => hostile),
    };
    const points = await writeJson(join(folder.path, 'points.json'), { embeddings });
    const file = join(folder.path, 'demo.html');
    await runCliWell(['report', json, points, '--output', file]);
    const { page, faults, close } = await open(file, 1280);
    expect(await page.locator('h2').allTextContents()).toEqual([
      'Runs',
      'Settings and language bias',
      'α curve',
      'Embeddings',
    ]);
    expect(await page.locator('.summary tbody th').allTextContents()).toContain('chance');
    expect(await page.locator('#embeddings figure [aria-label="dot"] path').count()).toBe(22);
    expect(await page.locator('footer').textContent()).toContain('Not in these runs: language pairs');
    expect(faults).toEqual([]);
    await close();
  });

  test('10 runs with 121 pairs each: time to draw, reported', async () => {
    const { page, close } = await open(html, 1280);
    const times = (await page.evaluate(`(() => {
      const [begun, drawn] = ['begun', 'drawn'].map((name) => performance.getEntriesByName(name)[0].startTime);
      const times = [drawn - begun];
      for (const thumb of Array.from(document.querySelectorAll('.thumb'), (_, index) => index)) {
        const started = performance.now();
        document.querySelectorAll('.thumb')[thumb].click();
        document.body.getBoundingClientRect();
        times.push(performance.now() - started);
      }
      return times;
    })()`)) as number[];
    console.info(
      `whole page drawn in ${times[0]!.toFixed(0)} ms; another run chosen: ${Math.max(...times.slice(1)).toFixed(0)} ms at most`,
    );
    expect(times).toHaveLength(11);
    expect(await page.locator('.overview svg rect').count()).toBe(10 * 121);
    await close();
  });
});
