import { mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MetricsFile } from './metrics-file.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'synglot-metrics-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('keeps whole lines up to an update, and appends', async () => {
  const path = join(folder, 'metrics.jsonl');
  const line = (step: number) => `{"step":${step},"name":"ä"}\n`;
  for (const [before, kept] of [
    [undefined, ''],
    ['', ''],
    [line(1) + line(2), line(1) + line(2)],
    [line(1) + line(2) + line(2) + line(3) + line(1), line(1) + line(2) + line(2)],
    [line(1) + line(2).trimEnd(), line(1)],
    [`${line(1)}damaged\n${line(2)}`, line(1)],
  ]) {
    if (before !== undefined) await writeFile(path, before);
    const metrics = await MetricsFile.open(path, 2);
    await metrics.append({ step: 3 });
    await metrics.close();
    expect(await readFile(path, 'utf8')).toBe(`${kept}{"step":3}\n`);
    await rm(path);
  }
});

test('of more bytes than a string can hold', async () => {
  const path = join(folder, 'long.jsonl');
  const file = await open(path, 'w');
  const lines = 1040;
  const line = (step: number) => `{"step":${step},"text":"${'x'.repeat(2 ** 19 - 40)}"}\n`;
  let length = 0;
  for (let step = 1; step <= lines; step++) {
    const { bytesWritten } = await file.write(line(step));
    if (step < lines) length += bytesWritten;
  }
  await file.close();
  expect((await stat(path)).size).toBeGreaterThan(2 ** 29);
  await (await MetricsFile.open(path, lines - 1)).close();
  expect((await stat(path)).size).toBe(length);
});
