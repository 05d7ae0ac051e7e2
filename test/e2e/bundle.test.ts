/** The offline bundle: made, unpacked elsewhere and used with a bare environment. Only with SYNGLOT_TEST_BUNDLE=1. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readNpy } from '@synglot/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { miniLm, root } from '../support/cli.js';
import { cosine, sharedPath, testFolder } from './support.js';

const here = `${process.platform}-${process.arch}`;
const skipped =
  process.env.SYNGLOT_TEST_BUNDLE !== '1'
    ? 'it takes minutes; SYNGLOT_TEST_BUNDLE=1 runs it'
    : here !== 'linux-x64'
      ? `the bundle is made on linux-x64 and this is ${here}`
      : undefined;
if (skipped) console.warn(`offline bundle: skipped (${skipped})`);

interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv, cwd: string): Promise<Output> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { env, cwd, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(error);
      else resolve({ code: (error?.code as number | undefined) ?? 0, stdout, stderr });
    });
  });
}

describe.skipIf(skipped !== undefined)(`offline bundle${skipped ? ` (skipped: ${skipped})` : ''}`, () => {
  let folder: Awaited<ReturnType<typeof testFolder>>;
  let archive: string;
  let unpacked: string;
  /** Runs a program of the bundle through a link, where `node` fails. */
  let bundled: (program: 'synglot' | 'synglot-bench', ...args: string[]) => Promise<Output>;

  beforeAll(async () => {
    folder = await testFolder('bundle');
    const made = await run(
      process.execPath,
      [join(root, 'scripts/bundle.mjs'), '--output', join(folder.path, 'made')],
      process.env,
      folder.path,
    );
    expect(made, made.stderr).toMatchObject({ code: 0 });
    archive = join(folder.path, 'made', 'synglot-offline-linux-x64.tar.xz');
    const place = join(folder.path, 'any place');
    const links = join(folder.path, 'links');
    for (const path of [place, links]) await mkdir(path);
    await run('tar', ['-xf', archive, '-C', place], process.env, folder.path);
    expect(await readdir(place)).toEqual(['synglot-offline-linux-x64']);
    unpacked = join(place, 'synglot-offline-linux-x64');
    for (const name of ['node', 'npm', 'git']) {
      await writeFile(join(links, name), '#!/bin/sh\nexit 97\n');
      await chmod(join(links, name), 0o755);
    }
    for (const name of await readdir(join(unpacked, 'bin'))) {
      await symlink(join(unpacked, 'bin', name), join(links, name));
    }
    const env = { PATH: `${links}:/usr/bin:/bin`, HOME: folder.path };
    bundled = (program, ...args) => run(join(links, program), args, env, folder.path);
  }, 900_000);
  afterAll(() => folder.remove());

  it('is below 60 MB', async () => {
    expect((await stat(archive)).size).toBeLessThan(60e6);
  });

  it('has one platform and nothing of the repository', async () => {
    const files = await readdir(unpacked, { recursive: true });
    expect(files.filter((path) => path.endsWith('.node')).sort()).toEqual([
      'lib/node_modules/@synglot/native/build/Release/synglot_native.node',
      'lib/node_modules/tokenizers/tokenizers.linux-x64-gnu.node',
    ]);
    expect(files.filter((path) => /\.d\.ts$|\.js\.map$|\.test\.js$/.test(path))).toEqual([]);
    expect(files).toContain('licenses/node.txt');
    const found = await run('grep', ['-rlF', root, unpacked], process.env, folder.path);
    expect(found).toMatchObject({ code: 1, stdout: '' });
    const readme = await readFile(join(unpacked, 'README.txt'), 'utf8');
    expect(readme).toContain(`Node.js ${process.version}`);
    expect(readme).toMatch(/glibc 2\.\d+ and libstdc\+\+ with GLIBCXX_3\.4\.\d+ /);
  });

  it('finds its SwiftShader', async () => {
    const { code, stdout, stderr } = await bundled('synglot', 'devices', '--json');
    expect(code, stderr).toBe(0);
    expect(stderr).not.toContain('webgpu executor');
    expect(JSON.parse(stdout)).toContainEqual(expect.objectContaining({ id: 'swiftshader', usable: true }));
  });

  it('trains the demo', async () => {
    const args = ['--steps', '3', '--batch-size', '16', '--device', 'swiftshader', '--output', 'demo'];
    const { code, stderr } = await bundled('synglot', 'demo', ...args);
    expect(code, stderr).toBe(0);
    const report = JSON.parse(await readFile(join(folder.path, 'demo/report.json'), 'utf8'));
    expect(report.languages).toHaveLength(11);
    expect(report.runs.map(({ mode }: { mode: string }) => mode)).toEqual([
      'monolingual',
      'cross-lingual',
      'hybrid',
    ]);
  });

  it('benchmarks a step', async () => {
    const args = ['--device', 'swiftshader', '--runs', '1', '--warm-ups', '0'];
    const { code, stderr } = await bundled('synglot-bench', 'step', ...args);
    expect(code, stderr).toBe(0);
    expect(await readFile(join(unpacked, 'README.txt'), 'utf8')).toContain('results/ of the current folder');
    const result = await readFile(join(folder.path, 'results/swiftshader/step-native.json'), 'utf8');
    const { loss, commit } = JSON.parse(result);
    expect(loss.last).toBeLessThan(loss.first);
    const built = await readFile(join(unpacked, 'lib/COMMIT'), 'utf8');
    expect(built.trim().replace('+', '')).toBe(commit);
  });

  it('runs its own gpu.sh to the end', async () => {
    const output = join(folder.path, 'gpu');
    const script = join(unpacked, 'lib/node_modules/@synglot/bench/gpu.sh');
    const choices = { DEVICE: 'none', SHAPES: 'minilm', PAIRS: '2', RUNS: '1', PYTHON: 'false' };
    const env = { PATH: `${join(folder.path, 'links')}:/usr/bin:/bin`, HOME: folder.path, ...choices };
    const { code, stdout } = await run(script, [output], env, folder.path);
    expect(code).toBe(1);
    expect(stdout).toContain('FAILED (2): bench encode --device none');
    expect(await readFile(join(output, 'finished.txt'), 'utf8')).toContain('bench step-batch --shape minilm');
  });

  it('answers mistakes in one line', async () => {
    const unknown = await bundled('synglot', 'devices', '--device', 'cuda');
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toMatch(/^synglot: .*cuda.*\n$/);
    const peers = await bundled('synglot', 'bench', 'peers', '--device', 'swiftshader');
    expect(peers.code).toBe(1);
    expect(peers.stderr).toMatch(/^the other libraries are not in the offline bundle; .*\n$/);
    const bench = await bundled('synglot-bench', 'nothing');
    expect(bench).toMatchObject({
      code: 2,
      stderr: "synglot-bench: expected a benchmark such as step but received 'nothing'\n",
    });
  });

  const reference = skipped ? undefined : sharedPath('reference/minilm_reference.json');
  it.skipIf(!reference)('encodes with all-MiniLM-L6-v2 as the reference does', async () => {
    const { sentences, embeddings } = JSON.parse(readFileSync(reference as string, 'utf8')) as {
      sentences: string[];
      embeddings: number[][];
    };
    await writeFile(join(folder.path, 'sentences.txt'), `${sentences.join('\n')}\n`);
    const files = ['--input', 'sentences.txt', '--output', 'out.npy'];
    const { code, stderr } = await bundled(
      'synglot',
      ...['encode', '--model', miniLm, '--device', 'swiftshader', ...files],
    );
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('(swiftshader, native executor)');
    const { rows, columns, data } = await readNpy(join(folder.path, 'out.npy'));
    expect([rows, columns]).toEqual([sentences.length, 384]);
    const cosines = embeddings.map((expected, row) =>
      cosine(data.subarray(row * columns, (row + 1) * columns), expected),
    );
    expect(Math.min(...cosines)).toBeGreaterThanOrEqual(0.999999);
  });
});
