/**
 * Bundles `src/page` into `dist/page.js` and `dist/page.css`, with the licences of what went in. Run by
 * `npm run build`; the tests of the page run it themselves, so that they see the sources.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Writes both files; `{ bytes }` of the script. */
export async function bundlePage() {
  const common = { absWorkingDir: root, bundle: true, minify: true, write: false, target: 'es2022' };
  const [script, style] = await Promise.all([
    build({ ...common, entryPoints: ['src/page/main.ts'], format: 'iife', metafile: true, charset: 'utf8' }),
    build({
      ...common,
      entryPoints: ['src/page/page.css'],
      target: ['chrome123', 'firefox120', 'safari17.5'],
    }),
  ]);
  const code = script.outputFiles[0].text;
  const css = style.outputFiles[0].text;
  if (/<\/script|<!--/i.test(code) || /<\/style/i.test(css)) {
    throw new Error('the bundle holds a tag that would end its element in the page');
  }
  await mkdir(join(root, 'dist'), { recursive: true });
  const text = `${await licences(Object.keys(script.metafile.inputs))}${code}`;
  await writeFile(join(root, 'dist/page.js'), text);
  await writeFile(join(root, 'dist/page.css'), css);
  return { bytes: Buffer.byteLength(text) };
}

/** One comment with every package in the bundle and its licence; equal texts once. */
async function licences(inputs) {
  const folders = new Set(
    inputs.flatMap((path) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []),
  );
  const names = new Map();
  for (const folder of [...folders].sort()) {
    const path = join(root, folder);
    const { name, version } = JSON.parse(await readFile(join(path, 'package.json'), 'utf8'));
    const file = (await readdir(path)).find((entry) => /^licen[sc]e/i.test(entry));
    if (!file) throw new Error(`${name}: no licence file; it may not be bundled`);
    const text = (await readFile(join(path, file), 'utf8')).trim().replaceAll('*/', '* /');
    names.set(text, [...(names.get(text) ?? []), `${name} ${version}`]);
  }
  const parts = [...names].map(([text, packages]) => `${packages.join(', ')}\n\n${text}`);
  return `/*! Contains:\n\n${parts.join('\n\n')}\n*/\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { bytes } = await bundlePage();
  console.log(`dist/page.js ${(bytes / 1024).toFixed(0)} KB`);
}
