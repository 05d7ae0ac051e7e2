/** The safetensors format written, in pieces: a model need not fit in memory twice. It opens no file. */

import { LENGTH_FIELD_BYTES } from './header.js';

/** A tensor to be written; `read` is called once, when its turn comes. */
export interface TensorSource {
  readonly name: string;
  readonly shape: readonly number[];
  /** The values, row-major: as many as the product of `shape`. */
  read(): Float32Array | Promise<Float32Array>;
}

/** A file in pieces, each made when it is asked for. */
export interface FileContents {
  readonly sizeBytes: number;
  pieces(): AsyncIterable<Uint8Array<ArrayBuffer>>;
}

/** F32 tensors in the format: length, header, then each tensor as its `read` delivers it. */
export function formatSafetensors(tensors: Iterable<TensorSource>): FileContents {
  const list = [...tensors];
  // Format "pt" is what transformers asks for before it reads a file.
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let end = 0;
  for (const { name, shape } of list) {
    if (Object.hasOwn(header, name)) throw new TypeError(`tensor "${name}" given twice`);
    const begin = end;
    end += 4 * elements(shape);
    header[name] = { dtype: 'F32', shape, data_offsets: [begin, end] };
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  // Spaces up to a multiple of 8 keep the data aligned for readers that map the file.
  const padded = Math.ceil(json.byteLength / 8) * 8;
  const start = new Uint8Array(LENGTH_FIELD_BYTES + padded).fill(0x20);
  new DataView(start.buffer).setBigUint64(0, BigInt(padded), true);
  start.set(json, LENGTH_FIELD_BYTES);
  return {
    sizeBytes: start.byteLength + end,
    async *pieces() {
      yield start;
      for (const tensor of list) yield bytesOf(tensor, await tensor.read());
    },
  };
}

function bytesOf({ name, shape }: TensorSource, values: Float32Array): Uint8Array<ArrayBuffer> {
  if (values.length !== elements(shape)) {
    throw new TypeError(
      `tensor "${name}" delivered ${values.length} values, expected ${elements(shape)} for shape [${shape.join(', ')}]`,
    );
  }
  return new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength);
}

function elements(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}
