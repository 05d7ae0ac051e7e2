/**
 * Headless Chromium with WebGPU on SwiftShader, and pages from localhost, for the tests of what runs in a browser.
 * Without Chromium they are skipped with a line that says so; REQUIRE_CHROMIUM=1 makes that a failure.
 */
import { createReadStream, existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { build } from 'esbuild';
import { type Browser, chromium, type Page } from 'playwright-core';
import { root } from './cli.js';
import { skippedWithout } from './missing.js';

export const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Why tests in a browser cannot run here; undefined where they can. */
export function missingBrowser(): string | undefined {
  const what = `${executablePath} is missing (apt-get install chromium, or set CHROMIUM)`;
  return skippedWithout('Chromium', existsSync(executablePath) ? undefined : what);
}

const webGpu = [
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
  '--use-vulkan=swiftshader',
];

/** Starts Chromium; with WebGPU on its own SwiftShader, or without WebGPU. */
export function launchBrowser(options: { readonly webGpu?: boolean } = {}): Promise<Browser> {
  const flags = options.webGpu === false ? ['--disable-features=WebGPUService', '--disable-gpu'] : webGpu;
  return chromium.launch({ executablePath, args: ['--no-sandbox', ...flags] });
}

/** A module of the repository with all that it imports, as a user's bundler would make it for a page, from the sources. */
export async function bundleModule(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(root, entry)],
    absWorkingDir: root,
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    conditions: ['@synglot/source'],
  });
  return outputFiles[0]!.text;
}

/** A page on localhost with a module of the repository in it. */
export interface Served {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Bundles a module and serves an empty page that loads it.
 *
 * @param folders served too: the beginning of an address and the folder that it is, such as `/model/`
 */
export async function serveModule(
  entry: string,
  folders: Readonly<Record<string, string>> = {},
): Promise<Served> {
  const script = await bundleModule(entry);
  const html =
    '<!doctype html><html lang="en"><meta charset="utf-8"><link rel="icon" href="data:,"><title>test</title><script type="module" src="/module.js"></script>';
  const server = createServer(({ url = '' }, response) => {
    const [begin, folder] = Object.entries(folders).find(([begin]) => url.startsWith(begin)) ?? [];
    const file = begin && folder ? join(folder, url.slice(begin.length)) : undefined;
    if (file && existsSync(file)) {
      response.setHeader('content-type', 'application/octet-stream');
      response.setHeader('access-control-allow-origin', '*');
      createReadStream(file).pipe(response);
      return;
    }
    const isScript = url === '/module.js';
    response.writeHead(url === '/' || isScript ? 200 : 404, {
      'content-type': isScript ? 'text/javascript' : 'text/html',
    });
    response.end(isScript ? script : html);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://localhost:${port}/`, close: () => closeServer(server) };
}

function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

export interface Watched {
  readonly page: Page;
  /** Errors and warnings of the console, and uncaught errors. */
  readonly faults: string[];
  /** Addresses of other hosts that the page asked for; such requests are aborted. */
  readonly requests: string[];
  close(): Promise<void>;
}

/** Opens a page and collects its errors and its requests to other hosts. */
export async function openPage(
  browser: Browser,
  url: string,
  viewport = { width: 1000, height: 800 },
): Promise<Watched> {
  const context = await browser.newContext({ viewport });
  const page = await context.newPage();
  const faults: string[] = [];
  const requests: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(error.message));
  await context.route('**/*', (route) => {
    const asked = route.request().url();
    if (new URL(asked).origin === new URL(url).origin || asked.startsWith('data:')) return route.continue();
    requests.push(asked);
    return route.abort();
  });
  await page.goto(url);
  return { page, faults, requests, close: () => context.close() };
}
