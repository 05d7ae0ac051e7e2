/**
 * What a bundler makes of each package for a page: nothing of Node in it, and none of Node's globals. Whether it
 * runs in a browser is asked in `test/e2e/browser.test.ts`.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Each package that a page can import, and what of it must be there. */
const entries: Readonly<Record<string, readonly string[]>> = {
  kernels: ['catalogue', 'kernelCode'],
  gpu: ['PlanBuilder', 'openBrowserExecutor'],
  nn: ['ParameterStore', 'buildTrainPlan', 'freshParameters'],
  data: ['BatchSampler', 'TrainingSet', 'collate'],
  models: ['EmbeddingModel', 'Tokenizer', 'trainTokenizer', 'withAdapter'],
  train: ['Trainer', 'contrastiveObjective', 'heldOutCollection'],
  eval: ['evaluateRetrieval', 'measureNamed', 'searchTopK'],
};

/** Globals that only Node has, where they are used and no member of something else. */
const nodeGlobals =
  /(?<![\w$.])(?:(?:Buffer|process|global)\.|setImmediate\(|require\(|__dirname\b|__filename\b)/g;

async function bundle(contents: string) {
  const { outputFiles, errors, warnings } = await build({
    stdin: { contents, resolveDir: join(root, 'test'), loader: 'ts' },
    absWorkingDir: root,
    bundle: true,
    write: false,
    // Takes the comments out.
    minifyWhitespace: true,
    format: 'esm',
    platform: 'browser',
    conditions: ['@synglot/source'],
    legalComments: 'none',
    logLevel: 'silent',
  }).catch((failure: { errors: { text: string; location: { file: string } | null }[] }) => ({
    outputFiles: [],
    errors: failure.errors,
    warnings: [],
  }));
  const faults = [...errors, ...warnings].map(({ text, location }) => `${location?.file ?? ''}: ${text}`);
  return { text: outputFiles[0]?.text ?? '', faults };
}

test.each(Object.entries(entries))('@synglot/%s can be bundled for a page', async (name, exported) => {
  const { text, faults } = await bundle(`export * from '@synglot/${name}';`);
  expect(faults).toEqual([]);
  const list = text.slice(text.lastIndexOf('export{'));
  for (const one of exported) expect(list).toMatch(new RegExp(`\\b${one}\\b`));
  expect(text.match(nodeGlobals) ?? []).toEqual([]);
});

test.each([
  ['eval', 'measureNamed'],
  ['nn', 'packStep'],
  ['models', 'truncateRows'],
  ['train', 'learningRateAt'],
])('a page that uses one function of @synglot/%s gets no kernel with it', async (name, used) => {
  const { text, faults } = await bundle(`import { ${used} } from '@synglot/${name}'; ${used}();`);
  expect(faults).toEqual([]);
  expect(text).not.toContain('@workgroup_size');
  expect(text.length).toBeLessThan(20_000);
});

test('the check finds what belongs to Node', async () => {
  const { faults } = await bundle(`export * from '@synglot/gpu/node';`);
  expect(faults.join('\n')).toMatch(/node:(fs|os|path)/);
  const { text } = await bundle('export const is = Buffer.from(process.argv[0]);');
  expect(text.match(nodeGlobals)).toEqual(['Buffer.', 'process.']);
});

test.each(['models', 'train'])('the page entry of %s is a part of the one for Node', async (name) => {
  const manifest = JSON.parse(readFileSync(join(root, `packages/${name}/package.json`), 'utf8')) as {
    exports: { '.': { browser: Record<string, string> } };
  };
  const { browser } = manifest.exports['.'];
  expect(browser.default).toBe('./dist/browser.js');
  const page = Object.keys(
    await import(join(root, `packages/${name}`, browser['@synglot/source'] as string)),
  );
  expect(page.length).toBeGreaterThan(5);
  expect(Object.keys(await import(join(root, `packages/${name}/src/index.ts`)))).toEqual(
    expect.arrayContaining(page),
  );
});

test("the import map of docs/browser.md has what the pages' entries import, where bundlers find it", async () => {
  const page = readFileSync(join(root, 'docs/browser.md'), 'utf8');
  const { imports } = JSON.parse(/<script type="importmap">(.*?)<\/script>/s.exec(page)?.[1] ?? '{}') as {
    imports: Record<string, string>;
  };
  const { metafile } = await build({
    stdin: {
      contents: Object.keys(entries)
        .map((name) => `export * from '@synglot/${name}';`)
        .join('\n'),
      resolveDir: join(root, 'test'),
    },
    absWorkingDir: root,
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    conditions: ['@synglot/source'],
    logLevel: 'silent',
  });
  const found = new Map<string, string>();
  for (const input of Object.values(metafile.inputs)) {
    for (const { original = '', path } of input.imports)
      if (/^[@#\w]/.test(original)) found.set(original, path);
  }
  const onServer = (path: string) =>
    path
      .replace(/^kernels\/src/, 'node_modules/@synglot/kernels/dist')
      .replace(/^packages\/(\w+)\/src/, 'node_modules/@synglot/$1/dist')
      .replace(/\.ts$/, '.js');
  expect(imports).toEqual(Object.fromEntries([...found].map(([name, path]) => [name, `/${onServer(path)}`])));
});
