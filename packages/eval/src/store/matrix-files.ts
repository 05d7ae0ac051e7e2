/**
 * Embeddings that other tools made, as sources of a search: `.npy` (float32, C order) and `.safetensors`
 * (one two-dimensional F32 tensor), whose rows are read from the file as they are needed; and `.parquet` (a
 * column of lists of numbers), which is read into memory.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { readParquetRows } from '@synglot/data/files';
import { codeOf, EvaluationError } from '../errors.js';
import type { VectorSource } from '../search/vector-source.js';
import { SeenIds } from './seen-ids.js';

/** A matrix in a file, without ids. Close it when done. */
export interface MatrixFile {
  readonly rows: number;
  readonly dimension: number;
  /** Reads rows `begin` … `end - 1` to the beginning of `into`. */
  read(begin: number, end: number, into: Float32Array): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens a matrix.
 *
 * @param tensor name of the tensor of a `.safetensors` file or the column of a `.parquet` file; needed only
 *   where there are several
 * @throws EvaluationError `INPUT_EMBEDDINGS` for a file that holds no such matrix
 */
export async function openMatrix(path: string, tensor?: string): Promise<MatrixFile> {
  if (path.endsWith('.parquet')) return parquetMatrix(path, tensor);
  const handle = await open(path, 'r').catch((cause: unknown) => unreadable(path, cause));
  try {
    const { size } = await handle.stat();
    const place = path.endsWith('.safetensors')
      ? await safetensorsPlace(handle, path, tensor)
      : await npyPlace(handle, path);
    const needed = place.offset + 4 * place.rows * place.dimension;
    if (size < needed) throw matrixError(path, `${size} bytes where its header asks for ${needed}`);
    return {
      rows: place.rows,
      dimension: place.dimension,
      read: async (begin, end, into) => {
        const bytes = new Uint8Array(into.buffer, into.byteOffset, 4 * (end - begin) * place.dimension);
        await readAll(handle, bytes, place.offset + 4 * begin * place.dimension, path);
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * All rows of a matrix.
 *
 * @param dimension of the passages that these rows are to be compared with
 * @throws EvaluationError `INPUT_EMBEDDINGS`, also for rows of another dimension
 */
export async function readMatrix(
  path: string,
  dimension?: number,
): Promise<{ rows: number; dimension: number; data: Float32Array }> {
  const file = await openMatrix(path);
  try {
    if (dimension !== undefined && file.dimension !== dimension) {
      throw new EvaluationError(
        'INPUT_EMBEDDINGS',
        `${path}: rows of ${file.dimension} numbers, but those of the passages have ${dimension}; were both made by one model?`,
      );
    }
    const data = new Float32Array(file.rows * file.dimension);
    // A read of more than 2 GiB fails on some systems.
    const step = Math.max(1, Math.floor(2 ** 28 / file.dimension));
    for (let begin = 0; begin < file.rows; begin += step) {
      const end = Math.min(file.rows, begin + step);
      await file.read(begin, end, data.subarray(begin * file.dimension, end * file.dimension));
    }
    return { rows: file.rows, dimension: file.dimension, data };
  } finally {
    await file.close();
  }
}

/** Gives the rows of a matrix ids. @throws EvaluationError `INPUT_EMBEDDINGS` unless there is one of its own for each */
export function withIds(file: MatrixFile, ids: readonly string[], path: string): VectorSource {
  if (ids.length !== file.rows) throw matrixError(path, `${file.rows} rows for ${ids.length} passages`);
  const seen = new SeenIds();
  const again = ids.findIndex((id) => !seen.add(id));
  if (again !== -1) {
    throw new EvaluationError(
      'INPUT_EMBEDDINGS',
      `${path}: passage ${again + 1} has the id "${ids[again]}" of an earlier one; ids must be unique`,
    );
  }
  return {
    rows: file.rows,
    dimension: file.dimension,
    id: (row) => ids[row]!,
    read: (begin, end, into) => file.read(begin, end, into),
  };
}

interface Place {
  readonly offset: number;
  readonly rows: number;
  readonly dimension: number;
}

async function npyPlace(handle: FileHandle, path: string): Promise<Place> {
  const start = Buffer.alloc(12);
  await readAll(handle, start, 0, path);
  if (start.toString('latin1', 0, 6) !== '\x93NUMPY') {
    throw matrixError(path, 'no .npy, .safetensors or .parquet file');
  }
  const wide = start[6]! >= 2;
  const begin = wide ? 12 : 10;
  const length = wide ? start.readUInt32LE(8) : start.readUInt16LE(8);
  const bytes = Buffer.alloc(length);
  await readAll(handle, bytes, begin, path);
  const header = bytes.toString('latin1');
  const shape = /'shape':\s*\((\d+),\s*(\d+)\)/.exec(header);
  if (!/'descr':\s*'<f4'/.test(header) || !/'fortran_order':\s*False/.test(header) || shape === null) {
    throw matrixError(path, `header ${header.trim()}`);
  }
  return { offset: begin + length, rows: Number(shape[1]), dimension: Number(shape[2]) };
}

async function safetensorsPlace(handle: FileHandle, path: string, tensor?: string): Promise<Place> {
  const start = Buffer.alloc(8);
  await readAll(handle, start, 0, path);
  const length = Number(start.readBigUInt64LE());
  if (length > 2 ** 27) throw matrixError(path, `header of ${length} bytes`);
  const bytes = Buffer.alloc(length);
  await readAll(handle, bytes, 8, path);
  let entries: Record<string, { dtype?: string; shape?: number[]; data_offsets?: number[] }>;
  try {
    entries = JSON.parse(bytes.toString('utf8')) as typeof entries;
  } catch {
    throw matrixError(path, 'its header is not JSON');
  }
  const names = Object.keys(entries).filter((name) => name !== '__metadata__');
  const name = tensor ?? (names.length === 1 ? names[0]! : undefined);
  const entry = name === undefined ? undefined : entries[name];
  if (entry?.dtype !== 'F32' || entry.shape?.length !== 2 || entry.data_offsets === undefined) {
    throw matrixError(path, `tensors ${names.join(', ')}`);
  }
  const [rows, dimension] = entry.shape as [number, number];
  return { offset: 8 + length + entry.data_offsets[0]!, rows, dimension };
}

/** All rows of a Parquet file's column of vectors. */
async function parquetMatrix(path: string, wanted?: string): Promise<MatrixFile> {
  const rows: ArrayLike<number>[] = [];
  let column = wanted;
  for await (const { values, where } of readParquetRows(path)) {
    const lists = Object.keys(values).filter((name) => isVector(values[name]));
    column ??= lists.length === 1 ? lists[0] : undefined;
    const vector = column === undefined ? undefined : values[column];
    if (!isVector(vector) || vector.length !== (rows[0] ?? vector).length) {
      throw matrixError(where, `columns ${Object.keys(values).join(', ')}`);
    }
    rows.push(vector);
  }
  const dimension = rows[0]?.length ?? 0;
  if (dimension === 0) throw matrixError(path, 'no vectors');
  const data = new Float32Array(rows.length * dimension);
  for (const [row, vector] of rows.entries()) data.set(vector, row * dimension);
  return {
    rows: rows.length,
    dimension,
    read: (begin, end, into) => {
      into.set(data.subarray(begin * dimension, end * dimension));
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
}

function isVector(value: unknown): value is ArrayLike<number> {
  const list = ArrayBuffer.isView(value) || Array.isArray(value);
  return list && typeof (value as unknown as ArrayLike<unknown>)[0] === 'number';
}

async function readAll(handle: FileHandle, bytes: Uint8Array, position: number, path: string): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesRead } = await handle
      .read(bytes, done, Math.min(bytes.length - done, 2 ** 30), position + done)
      .catch((cause: unknown) => unreadable(path, cause));
    if (bytesRead === 0) throw matrixError(path, `cut after ${position + done} bytes`);
    done += bytesRead;
  }
}

function unreadable(path: string, cause: unknown): never {
  throw new EvaluationError(
    'INPUT_EMBEDDINGS',
    `${path}: cannot be read (${codeOf(cause)}); check the path and its rights`,
    { cause },
  );
}

function matrixError(path: string, found: string): EvaluationError {
  return new EvaluationError(
    'INPUT_EMBEDDINGS',
    `${path}: ${found}; expected a two-dimensional float32 array in C order (.npy), one F32 tensor of two dimensions (.safetensors) or one column of lists of numbers (.parquet)`,
  );
}
