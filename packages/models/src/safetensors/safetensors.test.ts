/** Every way in which a safetensors file can lie, and what a good one gives. */

import { existsSync } from 'node:fs';
import { mkdir, open, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeFileAtomic, writePieces } from '../files.js';
import { expectModelError, temporaryFolder } from '../test-support.js';
import { formatSafetensors } from './format.js';
import { SafetensorsFile, TensorStore } from './reader.js';
import { writeSafetensors } from './writer.js';

function file(header: unknown, data: Uint8Array | number = 0): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const values = typeof data === 'number' ? new Uint8Array(data) : data;
  const bytes = new Uint8Array(8 + json.length + values.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(values, 8 + json.length);
  return bytes;
}

async function opened(bytes: Uint8Array): Promise<SafetensorsFile> {
  const path = join(await temporaryFolder(), 'model.safetensors');
  await writeFile(path, bytes);
  return SafetensorsFile.open(path);
}

const f32 = (shape: number[], begin: number, end: number) => ({
  dtype: 'F32',
  shape,
  data_offsets: [begin, end],
});

describe('a damaged header', () => {
  it.each<[string, Uint8Array, RegExp]>([
    ['an empty file', new Uint8Array(0), /0 bytes, expected .* at least 8/],
    [
      'a Git LFS pointer',
      new TextEncoder().encode('version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 9\n'),
      /a Git LFS pointer \(\d+ bytes\), not the weights; .*git lfs pull/,
    ],
    ['half a length field', new Uint8Array(5), /5 bytes, expected .* at least 8/],
    [
      'a length beyond the file',
      Uint8Array.from([255, 0, 0, 0, 0, 0, 0, 0, 123, 125]),
      /says 255 bytes, expected at most 2 .*get it again/,
    ],
    [
      'a length of 2⁶³',
      Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 128, 123, 125]),
      /says 9223372036854775808 bytes, expected at most 2/,
    ],
    ['broken JSON', file('{"a": {"dtype": '), /\(header\): not valid JSON/],
    ['a header that is no text', file('\u0000\u0001'), /not valid JSON/],
    ['a list for a header', file('[]'), /header is \[\], expected a JSON object/],
    ['metadata that are no texts', file({ __metadata__: { n: 1 } }), /__metadata__ is/],
    ['a tensor that is no object', file({ a: 3 }), /tensor "a": expected an object, found 3/],
    [
      'an unknown dtype',
      file({ a: { dtype: 'F12', shape: [1], data_offsets: [0, 4] } }, 4),
      /tensor "a": unknown dtype "F12", expected one of .*F32/,
    ],
    [
      'an inherited name as dtype',
      file({ a: { dtype: 'toString', shape: [1], data_offsets: [0, 4] } }, 4),
      /unknown dtype "toString"/,
    ],
    ['a negative dimension', file({ a: f32([-1], 0, 4) }, 4), /tensor "a": shape \[-1\]/],
    ['a broken dimension', file({ a: f32([1.5], 0, 6) }, 6), /shape \[1\.5\]/],
    [
      'missing offsets',
      file({ a: { dtype: 'F32', shape: [1] } }, 4),
      /data_offsets nothing, expected \[begin, end\]/,
    ],
    [
      'offsets that are no numbers',
      file({ a: { dtype: 'F32', shape: [1], data_offsets: ['0', '4'] } }, 4),
      /data_offsets \["0","4"\]/,
    ],
    [
      'offsets that do not match the shape',
      file({ a: f32([2, 3], 0, 20) }, 20),
      /hold 20 bytes, expected 24 for F32 of shape \[2, 3\]/,
    ],
    ['reversed offsets', file({ a: f32([1], 4, 0) }, 4), /hold -4 bytes, expected 4/],
    [
      'overlapping tensors',
      file({ a: f32([2], 0, 8), b: f32([2], 4, 12) }, 12),
      /tensor "b" overlaps .* begins at data byte 4, expected 8/,
    ],
    [
      'a hole between tensors',
      file({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12),
      /tensor "b" leaves a hole .* 8, expected 4/,
    ],
    [
      'a tensor beyond the file',
      file({ a: f32([4], 0, 16) }, 10),
      /tensor "a" ends at byte \d+, but the file has only \d+/,
    ],
    ['bytes behind the last tensor', file({ a: f32([1], 0, 4) }, 6), /\d+ bytes, expected \d+ by its header/],
  ])('%s is refused', async (_, bytes, message) => {
    await expectModelError(() => opened(bytes), 'INPUT_CHECKPOINT', /model\.safetensors/, message);
  });

  it('a length beyond the limit of the format is refused before anything is read', async () => {
    const path = join(await temporaryFolder(), 'large.safetensors');
    const handle = await open(path, 'w');
    const field = new Uint8Array(8);
    new DataView(field.buffer).setBigUint64(0, 150_000_000n, true);
    await handle.write(field);
    // Sparse: takes no room on the disk.
    await handle.truncate(300_000_000);
    await handle.close();
    await expectModelError(() => SafetensorsFile.open(path), 'INPUT_CHECKPOINT', /at most 100000000/);
  });

  it('a missing file is named', async () => {
    await expectModelError(
      () => SafetensorsFile.open('nowhere.safetensors'),
      'INPUT_CHECKPOINT',
      /nowhere.*ENOENT/,
    );
  });
});

describe('values', () => {
  it('widens float16 exactly: every finite value, infinities, NaN', async () => {
    const halves = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const header = { h: { dtype: 'F16', shape: [256, 256], data_offsets: [0, 131072] } };
    const values = await (await opened(file(header, new Uint8Array(halves.buffer)))).read('h');
    for (let half = 0; half < 65536; half++) {
      const sign = half & 0x8000 ? -1 : 1;
      const exponent = (half >> 10) & 31;
      const fraction = half & 1023;
      let expected = sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
      if (exponent === 31) expected = fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
      if (!Object.is(values[half], expected))
        expect({ half, value: values[half] }).toEqual({ half, value: expected });
    }
  });

  it('widens bfloat16, and reads rows of either', async () => {
    // 1, -2, 0.5, 3 as the upper halves of their float32 bits.
    const bytes = new Uint8Array(Uint16Array.of(0x3f80, 0xc000, 0x3f00, 0x4040).buffer);
    const opening = await opened(file({ b: { dtype: 'BF16', shape: [2, 2], data_offsets: [0, 8] } }, bytes));
    expect([...(await opening.read('b'))]).toEqual([1, -2, 0.5, 3]);
    expect([...(await opening.readRows('b', 1, 2))]).toEqual([0.5, 3]);
    expect([...(await opening.readRows('b', 1, 1))]).toEqual([]);
    await expect(opening.readRows('b', 1, 3)).rejects.toThrow(/rows 1 to 3 .* which has 2/);
    await expectModelError(() => opening.read('c'), 'INPUT_CHECKPOINT', /no tensor "c"/);
  });

  it('refuses to read integers as weights, but not to open a file that holds some', async () => {
    const opening = await opened(
      file({ position_ids: { dtype: 'I64', shape: [1], data_offsets: [0, 8] } }, 8),
    );
    await expectModelError(
      () => opening.read('position_ids'),
      'INPUT_CHECKPOINT',
      /is I64, expected F32, F16 or BF16/,
    );
  });

  it('notices a file that is cut after it was opened', async () => {
    const path = join(await temporaryFolder(), 'model.safetensors');
    await writeSafetensors(path, [{ name: 'a', shape: [8], read: () => new Float32Array(8) }]);
    const opening = await SafetensorsFile.open(path);
    await writeFile(path, (await readFile(path)).subarray(0, -4));
    await expectModelError(() => opening.read('a'), 'INPUT_CHECKPOINT', /the file is cut/);
  });

  it('gives back what was written, bit for bit', async () => {
    const path = join(await temporaryFolder(), 'model.safetensors');
    const a = Float32Array.of(1.5, -0, Number.MIN_VALUE, 3.4e38, 1e-45, Math.PI);
    // A view into a larger buffer must not write its neighbours.
    const b = Float32Array.from({ length: 10 }, (_, i) => i).subarray(3, 5);
    await writeSafetensors(path, [
      { name: 'a', shape: [2, 3], read: () => a },
      { name: 'none', shape: [0, 4], read: () => new Float32Array(0) },
      { name: 'b', shape: [2], read: async () => b },
    ]);
    const opening = await SafetensorsFile.open(path);
    expect(opening.metadata).toEqual({ format: 'pt' });
    expect(new Uint8Array((await opening.read('a')).buffer)).toEqual(new Uint8Array(a.buffer));
    expect([...(await opening.read('b'))]).toEqual([3, 4]);
    expect([...(await opening.readRows('a', 1, 2))]).toEqual([...a.subarray(3)]);
    expect((await opening.read('none')).length).toBe(0);
    for (const { offsetBytes } of opening.entries.values()) expect(offsetBytes % 4).toBe(0);
  });
});

describe('writing', () => {
  it('leaves nothing behind when a tensor is wrong', async () => {
    const folder = await temporaryFolder();
    const writing = writeSafetensors(join(folder, 'm.safetensors'), [
      { name: 'a', shape: [3], read: () => new Float32Array(2) },
    ]);
    await expect(writing).rejects.toThrow('tensor "a" delivered 2 values, expected 3 for shape [3]');
    expect(await readdir(folder)).toEqual([]);
  });

  it.skipIf(!existsSync('/dev/full'))(
    'says in one line that the disk is full, and removes what it began',
    async () => {
      const folder = await temporaryFolder();
      const path = join(folder, 'm.safetensors');
      // The kernel's own ENOSPC, met half-way through the temporary file.
      const writing = () =>
        writeFileAtomic(path, async (handle) => {
          await handle.write('begun');
          const full = await open('/dev/full', 'w');
          try {
            const { pieces } = formatSafetensors([
              { name: 'a', shape: [1], read: () => new Float32Array(1) },
            ]);
            await writePieces(full, pieces());
          } finally {
            await full.close();
          }
        });
      await expectModelError(
        writing,
        'INPUT_DISK',
        /m\.safetensors: not written, the disk is full: free some space .*ENOSPC/,
      );
      expect(await readdir(folder)).toEqual([]);
    },
  );

  it('names a folder that does not take files', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'file'), '');
    await expectModelError(
      () => writeSafetensors(join(folder, 'file', 'm.safetensors'), []),
      'INPUT_DISK',
      /ENOTDIR/,
    );
  });
});

describe('the weights of a folder', () => {
  const one = (name: string) => [{ name, shape: [1], read: () => Float32Array.of(name.length) }];

  it('are one file of any name', async () => {
    const folder = await temporaryFolder();
    await writeSafetensors(join(folder, 'model.fp16.safetensors'), one('a'));
    expect([...(await TensorStore.fromFolder(folder)).files.keys()]).toEqual(['a']);
    await writeSafetensors(join(folder, 'other.safetensors'), one('b'));
    await expectModelError(
      () => TensorStore.fromFolder(folder),
      'INPUT_CHECKPOINT',
      /several weight files \(model\.fp16\.safetensors, other/,
    );
    await writeSafetensors(join(folder, 'model.safetensors'), one('c'));
    expect([...(await TensorStore.fromFolder(folder)).files.keys()]).toEqual(['c']);
  });

  it('are shards named by an index', async () => {
    const folder = await temporaryFolder();
    const index = (map: unknown) =>
      writeFile(join(folder, 'model.safetensors.index.json'), JSON.stringify({ weight_map: map }));
    await writeSafetensors(join(folder, 'model-00001-of-00002.safetensors'), one('a'));
    const map = { a: 'model-00001-of-00002.safetensors', bb: 'model-00002-of-00002.safetensors' };
    await index(map);
    await expectModelError(
      () => TensorStore.fromFolder(folder),
      'INPUT_CHECKPOINT',
      /00002-of-00002\.safetensors: missing/,
    );
    await writeSafetensors(join(folder, map.bb), one('c'));
    await expectModelError(
      () => TensorStore.fromFolder(folder),
      'INPUT_CHECKPOINT',
      /no tensor "bb", but model\.safetensors\.index\.json/,
    );
    await writeSafetensors(join(folder, map.bb), one('bb'));
    const store = await TensorStore.fromFolder(folder);
    expect([...(await store.read('bb')), ...(await store.readRows('a', 0, 1))]).toEqual([2, 1]);
    await index({ a: '../a.safetensors' });
    await expectModelError(
      () => TensorStore.fromFolder(folder),
      'INPUT_CHECKPOINT',
      /expected a \*\.safetensors file of the same folder/,
    );
    await index(['a']);
    await expectModelError(() => TensorStore.fromFolder(folder), 'INPUT_CHECKPOINT', /weight_map is \["a"\]/);
  });

  it('are missed with a remedy', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'x'));
    await expectModelError(
      () => TensorStore.fromFolder(folder),
      'INPUT_CHECKPOINT',
      /no \*\.safetensors file; a model folder needs/,
    );
    // As in BGE-M3's folder.
    for (const name of ['colbert_linear.pt', 'pytorch_model.bin']) await writeFile(join(folder, name), '');
    await expectModelError(
      () => TensorStore.fromFolder(folder),
      'INPUT_CHECKPOINT',
      /only pytorch_model\.bin; convert it/,
    );
  });
});
