/** The programs in the packages' READMEs: they check as strict JavaScript and run as they are printed. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { root } from '../support/cli.js';
import { meanPooling, saveTinyModel, testFolder, tinyPairs, writeJsonl } from './support.js';

/** What each program prints. */
const printed: Readonly<Record<string, RegExp>> = {
  data: /^$/,
  eval: /monolingual[\s\S]*query\\pool[\s\S]*AP +\tall\t0\.7500\n/,
  gpu: /Float32Array\(8\) \[\s*3, 3, 3, 3,\s*3, 3, 3, 3\s*\]/,
  models: /^2\n$/,
  train: /^$/,
};

let folder: Awaited<ReturnType<typeof testFolder>>;
beforeAll(async () => {
  folder = await testFolder('readmes');
  const inFolder = (name: string) => join(folder.path, name);
  await saveTinyModel(inFolder('my-model'), meanPooling);
  await writeJsonl(inFolder('pairs.jsonl'), tinyPairs(12));
  await writeFile(
    inFolder('my-run.yaml'),
    `model: my-model
data: [{ format: pairs-jsonl, path: pairs.jsonl }]
sampling: { batch_size: 4 }
optimizer: { learning_rate: 1.0e-3 }
training: { steps: 2 }
`,
  );
  await writeFile(inFolder('qrels.txt'), 'q1 0 d1 1\nq1 0 d2 0\nq2 0 d3 2\n');
  await writeFile(inFolder('run.txt'), 'q1 Q0 d2 1 3.0 x\nq1 Q0 d1 2 2.0 x\nq2 Q0 d3 1 1.0 x\n');
});
afterAll(() => folder?.remove());

const programs = readdirSync(join(root, 'packages')).flatMap((name) => {
  const text = readFileSync(join(root, 'packages', name, 'README.md'), 'utf8');
  return [...text.matchAll(/^```[jt]s\n(.*?)^```/gms)].map(([, code]) => ({ name, code: code as string }));
});

test('there is something to expect of every program', () => {
  expect(programs.map(({ name }) => name).sort()).toEqual(Object.keys(printed));
});

test.each(programs)(
  '@synglot/$name',
  async ({ name, code }) => {
    // In the repository, from where the packages are found.
    const path = join(root, 'test', `readme-${name}-${process.pid}.mjs`);
    onTestFinished(() => rm(path, { force: true }));
    await writeFile(path, code);
    const run = (cwd: string, args: readonly string[]) =>
      promisify(execFile)(process.execPath, args, {
        cwd,
        env: { XDG_RUNTIME_DIR: '/tmp', ...process.env, NODE_OPTIONS: '' },
      });
    const flags = '--ignoreConfig --noEmit --allowJs --checkJs --strict --noImplicitAny false';
    const settings = `${flags} --target es2023 --lib es2023 --module nodenext --types node`.split(' ');
    const checked = await run(root, [join(root, 'node_modules/typescript/bin/tsc'), ...settings, path]).catch(
      (e) => e,
    );
    expect(checked.stdout).toBe('');
    expect((await run(folder.path, [path])).stdout).toMatch(printed[name] as RegExp);
  },
  120_000,
);
