/**
 * A disk that is full in the middle of a checkpoint, or cannot be written at all: one line, nothing half-written under a
 * good name.
 */
import { execFile } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { saveTinyModel } from '../e2e/support.js';
import { runCli, runCliWell } from '../support/cli.js';
import { expectMistake, makeWorkplace, type Workplace, writeConfig } from './cli-support.js';

const steps = 4;
/** Bytes of one tensor of the table below; a checkpoint has three, and the model a little more. */
const tableBytes = 20_000 * 16 * 4;

let place: Workplace;
let config: string;
beforeAll(async () => {
  place = await makeWorkplace('disk-full');
  await saveTinyModel(place.model, undefined, { vocabularySize: 20_000 });
  config = await writeConfig(place, 'run', {
    training: `{ steps: ${steps} }`,
    checkpoint: '{ every: 1, keep: 1 }',
  });
});
afterAll(() => place.remove());

/** Namespaces in which a test may mount a small disk of its own: a user's, or root's where those are forbidden. */
const namespaces = [
  ['unshare', '-Urm'],
  ['unshare', '-m'],
] as const;

async function findNamespace(): Promise<readonly string[] | undefined> {
  for (const [program, flags] of namespaces) {
    const mount = [flags, 'sh', '-c', 'mount -t tmpfs -o size=1m tmpfs /tmp'];
    const works = await promisify(execFile)(program, mount).then(
      () => true,
      () => false,
    );
    if (works) return [program, flags];
  }
  return undefined;
}

const namespace = process.platform === 'linux' ? await findNamespace() : undefined;
if (!namespace) console.warn('a full disk: skipped, no namespace in which a tmpfs can be mounted');

/**
 * Runs the command with a disk, mounted with `options`, at `disk`. The disk is gone with its namespace: what is on
 * it at the end is copied to `copy` first.
 */
async function smallDisk(name: string, options: string) {
  const [disk, copy] = [join(place.path, `${name}-disk`), join(place.path, `${name}-copy`)];
  await mkdir(disk);
  await mkdir(copy);
  const script = `mount -t tmpfs -o ${options} tmpfs ${disk} && { "$@"; code=$?; cp -r ${disk}/. ${copy}; exit $code; }`;
  return { disk, copy, wrapper: [...(namespace ?? []), 'bash', '-c', script, 'bash'] };
}

/** Resumes without the limit and expects a whole run. */
async function expectResumes(output: string): Promise<void> {
  const { errorLines } = await runCliWell(['train', config, '--output', output, '--resume']);
  expect(errorLines.filter((line) => line.startsWith('synglot:'))).toEqual([]);
  expect((await readdir(join(output, 'checkpoints'))).sort()).toEqual(['step-000004']);
  expect(await readdir(join(output, 'model'))).toContain('model.safetensors');
}

describe.skipIf(!namespace)('a disk that is full', () => {
  it('stops training at the first checkpoint that does not fit; the one before is whole', async () => {
    const { disk, copy, wrapper } = await smallDisk('train', `size=${Math.round(tableBytes * 4.5)}`);
    const output = join(disk, 'run');
    await expectMistake(
      ['train', config, '--output', output],
      [
        join(output, 'checkpoints', 'step-000002', 'optimizer.safetensors'),
        'not written, the disk is full: free some space',
        '(ENOSPC); --resume then continues the run',
      ],
      { late: true, wrapper },
    );
    expect(await readdir(join(copy, 'run', 'checkpoints'))).toEqual(['step-000001']);
    await expectResumes(join(copy, 'run'));
  });

  it('leaves no half of the embeddings', async () => {
    const { disk, copy, wrapper } = await smallDisk('encode', 'size=8192');
    const [input, output] = [join(place.path, 'texts.txt'), join(disk, 'texts.npy')];
    await writeFile(input, 'red apple\n'.repeat(200));
    await expectMistake(
      ['encode', '--model', place.model, '--input', input, '--output', output],
      [output, 'the disk is full'],
      { late: true, wrapper },
    );
    expect(await readdir(copy)).toEqual([]);
  });

  it('ends tuning with one line, and the table as it was', async () => {
    const { disk, copy, wrapper } = await smallDisk('tune', 'size=4096');
    const output = join(disk, 'table.json');
    const { code, errorLines } = await runCli(
      ['tune', '--model', place.model, '--tokens', '16', '--pairs', '4', '--output', output],
      { wrapper },
    );
    expect(code).toBe(2);
    expect(errorLines.at(-1)).toBe(`synglot: ${output}: cannot be written (ENOSPC)`);
    expect(await readdir(copy)).toEqual(['table.json']);
  });

  it('leaves no half of a teacher', async () => {
    const { disk, copy, wrapper } = await smallDisk('teacher', 'size=4096');
    const output = join(disk, 'teacher');
    await expectMistake(
      ['distill-teacher', config, '--teacher', place.model, '--output', output],
      [output, 'the disk is full'],
      { late: true, wrapper },
    );
    expect(await readdir(join(copy, 'teacher'))).not.toContain('embeddings.npy');
  });
});

describe.skipIf(!namespace)('a read-only disk is reported before any work is done', () => {
  it.each([
    [
      'encode',
      (out: string) => ['--model', place.model, '--input', place.pairs, '--output', join(out, 'e.npy')],
    ],
    [
      'mine',
      (out: string) => ['--model', place.model, '--data', place.pairs, '--output', join(out, 'm.jsonl')],
    ],
    ['train', (out: string) => [config, '--output', join(out, 'run')]],
    ['merge', (out: string) => ['--model', 'no model', '--output', join(out, 'deep', 'merged')]],
    ['demo', (out: string) => ['--output', out]],
    [
      'vocabulary',
      (out: string) => [
        'trim',
        '--model',
        'no model',
        '--keep-text',
        place.pairs,
        '--output',
        join(out, 'v'),
      ],
    ],
  ])('%s', async (command, args) => {
    const { disk, copy, wrapper } = await smallDisk(`${command}-ro`, 'ro');
    const asked = args(disk);
    const expected = [`${asked.at(-1)}: not written, the file system is read-only: choose another folder`];
    // Not even the device is opened.
    await expectMistake([command, ...asked], expected, { wrapper });
    expect(await readdir(copy)).toEqual([]);
  });
});
