/**
 * Matrices of float32 as NumPy's `.npy` files. No other dtypes, no other orders.
 * Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */

import { type FileHandle, open } from 'node:fs/promises';
import { checkpointError, ModelError, reasonOf } from './errors.js';
import { readExactly, writeAll, writeFileAtomic } from './files.js';

/** A row-major matrix. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  /** `rows × columns` values. */
  readonly data: Float32Array;
}

const MAGIC = '\x93NUMPY';

/** Rows in batches, each of a whole number of rows. */
export type RowBatches = Iterable<Float32Array> | AsyncIterable<Float32Array>;

/** What stands before the values of a float32 matrix in a `.npy` file. */
export function npyHeader(rows: number, columns: number): Uint8Array {
  const dictionary = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`;
  // NumPy wants the data to begin at a multiple of 64.
  const size = Math.ceil((10 + dictionary.length + 1) / 64) * 64;
  const header = new Uint8Array(size).fill(0x20);
  for (let i = 0; i < MAGIC.length; i++) header[i] = MAGIC.charCodeAt(i);
  header[6] = 1;
  header[7] = 0;
  new DataView(header.buffer).setUint16(8, size - 10, true);
  new TextEncoder().encodeInto(dictionary, header.subarray(10));
  header[size - 1] = 0x0a;
  return header;
}

/**
 * Writes a matrix, all or nothing, from batches of rows.
 *
 * @throws ModelError `INPUT_DISK` on a full disk.
 */
export async function writeNpy(
  path: string,
  rows: number,
  columns: number,
  batches: RowBatches,
): Promise<void> {
  await writeFileAtomic(path, async (handle) => {
    await writeAll(handle, npyHeader(rows, columns));
    let count = 0;
    for await (const batch of batches) {
      count += batch.length;
      await writeAll(handle, new Uint8Array(batch.buffer, batch.byteOffset, batch.byteLength));
    }
    if (count !== rows * columns) {
      throw new TypeError(`${path}: ${count} values given, expected ${rows} × ${columns}`);
    }
  });
}

/**
 * Reads a float32 matrix.
 *
 * @throws ModelError `INPUT_CHECKPOINT` if the file is no such matrix.
 */
export async function readNpy(path: string): Promise<Matrix> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    return await readMatrix(handle, path);
  } catch (error) {
    if (error instanceof ModelError) throw error;
    throw checkpointError(`${path}: cannot be read (${reasonOf(error)})`, error);
  } finally {
    await handle?.close();
  }
}

async function readMatrix(handle: FileHandle, path: string): Promise<Matrix> {
  const fail = (found: string): never => {
    throw checkpointError(
      `${path}: ${found}, expected a .npy file with a 2-dimensional float32 array in C order`,
    );
  };
  const { size } = await handle.stat();
  const read = async (from: number, end: number) => {
    const bytes = Buffer.alloc(Math.max(0, Math.min(end, size) - from));
    await readExactly(handle, bytes, from, path);
    return bytes;
  };
  const first = await read(0, 12);
  if (first.length < 12 || first.toString('latin1', 0, 6) !== MAGIC) return fail('not a .npy file');
  const wide = first[6]! >= 2;
  const start = (wide ? 12 : 10) + (wide ? first.readUInt32LE(8) : first.readUInt16LE(8));
  if (start > size) return fail('cut inside its header');
  const header = (await read(wide ? 12 : 10, start)).toString('latin1');
  const shape = /'shape':\s*\((\d+),\s*(\d+)\)/.exec(header);
  if (!/'descr':\s*'<f4'/.test(header) || !/'fortran_order':\s*False/.test(header) || shape === null) {
    return fail(`header ${header.trim()}`);
  }
  const [rows, columns] = [Number(shape[1]), Number(shape[2])];
  const expected = start + 4 * rows * columns;
  if (size !== expected) return fail(`${size} bytes where its header asks for ${expected}`);
  const data = new Float32Array(rows * columns);
  // Not the whole file at once: Node refuses to read 2 GiB and more.
  await readExactly(handle, new Uint8Array(data.buffer), start, path);
  return { rows, columns, data };
}
