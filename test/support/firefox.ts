/** Runs a module of the repository in a page of headless Firefox, with WebGPU switched on. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { hasSystemLoader } from '../../packages/gpu/src/node/vulkan-driver.js';
import { bundleModule } from './browser.js';
import { driverEnvironment } from './driver-environment.js';
import { skippedWithout } from './missing.js';

const executable = process.env.FIREFOX ?? '/usr/bin/firefox-esr';
/** A page that says nothing for so long will not. */
const timeoutMs = 110_000;

const preferences = {
  // On Linux it is off by default, and lavapipe and SwiftShader are on a list of drivers not to be used.
  'dom.webgpu.enabled': true,
  'gfx.webgpu.ignore-blocklist': true,
  'browser.shell.checkDefaultBrowser': false,
  'datareporting.policy.dataSubmissionEnabled': false,
};

/** Why tests in Firefox cannot run here; undefined where they can. */
export function missingFirefox(): string | undefined {
  const what = !existsSync(executable)
    ? `${executable} is missing (apt-get install firefox-esr, or set FIREFOX)`
    : hasSystemLoader()
      ? undefined
      : "the system's Vulkan loader is missing (apt-get install libvulkan1)";
  return skippedWithout('Firefox', what);
}

/**
 * Bundles a module, loads it in a page, does `work` there and gives back what that returns, by way of JSON.
 *
 * @param work takes nothing from around it but its argument
 * @throws Error with what went wrong in the page
 */
export async function inFirefox<A, T>(
  entry: string,
  work: (argument: A) => Promise<T>,
  argument: A,
): Promise<T> {
  const profile = await mkdtemp(join(tmpdir(), 'synglot-firefox-'));
  const lines = Object.entries(preferences).map(([name, value]) => `user_pref("${name}", ${value});`);
  await writeFile(join(profile, 'user.js'), lines.join('\n'));
  const files = { '/': page(work, argument), '/module.js': await bundleModule(entry) };
  let onAnswer = (_answer: string) => {};
  const server = createServer(answering(files, (answer) => onAnswer(answer)));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const url = `http://localhost:${(server.address() as AddressInfo).port}/`;
  const firefox = spawn(executable, ['--headless', '--no-remote', '--profile', profile, url], {
    env: { ...process.env, ...driverEnvironment(), HOME: profile },
    stdio: 'ignore',
  });
  const ended = new Promise<void>((end) => firefox.on('close', () => end()));
  const answer = new Promise<string>((resolve, reject) => {
    onAnswer = resolve;
    firefox.on('error', reject).on('close', (code) => reject(new Error(`Firefox ended with ${code}`)));
    setTimeout(() => reject(new Error('Firefox did not answer')), timeoutMs).unref();
  });
  try {
    const { result, error } = JSON.parse(await answer) as { result?: T; error?: string };
    if (error !== undefined) throw new Error(`in Firefox: ${error}`);
    return result as T;
  } finally {
    firefox.kill('SIGKILL');
    await ended;
    server.closeAllConnections();
    server.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

function page(work: unknown, argument: unknown): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>test</title><script type="module">
const tell = (answer) => fetch('/answer', { method: 'POST', body: JSON.stringify(answer) });
const fail = (error) => tell({ error: String(error?.stack ? error + '\\n' + error.stack : error) });
addEventListener('error', ({ message }) => fail(message));
addEventListener('unhandledrejection', ({ reason }) => fail(reason));
await import('/module.js');
await (${work})(${JSON.stringify(argument) ?? 'undefined'}).then((result) => tell({ result }), fail);
</script></html>`;
}

function answering(files: Readonly<Record<string, string>>, resolve: (answer: string) => void) {
  return async (request: IncomingMessage, response: ServerResponse) => {
    const file = files[request.url ?? ''];
    if (request.method === 'POST') resolve(await text(request));
    response.writeHead(file === undefined && request.method !== 'POST' ? 404 : 200, {
      'content-type': request.url === '/' ? 'text/html' : 'text/javascript',
    });
    response.end(file);
  };
}
