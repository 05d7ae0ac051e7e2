/** Writes float32 tensors to a safetensors file, one at a time, so that a model need not fit in memory twice. */

import type { FileHandle } from 'node:fs/promises';
import { writeAll, writeFileAtomic } from '../files.js';
import { LENGTH_FIELD_BYTES } from './header.js';

/** A tensor to be written; `read` is called once, when its turn comes. */
export interface TensorSource {
  readonly name: string;
  readonly shape: readonly number[];
  /** The values, row-major: as many as the product of `shape`. */
  read(): Float32Array | Promise<Float32Array>;
}

/** Streams the format into an open file: length, header, then each tensor as its `read` delivers it. */
export async function streamSafetensors(handle: FileHandle, tensors: Iterable<TensorSource>): Promise<void> {
  const list = [...tensors];
  // Format "pt" is what transformers asks for before it reads a file.
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let end = 0;
  for (const { name, shape } of list) {
    if (Object.hasOwn(header, name)) throw new TypeError(`tensor "${name}" given twice`);
    const begin = end;
    end += 4 * shape.reduce((product, n) => product * n, 1);
    header[name] = { dtype: 'F32', shape, data_offsets: [begin, end] };
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  // Spaces up to a multiple of 8 keep the data aligned for readers that map the file.
  const padded = Math.ceil(json.byteLength / 8) * 8;
  const start = new Uint8Array(LENGTH_FIELD_BYTES + padded).fill(0x20);
  new DataView(start.buffer).setBigUint64(0, BigInt(padded), true);
  start.set(json, LENGTH_FIELD_BYTES);
  await writeAll(handle, start);
  for (const tensor of list) {
    const values = await tensor.read();
    const expected = tensor.shape.reduce((product, n) => product * n, 1);
    if (values.length !== expected) {
      throw new TypeError(
        `tensor "${tensor.name}" delivered ${values.length} values, expected ${expected} for shape [${tensor.shape.join(', ')}]`,
      );
    }
    await writeAll(handle, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
}

/**
 * Writes a safetensors file of F32 tensors, all or nothing.
 *
 * @throws ModelError `INPUT_DISK` on a full disk; the temporary file is removed.
 */
export async function writeSafetensors(path: string, tensors: Iterable<TensorSource>): Promise<void> {
  await writeFileAtomic(path, (handle) => streamSafetensors(handle, tensors));
}
