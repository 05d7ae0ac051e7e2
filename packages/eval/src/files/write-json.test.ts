import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeJson } from './write-json.js';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'write-json-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

test('replaces the file and leaves nothing beside it', async () => {
  const file = join(folder, 'report.json');
  await writeJson(file, { a: 1 });
  await writeJson(file, { a: [2] });
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ a: [2] });
  expect(await readdir(folder)).toEqual(['report.json']);
});

test('what cannot be written is said in one line, and the old file stays', async () => {
  const file = join(folder, 'none', 'report.json');
  await expect(writeJson(file, {})).rejects.toMatchObject({ code: 'INPUT_OUTPUT' });
  await expect(writeJson(file, {})).rejects.toThrow(/none.report\.json: cannot be written \(ENOENT\); check/);
  const kept = join(folder, 'report.json');
  await writeJson(kept, { a: 1 });
  await expect(writeJson(kept, { a: 1n })).rejects.toThrow(/cannot be written/);
  expect(JSON.parse(await readFile(kept, 'utf8'))).toEqual({ a: 1 });
  expect(await readdir(folder)).toEqual(['report.json']);
});
