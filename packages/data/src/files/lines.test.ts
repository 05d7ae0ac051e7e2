import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readLines } from './lines.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'synglot-lines-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Lines of all lengths around those in which files are read, with characters of two, three and four bytes. */
const lines = Array.from({ length: 400 }, (_, index) => {
  const length = index % 50 === 7 ? 400_000 : (index * index * 37) % 5000;
  return `${index} ${'aß語🙂'.repeat(Math.ceil(length / 10))}`;
});

test.each(['plain.txt', 'packed.txt.gz'])(
  '%s: lines that lie across the parts of a file are whole',
  async (name) => {
    const text = lines.map((line, index) => line + (index % 2 === 0 ? '\n' : '\r\n')).join('');
    const bytes = Buffer.from(text);
    const file = join(folder, name);
    await writeFile(file, name.endsWith('.gz') ? gzipSync(bytes) : bytes);
    const read: string[] = [];
    for await (const { text: line, number } of readLines(file)) {
      read.push(line);
      expect(number).toBe(read.length);
    }
    expect(read.length).toBe(lines.length);
    for (const [index, line] of read.entries()) expect(line === lines[index], `line ${index + 1}`).toBe(true);
  },
);

test.each(['short.txt', 'short.txt.gz'])(
  '%s: the event loop has its turns while a large file is read',
  async (name) => {
    const mebibytes = 8;
    const bytes = Buffer.from('0123456789abcde\n'.repeat((mebibytes << 20) / 16));
    const file = join(folder, name);
    await writeFile(file, name.endsWith('.gz') ? gzipSync(bytes) : bytes);
    let turns = 0;
    let most = 0;
    let sinceTurn = 0;
    let timer = setImmediate(function turn() {
      turns++;
      sinceTurn = 0;
      timer = setImmediate(turn);
    });
    for await (const _line of readLines(file)) {
      sinceTurn++;
      most = Math.max(most, sinceTurn);
    }
    clearImmediate(timer);
    expect(turns).toBeGreaterThan(mebibytes);
    // A few parts may be there at once, but never a MiB of the file.
    expect(most * 16).toBeLessThan(1 << 20);
  },
);
