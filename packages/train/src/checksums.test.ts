import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findDamaged, writeChecksums } from './checksums.js';

let folder: string;
const files = ['model/1_Pooling/config.json', 'model/model.safetensors', 'trainer.json', 'checksums.json'];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'synglot-checksums-'));
  await mkdir(join(folder, 'model/1_Pooling'), { recursive: true });
  await writeFile(join(folder, files[0]!), '{}\n');
  await writeFile(
    join(folder, files[1]!),
    Uint8Array.from({ length: 90 }, (_, index) => 7 * index),
  );
  await writeFile(join(folder, files[2]!), '{ "step": 12 }\n');
  await writeChecksums(folder);
});
afterAll(() => rm(folder, { recursive: true }));

test('a folder is as it was', async () => {
  expect((await readdir(folder)).sort()).toEqual(['checksums.json', 'model', 'trainer.json']);
  expect(await findDamaged(folder)).toBeUndefined();
  expect(await findDamaged(join(folder, 'model'))).toBeUndefined();
});

test.each(files)('any bit of %s, its end or the whole of it', async (name) => {
  const path = join(folder, name);
  const bytes = await readFile(path);
  // With a bit of the checksums changed, what is wrong may be another file, or a number written another way.
  const expected = name === 'checksums.json' ? expect.stringContaining(folder) : path;
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const damaged = Buffer.from(bytes);
    damaged[bit >> 3] = bytes[bit >> 3]! ^ (1 << (bit & 7));
    await writeFile(path, damaged);
    expect(await findDamaged(folder), `bit ${bit}`).toEqual(expected);
  }
  await writeFile(path, bytes);
  await truncate(path, bytes.length - 2);
  expect(await findDamaged(folder)).toEqual(expected);
  if (name !== 'checksums.json') {
    await rm(path);
    expect(await findDamaged(folder)).toBe(path);
  }
  await writeFile(path, bytes);
  expect(await findDamaged(folder)).toBeUndefined();
});
