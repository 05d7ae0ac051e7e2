import { appendFile, mkdir, mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EmbeddingStore } from './embedding-store.js';
import { encodeCorpus } from './encode-corpus.js';
import { openMatrix, readMatrix, withIds } from './matrix-files.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'synglot-store-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const dimension = 3;
const create = { key: { model: 'm' }, dimension };
const corpus = Array.from({ length: 25 }, (_, i) => ({ id: `d${i}`, text: 'x'.repeat((i * 7) % 11) + i }));
/** An embedding that tells which text it was made of. */
const vectorOf = (text: string) => [text.length, text.codePointAt(0)!, text.codePointAt(text.length - 1)!];

async function* stream(documents = corpus) {
  yield* documents;
}

function encoder(log: string[], failAfter = Number.POSITIVE_INFINITY) {
  return (texts: readonly string[]): Promise<Float32Array> => {
    if (log.length + texts.length > failAfter) return Promise.reject(new Error('the device is gone'));
    log.push(...texts);
    return Promise.resolve(Float32Array.from(texts.flatMap(vectorOf)));
  };
}

const small = { blockPassages: 10, chunkCharacters: 20, commitMs: 0 };

test('a corpus is encoded longest first in blocks, each row under its id, and then not again', async () => {
  const log: string[] = [];
  const store = await EmbeddingStore.open(folder, { create });
  expect(await encodeCorpus({ store, corpus: stream(), encode: encoder(log), ...small })).toEqual({
    passages: 25,
    encoded: 25,
  });
  expect(log.slice(0, 10)).toEqual(
    corpus
      .slice(0, 10)
      .map(({ text }) => text)
      .sort((a, b) => b.length - a.length),
  );
  expect(store.complete).toBe(true);
  expect(await encodeCorpus({ store, corpus: stream(), encode: encoder(log), ...small })).toEqual({
    passages: 25,
    encoded: 0,
  });
  await store.close();
  const again = await EmbeddingStore.open(folder, { verify: true });
  const rows = new Float32Array(25 * dimension);
  await again.read(0, 25, rows);
  for (const [place, { id, text }] of corpus.entries()) {
    const row = again.rowOf(place)!;
    expect(again.id(row)).toBe(id);
    expect([...rows.subarray(row * dimension, (row + 1) * dimension)]).toEqual(vectorOf(text));
  }
  await again.close();
});

test('after a failure anywhere nothing that was written is encoded again', async () => {
  for (const failAfter of [0, 3, 11, 24]) {
    const path = join(folder, String(failAfter));
    const log: string[] = [];
    const first = await EmbeddingStore.open(path, { create });
    const failing = encodeCorpus({
      store: first,
      corpus: stream(),
      encode: encoder(log, failAfter),
      ...small,
    });
    await expect(failing).rejects.toThrow('the device is gone');
    await first.close();
    const second = await EmbeddingStore.open(path, { create, verify: true });
    expect(second.rows).toBe(log.length);
    await encodeCorpus({ store: second, corpus: stream(), encode: encoder(log), ...small });
    expect(log.toSorted()).toEqual(corpus.map(({ text }) => text).sort());
    await second.close();
  }
});

test('a corpus that has grown is unfinished until all of it is there', async () => {
  const log: string[] = [];
  const first = await EmbeddingStore.open(folder, { create });
  await encodeCorpus({ store: first, corpus: stream(corpus.slice(0, 5)), encode: encoder(log), ...small });
  expect(first.complete).toBe(true);
  const failing = encodeCorpus({ store: first, corpus: stream(), encode: encoder(log, 8), ...small });
  await expect(failing).rejects.toThrow('the device is gone');
  expect(first.rows).toBeGreaterThan(5);
  await first.close();
  const second = await EmbeddingStore.open(folder, { create });
  expect(second.complete).toBe(false);
  await encodeCorpus({ store: second, corpus: stream(), encode: encoder(log), ...small });
  expect(log).toHaveLength(25);
  await second.close();
  const third = await EmbeddingStore.open(folder);
  expect(third.complete).toBe(true);
  await third.close();
});

test('what a killed process left half-written is cut off', async () => {
  const first = await EmbeddingStore.open(folder, { create });
  await first.append([{ id: 'a', place: 0, textChecksum: 1 }], Float32Array.of(1, 2, 3));
  await first.close();
  await appendFile(join(folder, 'vectors.f32'), new Uint8Array(17));
  await appendFile(join(folder, 'index.jsonl'), '{"rows":1,"crc":5,"ids":["b"');
  // The lock of a process that is gone.
  await writeFile(join(folder, 'lock'), '999999999\n');
  const second = await EmbeddingStore.open(folder, { create, verify: true });
  expect(second.rows).toBe(1);
  await second.append([{ id: 'c', place: 1, textChecksum: 2 }], Float32Array.of(4, 5, 6));
  await second.close();
  expect((await stat(join(folder, 'vectors.f32'))).size).toBe(24);
  const told: number[][] = [];
  const third = await EmbeddingStore.open(folder, { verify: true, onVerify: (...rows) => told.push(rows) });
  expect([third.id(0), third.id(1)]).toEqual(['a', 'c']);
  expect(told).toEqual([
    [1, 2],
    [2, 2],
  ]);
  await third.close();
});

test('a flipped bit, rows that are missing, another model and a second writer are refused', async () => {
  const store = await EmbeddingStore.open(folder, { create });
  await store.append([{ id: 'a', place: 0, textChecksum: 1 }], Float32Array.of(1, 2, 3));
  await writeFile(join(folder, 'lock'), `${process.ppid}\n`);
  await expect(EmbeddingStore.open(folder, { create })).rejects.toThrow(/is writing it/);
  await store.close();
  await expect(EmbeddingStore.open(folder, { create: { ...create, dimension: 4 } })).rejects.toThrow(
    /made with dimension 3, not 4/,
  );
  await expect(EmbeddingStore.open(folder, { create: { ...create, key: { model: 'n' } } })).rejects.toThrow(
    /made with model "m", not "n"/,
  );
  const handle = await open(join(folder, 'vectors.f32'), 'r+');
  await handle.write(Uint8Array.of(1), 0, 1, 5);
  await handle.close();
  await expect(EmbeddingStore.open(folder, { verify: true })).rejects.toThrow(/checksum/);
  await writeFile(join(folder, 'vectors.f32'), new Uint8Array(8));
  await expect(EmbeddingStore.open(folder)).rejects.toThrow(/8 bytes where the index asks for 12/);
  await expect(EmbeddingStore.open(join(folder, 'none'))).rejects.toThrow(/there is no store/);
  // What is there and cannot be read is not missing.
  const other = join(folder, 'other');
  await mkdir(join(other, 'store.json'), { recursive: true });
  await expect(EmbeddingStore.open(other)).rejects.toThrow(/store\.json: cannot be read \(EISDIR\)/);
});

test('a corpus that has changed, and an id that occurs twice, are refused', async () => {
  const store = await EmbeddingStore.open(folder, { create });
  const encode = encoder([]);
  await encodeCorpus({ store, corpus: stream(), encode, ...small });
  const changed = corpus.map((entry, i) => (i === 7 ? { ...entry, text: 'other' } : entry));
  await expect(encodeCorpus({ store, corpus: stream(changed), encode, ...small })).rejects.toThrow(
    /passage 7 of the corpus \("d7"\)/,
  );
  await expect(
    encodeCorpus({ store, corpus: stream(corpus.slice(0, 20)), encode, ...small }),
  ).rejects.toThrow(/has 25 passages but the corpus 20/);
  await store.close();
  const other = await EmbeddingStore.open(join(folder, 'twice'), { create });
  const twice = encodeCorpus({ store: other, corpus: stream([corpus[0]!, corpus[0]!]), encode, ...small });
  await expect(twice).rejects.toThrow(/passage \d+ of the corpus has the id "d0" of an earlier one/);
  const nan = () => Promise.resolve(Float32Array.of(1, Number.NaN, 1));
  await expect(
    encodeCorpus({ store: other, corpus: stream([corpus[0]!]), encode: nan, ...small }),
  ).rejects.toThrow(/"d0": value 1 is NaN/);
  await other.close();
});

test('npy, safetensors and Parquet matrices are read by rows; other contents are refused in one line', async () => {
  const values = Float32Array.from({ length: 12 }, (_, i) => i / 4);
  const bytes = Buffer.from(values.buffer);
  const dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (4, 3), }";
  const header = `${dictionary.padEnd(117)}\n`;
  const npy = Buffer.concat([
    Buffer.from('\x93NUMPY\x01\x00', 'latin1'),
    Buffer.from([118, 0]),
    Buffer.from(header),
    bytes,
  ]);
  const json = JSON.stringify({ e: { dtype: 'F32', shape: [4, 3], data_offsets: [0, 48] } });
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  await writeFile(join(folder, 'a.npy'), npy);
  await writeFile(join(folder, 'a.safetensors'), Buffer.concat([length, Buffer.from(json), bytes]));
  const vectors = [0, 1, 2, 3].map((row) => Array.from(values.subarray(3 * row, 3 * row + 3)));
  const ids = ['a', 'b', 'c', 'd'];
  const parquet = parquetWriteBuffer({
    columnData: [
      { name: 'id', data: ids },
      { name: 'embedding', data: vectors },
    ],
    schema: [
      { name: 'root', num_children: 2 },
      { name: 'id', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
      { name: 'embedding', num_children: 1, converted_type: 'LIST', repetition_type: 'REQUIRED' },
      { name: 'list', num_children: 1, repetition_type: 'REPEATED' },
      { name: 'element', type: 'FLOAT', repetition_type: 'REQUIRED' },
    ],
  });
  await writeFile(join(folder, 'a.parquet'), new Uint8Array(parquet));
  for (const name of ['a.npy', 'a.safetensors', 'a.parquet']) {
    const path = join(folder, name);
    expect([...(await readMatrix(path)).data]).toEqual([...values]);
    const file = await openMatrix(path);
    const source = withIds(file, ids, path);
    const rows = new Float32Array(6);
    await source.read(1, 3, rows);
    expect([...rows]).toEqual([...values.subarray(3, 9)]);
    expect(() => withIds(file, ['a'], path)).toThrow(/4 rows for 1 passages/);
    expect(() => withIds(file, ['a', 'b', 'c', 'b'], path)).toThrow(
      /: passage 4 has the id "b" of an earlier/,
    );
    await file.close();
  }
  await writeFile(join(folder, 'cut.npy'), npy.subarray(0, npy.length - 4));
  await expect(openMatrix(join(folder, 'cut.npy'))).rejects.toThrow(/header asks for/);
  await writeFile(join(folder, 'text.npy'), 'this is no matrix');
  await expect(openMatrix(join(folder, 'text.npy'))).rejects.toThrow(/no \.npy/);
  expect((await readFile(join(folder, 'text.npy'), 'utf8')).length).toBe(17);
  const message = `${folder}: cannot be read (EISDIR); check the path and its rights`;
  await expect(openMatrix(folder)).rejects.toMatchObject({ code: 'INPUT_EMBEDDINGS', message });
});
