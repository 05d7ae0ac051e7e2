/** What the readers' tests share: files written into a folder of their own, and what comes of reading them. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll } from 'vitest';
import type { Pair } from '../rows.js';
import { openTrainingData, type TrainingSource } from './registry.js';

/** A folder for the tests of a file, which is there while they run. */
export function testFiles() {
  let folder = '';
  let count = 0;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'synglot-data-'));
  });
  afterAll(() => rm(folder, { recursive: true }));
  const write = async (path: string, content: string | Uint8Array) => {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, path.endsWith('.gz') ? gzipSync(content) : content);
  };
  return {
    inFolder: (name: string) => join(folder, name),
    /** Writes a file (gzipped where the name says so) into a folder of its own and returns its path. */
    async file(name: string, content: string | Uint8Array): Promise<string> {
      const path = join(folder, String(count++), name);
      await write(path, content);
      return path;
    },
    /** Writes files into one new folder and returns it. */
    async files(contents: Readonly<Record<string, string>>): Promise<string> {
      const path = join(folder, String(count++));
      for (const [name, content] of Object.entries(contents)) await write(join(path, name), content);
      return path;
    },
    /** Why a source cannot be read: the error's code and message, without the folder. */
    refusal: (source: TrainingSource): Promise<string> =>
      read(source).then(
        () => 'not refused',
        (error: Error & { code?: string }) => `${error.code}: ${error.message.replaceAll(folder, '')}`,
      ),
  };
}

/** Values as lines of JSON. */
export const lines = (...values: unknown[]) => values.map((value) => `${JSON.stringify(value)}\n`).join('');

/** All pairs of a source. */
export async function read(source: TrainingSource): Promise<Pair[]> {
  const pairs: Pair[] = [];
  for await (const pair of openTrainingData(source)) pairs.push(pair);
  return pairs;
}

/** Of each pair: question, passage, negatives. */
export const texts = (pairs: readonly Pair[]) =>
  pairs.map(({ query, passage, negatives }) => [
    query.text,
    passage.text,
    ...negatives.map((row) => row.text),
  ]);
