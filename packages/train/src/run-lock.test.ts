/** Who may train into a folder. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseConfig } from './config.js';
import { makeFolder } from './run-folder.js';
import { RunLock } from './run-lock.js';

let output = '';
beforeEach(async () => {
  output = await mkdtemp(join(tmpdir(), 'synglot-run-lock-'));
});
afterEach(() => rm(output, { recursive: true }));

const gone = { pid: spawnSync(process.execPath, ['-e', '0']).pid, host: hostname() };
const leave = (holder: object) => writeFile(join(output, 'running.json'), JSON.stringify(holder));

test('a folder is one run’s until it is released', async () => {
  const [first, second] = [new RunLock(output), new RunLock(output)];
  expect([await first.take(), await first.take()]).toEqual([true, false]);
  await first.check();
  for (const refused of [second.check(), second.take()]) {
    await expect(refused).rejects.toMatchObject({
      code: 'INPUT_OUTPUT',
      message: expect.stringContaining(`${output}: process ${process.pid} is training into it`),
    });
  }
  // Whoever was refused takes nothing away.
  await second.release();
  await expect(second.take()).rejects.toThrow('is training into it');
  await first.release();
  expect(await second.take()).toBe(true);
  await second.release();
  expect(await readdir(output)).toEqual([]);
});

test.each([
  ['an empty folder', undefined],
  ['one that a killed run left', gone],
])('of many that begin at once in %s, one gets it', async (_, left) => {
  if (left) await leave(left);
  const locks = Array.from({ length: 8 }, () => new RunLock(output));
  const taken = await Promise.allSettled(locks.map((lock) => lock.take()));
  expect(taken.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(await readdir(output)).toEqual(['running.json']);
});

test.each([
  ['a process that is gone', gone],
  ['a process of another machine', { pid: process.pid, host: `not-${hostname()}` }],
  ['nobody', {}],
])('what %s left is taken over', async (_, holder) => {
  await leave(holder);
  const lock = new RunLock(output);
  await lock.check();
  expect(await lock.take()).toBe(true);
  expect(JSON.parse(await readFile(join(output, 'running.json'), 'utf8'))).toMatchObject({
    pid: process.pid,
    host: hostname(),
  });
});

test('a run that was killed while it took over keeps nobody out', async () => {
  await leave(gone);
  await writeFile(join(output, 'running.json.partial-guard'), JSON.stringify(gone));
  expect(await new RunLock(output).take()).toBe(true);
  expect(await readdir(output)).toEqual(['running.json']);
});

test.runIf(process.platform === 'linux')('a process id that is used again is another process', async () => {
  await leave({ pid: process.pid, host: hostname(), began: '1' });
  expect(await new RunLock(output).take()).toBe(true);
});

test('a run that came and went since the folder was looked at is not written over', async () => {
  const config = parseConfig(
    'model: m\ndata: [{ format: pairs-jsonl, path: p.jsonl }]\ntraining: { steps: 1 }\n',
    'run.yaml',
  );
  await writeFile(join(output, 'metrics.jsonl'), '{"step":1}\n');
  const lock = new RunLock(output);
  await expect(makeFolder({ config, output, lock })).rejects.toThrow(/already holds a run/);
});
