/** Which folders a run may use. */
import { appendFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseConfig } from './config.js';
import { checkFolder, makeFolder } from './run-folder.js';

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'synglot-run-folder-'));
});
afterAll(() => rm(root, { recursive: true }));

const config = (steps: number) =>
  parseConfig(
    `model: m\ndata: [{ format: pairs-jsonl, path: p.jsonl }]\ntraining: { steps: ${steps} }\n`,
    'run.yaml',
  );

test('a run that failed before its first update is started anew, with any configuration', async () => {
  const output = join(root, 'failed');
  await makeFolder({ config: config(1), output });
  await appendFile(join(output, 'metrics.jsonl'), '');
  // Made for the old configuration: a new one makes its own.
  const made = ['initial-model', 'mined'].map((name) => join(output, name));
  for (const folder of made) await mkdir(folder);
  await checkFolder({ config: config(2), output });
  for (const folder of made) await expect(stat(folder)).rejects.toThrow('ENOENT');
  await checkFolder({ config: config(2), output, resume: true });
});

test.each([
  ['an update', (output: string) => appendFile(join(output, 'metrics.jsonl'), '{"step":1}\n')],
  ['a checkpoint', (output: string) => mkdir(join(output, 'checkpoints', 'step-000001'))],
])('a run with %s is kept', async (what, begin) => {
  const output = join(root, what);
  await makeFolder({ config: config(1), output });
  await begin(output);
  await expect(checkFolder({ config: config(1), output })).rejects.toThrow(/already holds a run/);
  await checkFolder({ config: config(1), output, resume: true });
  const changed = () => checkFolder({ config: config(2), output, resume: true });
  await expect(changed()).rejects.toThrow(/\(training\.steps: 1 then, 2 now\).* in another --output$/);
  await mkdir(join(output, 'model'));
  await expect(changed()).rejects.toThrow(/to train on from its result, start a run with `model: .*model`$/);
});

test('a run that lost its configuration is not overwritten', async () => {
  const output = join(root, 'lost');
  await makeFolder({ config: config(1), output });
  await mkdir(join(output, 'checkpoints', 'step-000001'));
  await rm(join(output, 'config.json'));
  await expect(checkFolder({ config: config(1), output })).rejects.toThrow(/already holds a run/);
  await checkFolder({ config: config(1), output, resume: true });
});

test.each([
  ['config.json', '{ "model_type": "bert" }\n'],
  ['config.json', 'no JSON'],
  ['config.json', 'null'],
  ['model/config.json', '{}'],
  ['adapter/adapter_config.json', '{}'],
])("a folder with another's %s (%s) is left as it is", async (name, text) => {
  const output = await mkdtemp(join(root, 'foreign-'));
  await mkdir(dirname(join(output, name)), { recursive: true });
  await writeFile(join(output, name), text);
  await mkdir(join(output, 'mined'));
  const begun = join(output, name.split('/')[0]!);
  for (const resume of [false, true]) {
    await expect(checkFolder({ config: config(1), output, resume })).rejects.toMatchObject({
      code: 'INPUT_OUTPUT',
      message: `${begun}: no run's, and would be written over; choose another --output`,
    });
  }
  expect(await readFile(join(output, name), 'utf8')).toBe(text);
  await stat(join(output, 'mined'));
});

test('a folder with other files in it may be used', async () => {
  const output = join(root, 'other');
  await mkdir(output);
  await appendFile(join(output, 'notes.txt'), 'mine');
  await checkFolder({ config: config(1), output });
});
