/**
 * `synglot report` in a real browser: Chromium opens the file, and what it shows, asks for and survives is
 * checked. Not how it looks: set REPORT_SCREENSHOTS to a folder and look at the pictures.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { writeNpy } from '@synglot/models';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root, runCli, runCliWell } from '../support/cli.js';
import { randomFloats, uniform } from '../support/random.js';
import { testFolder } from './support.js';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const missing = existsSync(executablePath)
  ? undefined
  : `${executablePath} is missing: the tests of the page are skipped (apt-get install chromium, or set CHROMIUM)`;
if (missing && process.env.REQUIRE_CHROMIUM === '1') throw new Error(missing);
if (missing) console.warn(missing);

const langs = ['ar', 'de', 'el', 'en', 'es', 'hi', 'ru', 'th', 'tr', 'vi', 'zh'];
const hostile = '</script><script>window.broken = 1</script><img src=x onerror="window.broken = 2">';
const settings = ['monolingual', 'cross_lingual', 'multilingual'] as const;

/** An evaluation as `synglot eval --json` writes it, with seeded values around what `alpha` would do. */
function evaluation(seed: number, alpha: number, more: object = {}): object {
  const random = uniform(seed);
  const near = (value: number) => Math.min(1, Math.max(0, value + (random() - 0.5) * 0.08));
  const ease = Object.fromEntries(langs.map((lang) => [lang, near(0.05)]));
  const means = (value: number) => ({
    'AP@20': near(value),
    'Recall@1': near(value - 0.12),
    'nDCG@10': near(value),
  });
  const mono = 0.72 + 0.06 * alpha;
  const cross = 0.7 - 0.08 * alpha ** 2;
  const rows = <T>(make: (query: string) => T) => Object.fromEntries(langs.map((lang) => [lang, make(lang)]));
  const of = (value: number) => ({
    monolingual: near(mono),
    cross_lingual: near(cross),
    multilingual: near(value),
  });
  const shares = (own: number) =>
    rows((query) => Object.fromEntries(langs.map((lang) => [lang, lang === query ? own : (1 - own) / 10])));
  return {
    task: 'xquad-r',
    collection: 'xquad-r',
    model: `runs/alpha-${alpha}/model`,
    device: 'a software device',
    langs,
    profile: 'lareqa',
    map_measure: 'AP@20',
    measures: ['AP@20', 'Recall@1', 'nDCG@10'],
    alpha,
    summary: {
      map: of(cross - 0.1),
      rank_distance: 230 + 150 * alpha ** 2 + 10 * random(),
      measures: { 'AP@20': of(cross - 0.1), 'Recall@1': of(0.2), 'nDCG@10': of(0.6) },
    },
    monolingual: rows((query) => means(mono + ease[query]! - 0.05)),
    cross_lingual: rows((query) =>
      Object.fromEntries(
        langs
          .filter((pool) => pool !== query)
          .map((pool) => [pool, means(cross + ease[query]! + ease[pool]! - 0.15)]),
      ),
    ),
    multilingual: rows(() => means(cross - 0.1)),
    language_share: { pool: {}, top_1: shares(0.2 + 0.4 * alpha), top_10: shares(0.1 + 0.3 * alpha) },
    ...more,
  };
}

function worstQueries(): object[] {
  const random = uniform(5);
  const text = { en: 'Where did the river begin?', ar: 'أين بدأ النهر؟', zh: '河流从哪里开始？' };
  return Object.entries(text).flatMap(([lang, query], index) =>
    settings.map((setting) => ({
      id: `q${index}`,
      lang,
      text: lang === 'en' && setting === 'monolingual' ? `${query} ${hostile}` : query,
      setting,
      value: Math.round(random() * 1000) / 10_000,
      ranking: Array.from({ length: 6 }, (_, rank) => ({
        rank: rank + 1,
        id: `p${rank}`,
        lang: langs[(rank * 3 + index) % langs.length],
        text: `Passage ${rank}: a sentence of some length about rivers, hills and who lived between them.`,
        score: 0.9 - rank * 0.05,
        relevant: rank === 4,
      })),
    })),
  );
}

/** Bootstrap intervals as `synglot eval` writes them. */
function intervals(): object {
  const measure = { monolingual: [0.77, 0.8], cross_lingual: [0.65, 0.68], multilingual: [0.56, 0.61] };
  return { confidence: 0.95, resamples: 1000, measures: { 'AP@20': measure }, rank_distance: [240, 310] };
}

/** The lines of `metrics.jsonl` of a run of `steps` updates. */
function metrics(seed: number, steps: number): string {
  const random = uniform(seed);
  const lines: object[] = [];
  for (let step = 1; step <= steps; step++) {
    const loss = 0.4 + 3 * Math.exp(-step / (steps / 5)) + random() * 0.3;
    const learning_rate = 3e-5 * Math.min(step / (steps / 10), (steps - step) / (steps * 0.9));
    lines.push({
      step,
      loss,
      learning_rate,
      gradient_norm: 1 + 4 * random() * loss,
      mode: 'monolingual',
      seconds: 1,
    });
    if (step % 50 === 0) lines.push({ step, validation_loss: loss + 0.1 });
  }
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** Embeddings with an island for each third language; row i is in language i mod 11. */
async function writeEmbeddings(folder: string): Promise<void> {
  const [rows, columns] = [660, 24];
  const data = randomFloats(rows * columns, 9);
  for (let row = 0; row < rows; row++) data[row * columns + ((row % 11) % 3)]! += 2;
  await writeNpy(join(folder, 'candidates.npy'), rows, columns, [data]);
  const lines = Array.from({ length: rows }, (_, row) => langs[row % 11]!);
  await writeFile(join(folder, 'candidates.langs.txt'), `${lines.join('\n')}\n`);
  await writeFile(
    join(folder, 'candidates.texts.txt'),
    lines.map((lang, row) => `text ${row} in ${lang}\n`).join(''),
  );
}

/** Figures of language bias as `synglot eval` writes them. */
function bias(): object {
  const first = { relevant_own: 0.5, relevant_other: 0.125, wrong_own: 0.25, wrong_other: 0.125 };
  const gap = { gap: 0.125, best: 'en', worst: 'th' };
  return {
    max_rank: { en: 300, th: 500 },
    language_preference: {
      en: { own_language_first: 0.75, first_passage: first },
      th: { own_language_first: 0.25, first_passage: first },
    },
    language_gap: { 'AP@20': { monolingual: gap, cross_lingual: gap, multilingual: gap } },
    rank_correlation: { mean: 0.0625, by_lang: {}, questions: 3 },
  };
}

/** Judged collections, a bitext and runs, as `synglot eval --json` writes them. */
async function writeCollections(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const judged = (model: string, value: number) => ({
    task: 'miracl',
    model: `models/${model}`,
    reports: ['sw', 'yo'].map((lang, index) => ({
      collection: `miracl-${lang}`,
      lang,
      queries: 482,
      documents: 5000,
      means: { 'nDCG@10': value + index / 4, 'Recall@100': 0.5 },
      ...(index === 0 ? { intervals: { 'nDCG@10': [value - 0.0625, value + 0.0625] } } : {}),
    })),
  });
  await writeJson(join(folder, 'one.json'), judged('small', 0.25));
  await writeJson(join(folder, 'two.json'), judged(hostile.replaceAll('/', ' '), 0.375));
  await writeJson(join(folder, 'tatoeba.json'), {
    task: 'tatoeba',
    model: 'models/small',
    reports: [
      {
        collection: 'deu-eng',
        langs: ['deu', 'eng'],
        sentences: 1000,
        accuracy_forward: 0.5,
        accuracy_backward: 0.75,
      },
    ],
  });
  await writeJson(join(folder, 'trec.json'), [
    {
      run: 'bm25',
      profile: 'trec_eval',
      tag: 't',
      summary: { map: 0.125, runid: 't' },
      per_topic: { 1: {} },
      notes: [],
    },
  ]);
  await writeJson(join(folder, 'parallel.json'), evaluation(1, 0.5, bias()));
}

async function writeJson(path: string, value: unknown): Promise<string> {
  await writeFile(path, JSON.stringify(value));
  return path;
}

/** A folder as several trainings and evaluations leave it: ten runs. */
async function writeRuns(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [index, alpha] of [0, 0.25, 0.5, 0.75, 1].entries()) {
    const run = join(folder, `alpha-${alpha}`);
    await mkdir(run);
    await writeFile(join(run, 'metrics.jsonl'), metrics(index, 400 + 700 * index));
    await writeJson(join(run, 'config.json'), { model: 'xlm-r', sampling: { mode: 'hybrid', alpha } });
    const more = index === 2 ? { worst_queries: worstQueries(), intervals: intervals() } : {};
    await writeJson(join(run, 'eval.json'), evaluation(10 + index, alpha, more));
    await writeJson(
      join(folder, `seed-1-alpha-${alpha}.json`),
      evaluation(20 + index, alpha, { series: 'xlm-r' }),
    );
  }
  await writeEmbeddings(join(folder, 'alpha-0.5'));
}

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

describe('bad input is one line and status 2', () => {
  let folder: { path: string; remove: () => Promise<void> };
  beforeAll(async () => {
    folder = await testFolder('report-input');
  });
  afterAll(() => folder.remove());

  async function refused(...args: string[]): Promise<string> {
    const output = join(folder.path, 'never.html');
    const { code, errorLines } = await runCli(['report', ...args, '--output', output]);
    expect({ code, lines: errorLines.length, written: existsSync(output) }, errorLines.join('\n')).toEqual({
      code: 2,
      lines: 1,
      written: false,
    });
    return errorLines[0]!;
  }

  test('files that are missing or something else', async () => {
    const at = (name: string) => join(folder.path, name);
    expect(await refused(at('none.json'))).toContain('none.json: no such file or folder; expected');
    expect(await refused(await writeJson(at('other.json'), { a: 1 }))).toContain('is JSON, but no report');
    await writeFile(at('cut.json'), '{"summary": {"map"');
    expect(await refused(at('cut.json'))).toContain('cut.json: is no JSON');
    await mkdir(at('empty'));
    expect(await refused(at('empty'))).toContain('empty: holds no run; expected');
    const wrong = await writeJson(at('wrong.json'), evaluation(1, 0.5, { langs: 'en' }));
    expect(await refused(wrong)).toMatch(/wrong\.json: 'langs': expected array, received string/);
    expect(await refused()).toContain("missing required argument 'run'");
  });

  test('a training folder with a broken line; a last line cut short is none', async () => {
    const run = join(folder.path, 'run');
    await mkdir(run);
    await writeFile(join(run, 'metrics.jsonl'), '{"step":1,"loss":2}\nnonsense\n{"step":2,"loss":1}\n');
    expect(await refused(run)).toContain('metrics.jsonl:2: no metrics of an update: expected {');
    await writeFile(join(run, 'metrics.jsonl'), '{"step":1,"loss":2}\n{"step":2,"lo');
    await runCliWell(['report', run, '--output', join(folder.path, 'cut.html')]);
    expect(await readFile(join(folder.path, 'cut.html'), 'utf8')).toContain('"loss":[[1,2]]');
  });

  test('embeddings without languages, or with too few, or that are no numbers', async () => {
    const npy = join(folder.path, 'e.npy');
    await writeNpy(npy, 3, 2, [new Float32Array([1, 2, 3, Number.NaN, 5, 6])]);
    expect(await refused(npy)).toMatch(
      /e\.npy: its languages are missing: write .*e\.langs\.txt with 3 lines/,
    );
    await writeFile(join(folder.path, 'e.langs.txt'), 'en\nde\n');
    expect(await refused(npy)).toContain('3 rows but 2 languages');
    await writeFile(join(folder.path, 'e.langs.txt'), 'en\nde\nen\n');
    expect(await refused(npy)).toContain('row 1, column 1 is NaN');
    const json = join(folder.path, 'e.json');
    await writeJson(json, { embeddings: { vectors: [[1, 2], [3]], langs: ['en', 'de'] } });
    expect(await refused(json)).toContain('embeddings.vectors[1] has 1 numbers, expected 2');
  });

  test('an output that cannot be written', async () => {
    const json = await writeJson(join(folder.path, 'good.json'), evaluation(1, 0.5));
    const { code, errorLines } = await runCli([
      'report',
      json,
      '--output',
      join(folder.path, 'no/such/p.html'),
    ]);
    expect([code, errorLines.length]).toEqual([2, 1]);
    expect(errorLines[0]).toContain('p.html: cannot be written (ENOENT)');
  });
});
