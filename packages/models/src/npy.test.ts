import { appendFile, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { npyHeader, readNpy, writeNpy } from './npy.js';
import { expectModelError, temporaryFolder } from './test-support.js';

describe('.npy', () => {
  it('gives back what was written in batches', async () => {
    const path = join(await temporaryFolder(), 'e.npy');
    await writeNpy(path, 3, 2, [Float32Array.of(1, -2, 0.1, 4), Float32Array.of(Number.NaN, 1e-45)]);
    const { rows, columns, data } = await readNpy(path);
    expect([rows, columns, ...data]).toEqual([3, 2, ...Float32Array.of(1, -2, 0.1, 4, Number.NaN, 1e-45)]);
    const bytes = await readFile(path);
    // As numpy.save writes it: version 1.0, data on a multiple of 64, a line feed before it.
    expect([...bytes.subarray(6, 8), (bytes.length - 24) % 64, bytes[bytes.length - 25]]).toEqual([
      1, 0, 0, 0x0a,
    ]);
  });

  it('writes nothing when the rows are too few', async () => {
    const folder = await temporaryFolder();
    await expect(writeNpy(join(folder, 'e.npy'), 2, 2, [Float32Array.of(1, 2)])).rejects.toThrow(
      '2 values given, expected 2 × 2',
    );
    expect(await readdir(folder)).toEqual([]);
  });

  it('reads more than 2 GiB', async () => {
    const path = join(await temporaryFolder(), 'e.npy');
    const [rows, columns] = [2 ** 20 + 1, 512];
    const header = npyHeader(rows, columns);
    await writeFile(path, header);
    // The rest has no blocks on the disk, and reads as zeros, but for the last value.
    await truncate(path, header.length + 4 * (rows * columns - 1));
    await appendFile(path, new Uint8Array(Float32Array.of(7).buffer));
    const { data } = await readNpy(path);
    expect([data.length, data.at(-2), data.at(-1)]).toEqual([rows * columns, 0, 7]);
  }, 60_000);

  it('refuses other files', async () => {
    const path = join(await temporaryFolder(), 'e.npy');
    await expectModelError(() => readNpy(path), 'INPUT_CHECKPOINT', /ENOENT/);
    await expectModelError(() => readNpy(join(path, '..')), 'INPUT_CHECKPOINT', /cannot be read \(EISDIR/);
    await writeFile(path, 'text of no particular kind');
    await expectModelError(() => readNpy(path), 'INPUT_CHECKPOINT', /not a \.npy file/);
    await writeNpy(path, 1, 2, [Float32Array.of(1, 2)]);
    const good = await readFile(path);
    await writeFile(path, good.subarray(0, -1));
    await expectModelError(
      () => readNpy(path),
      'INPUT_CHECKPOINT',
      /135 bytes where its header asks for 136/,
    );
    await writeFile(path, Buffer.from(good.toString('latin1').replace('<f4', '<f8'), 'latin1'));
    await expectModelError(() => readNpy(path), 'INPUT_CHECKPOINT', /<f8/);
  });
});
