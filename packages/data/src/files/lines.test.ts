import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readJson, readJsonLines } from './json.js';
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

const refusal = async (name: string, bytes: string | Buffer, longest?: number) => {
  const file = join(folder, name);
  await writeFile(file, bytes);
  const lines: string[] = [];
  try {
    for await (const { text } of readLines(file, longest)) lines.push(text);
  } catch (error) {
    return (error as Error).message.replace(file, '');
  }
  return lines;
};

const packed = gzipSync('one\ntwo\n');

test.each([
  ['gzip.txt', packed, ':1: this is a gzip file; give it a name that ends in .gz'],
  ['zstd.txt', Buffer.from('28b52ffd2008410000', 'hex').fill(0xff, 5), /^:1: this is a zstd file; unpack it/],
  ['bzip2.txt', Buffer.from('BZh91AY&SY\xff\xff', 'latin1'), /^:1: this is a bzip2 file/],
  ['xz.txt', Buffer.from('fd377a585a0000', 'hex'), /^:1: this is an xz file/],
  ['zip.txt', Buffer.from('PK\x03\x04\xff', 'latin1'), /^:1: this is a zip file; unpack it/],
  ['parquet.txt', Buffer.from('PAR1\x15\xff', 'latin1'), /^:1: this is a Parquet file/],
  ['utf16.txt', Buffer.from('\ufeffone\n', 'utf16le'), /^:1: this is UTF-16; convert it/],
  ['latin1.txt', Buffer.from('one\ncaf\xe9\n', 'latin1'), ':2: not UTF-8; convert the file to UTF-8'],
  ['mac.csv', 'query,passage\rwas,das\r', ":1: its lines end in CR alone; convert them (tr '\\r' '\\n')"],
  ['name.txt.zst', '', ': files packed as .zst are not read; unpack it, or pack it with gzip (.gz)'],
  ['plain.txt.gz', 'one\n', /^: its name ends in \.gz but it is no gzip file/],
  ['cut.txt.gz', packed.subarray(0, -9), /^: damaged or cut gzip file \(unexpected end of file\)/],
  [
    'garbage.txt.gz',
    Buffer.concat([packed, Buffer.from('garbage')]),
    /^: damaged or cut gzip file \(incorrect/,
  ],
])('%s is told apart, with what to do', async (name, bytes, message) => {
  expect(await refusal(name, bytes)).toEqual(
    typeof message === 'string' ? message : expect.stringMatching(message),
  );
});

test('a carriage return within a line, or after the only one, is no fault', async () => {
  expect(await refusal('within.txt', 'a\rb\nc')).toEqual(['a\rb', 'c']);
  expect(await refusal('only.txt', 'a\r')).toEqual(['a']);
});

test('a file without line ends is refused before it fills the memory', async () => {
  const megabytes = (count: number) => 'x'.repeat(count * 1e6);
  expect(await refusal('one.json', megabytes(3), 2e6)).toMatch(
    /^:1: a line of more than 2 MB; is the file one JSON document\?/,
  );
  expect(await refusal('third.txt', `a\nb\n${megabytes(3)}`, 2e6)).toMatch(/^:3: a line of more/);
  const lines = await refusal('lines.txt', `${megabytes(1)}\n${megabytes(1)}\n${megabytes(1)}`, 2e6);
  expect((lines as string[]).map(({ length }) => length)).toEqual([1e6, 1e6, 1e6]);
});

test('a line that is no JSON: what editors do not show is told, in one line', async () => {
  const said = async (text: string | Buffer) => {
    const file = join(folder, 'x.jsonl');
    await writeFile(file, text);
    const read = async () => {
      for await (const _ of readJsonLines(file));
    };
    const { message } = (await read().catch((error: Error) => error)) as Error;
    expect(message).not.toMatch(/\p{Cc}/u);
    return message.replace(file, '');
  };
  expect(await said(`{}\n${'\0'.repeat(40)}`)).toMatch(/^:2: not JSON .*; it holds NUL bytes: /);
  expect(await said(Buffer.from('{}\n', 'utf16le'))).toMatch(/^:1: not JSON .*UTF-16/);
  expect(await said('{}\r{}\r')).toMatch(/^:1: its lines end in CR alone; convert them/);
  expect(await said('{}\r{}\n')).toMatch(/^:1: not JSON .*; its lines end in CR alone; convert them/);
  expect(await said('{}\r\n{"a": 1\t,\t,}\r\n')).toMatch(/^:2: not JSON \([^;]*\)$/);
  const whole = join(folder, 'whole.json');
  await writeFile(whole, '{\n"a": 1,\n\n}');
  await expect(readJson(whole)).rejects.toThrow(/^\S+whole\.json:4:1: not JSON \([^\n]*\)$/);
  await writeFile(whole, Buffer.from('\ufeff{}', 'utf16le'));
  await expect(readJson(whole)).rejects.toThrow(/whole\.json: this is UTF-16; convert it/);
});
