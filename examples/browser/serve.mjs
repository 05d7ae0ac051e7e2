// Serves the page on localhost, bundled anew at each start; needs no network.
// Usage: node examples/browser/serve.mjs [--port 8080] [--output folder]; with --output it writes the files instead.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));

/**
 * The files of the page by name: what any static host can serve.
 *
 * @param conditions more conditions for the packages' exports, beside the bundler's own `browser`
 */
export async function pageFiles(conditions = []) {
  const { outputFiles } = await build({
    absWorkingDir: here,
    entryPoints: ['main.js'],
    ...{ bundle: true, format: 'esm', platform: 'browser', minify: true, write: false },
    conditions,
  });
  return { 'index.html': await readFile(join(here, 'index.html')), 'main.js': outputFiles[0].contents };
}

/** Serves files on 127.0.0.1; port 0 takes any. Resolves with the server when it listens. */
export async function servePage(files, port = 0) {
  const types = { html: 'text/html; charset=utf-8', js: 'text/javascript; charset=utf-8' };
  const server = createServer(({ url }, response) => {
    const name = new URL(url, 'http://localhost').pathname.slice(1) || 'index.html';
    const found = Object.hasOwn(files, name);
    response.writeHead(found ? 200 : 404, {
      'content-type': found ? types[name.split('.').at(-1)] : 'text/plain',
      'cache-control': 'no-store',
    });
    response.end(found ? files[name] : 'not found\n');
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return server;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values } = parseArgs({ options: { port: { type: 'string' }, output: { type: 'string' } } });
  const files = await pageFiles();
  if (values.output) {
    await mkdir(values.output, { recursive: true });
    for (const [name, bytes] of Object.entries(files)) await writeFile(join(values.output, name), bytes);
    console.log(`written to ${values.output}: ${Object.keys(files).join(', ')}`);
  } else {
    const server = await servePage(files, Number(values.port ?? 8080));
    console.log(`http://localhost:${server.address().port}/`);
  }
}
