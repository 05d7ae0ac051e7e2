/**
 * The header of a safetensors file, checked in full before any tensor is touched.
 * Pure: bytes and sizes in, entries out. Format: https://github.com/huggingface/safetensors#format
 */

import { checkpointError } from '../errors.js';
import { describe, isJsonObject, parseJson } from '../json.js';

/** Bits of one element of each dtype of the format. */
const DTYPE_BITS: Readonly<Record<string, number>> = {
  BOOL: 8,
  U8: 8,
  I8: 8,
  F8_E4M3: 8,
  F8_E5M2: 8,
  F8_E8M0: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  I64: 64,
  U64: 64,
  F64: 64,
  C64: 64,
};

/** One tensor's place in a file. */
export interface TensorEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** First byte, counted from the start of the file. */
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

export interface SafetensorsHeader {
  readonly entries: ReadonlyMap<string, TensorEntry>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Bytes of the length field in front of the header. */
export const LENGTH_FIELD_BYTES = 8;

/** The format's own limit, 100 MB: a larger length is garbage. */
const MAX_HEADER_BYTES = 100_000_000;

/** The beginning of a git-lfs pointer, which stands in for a file that was not fetched. */
const LFS_POINTER = new TextEncoder().encode('version ');
const AGAIN = 'the file is damaged or cut; get it again';

/**
 * Length of the JSON header.
 *
 * @param field - the file's first 8 bytes (fewer if it has fewer)
 * @throws ModelError `INPUT_CHECKPOINT` if the field lies.
 */
export function headerLength(field: Uint8Array, fileBytes: number, path: string): number {
  if (field.byteLength < LENGTH_FIELD_BYTES) {
    throw checkpointError(`${path}: ${fileBytes} bytes, expected a safetensors file of at least 8; ${AGAIN}`);
  }
  if (LFS_POINTER.every((byte, index) => field[index] === byte)) {
    throw checkpointError(
      `${path}: a Git LFS pointer (${fileBytes} bytes), not the weights; fetch them with: git lfs pull`,
    );
  }
  const length = new DataView(field.buffer, field.byteOffset, LENGTH_FIELD_BYTES).getBigUint64(0, true);
  const room = fileBytes - LENGTH_FIELD_BYTES;
  if (length > BigInt(room) || length > BigInt(MAX_HEADER_BYTES)) {
    const limit = Math.min(room, MAX_HEADER_BYTES);
    throw checkpointError(
      `${path}: header length field says ${length} bytes, expected at most ${limit} (the file has ${fileBytes}); ${AGAIN}`,
    );
  }
  return Number(length);
}

function readEntry(name: string, value: unknown, dataStart: number, path: string): TensorEntry {
  const where = `${path}: tensor "${name}"`;
  if (!isJsonObject(value))
    throw checkpointError(`${where}: expected an object, found ${describe(value)}; ${AGAIN}`);
  const { dtype, shape, data_offsets: offsets } = value;
  const bits = typeof dtype === 'string' && Object.hasOwn(DTYPE_BITS, dtype) ? DTYPE_BITS[dtype] : undefined;
  if (typeof dtype !== 'string' || bits === undefined) {
    throw checkpointError(
      `${where}: unknown dtype ${describe(dtype)}, expected one of ${Object.keys(DTYPE_BITS).join(', ')}; convert the file to F32`,
    );
  }
  const isCount = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 0;
  if (!Array.isArray(shape) || !shape.every(isCount)) {
    throw checkpointError(`${where}: shape ${describe(shape)}, expected a list of whole numbers; ${AGAIN}`);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    throw checkpointError(`${where}: data_offsets ${describe(offsets)}, expected [begin, end]; ${AGAIN}`);
  }
  const [begin, end] = offsets as [number, number];
  const expected = (shape.reduce((product, n) => product * n, 1) * bits) / 8;
  if (end - begin !== expected) {
    throw checkpointError(
      `${where}: data_offsets [${begin}, ${end}] hold ${end - begin} bytes, expected ${expected} for ${dtype} of shape [${shape.join(', ')}]; ${AGAIN}`,
    );
  }
  return { dtype, shape, offsetBytes: dataStart + begin, sizeBytes: expected };
}

/**
 * Parses and checks a header: JSON, dtypes, sizes, and that the tensors fill the file without holes or overlap.
 *
 * @param json - the header's bytes, without the length field
 * @throws ModelError `INPUT_CHECKPOINT` naming file, tensor, expected and found.
 */
export function parseHeader(json: Uint8Array, fileBytes: number, path: string): SafetensorsHeader {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(json);
  } catch (error) {
    throw checkpointError(`${path}: header is not UTF-8 text; ${AGAIN}`, error);
  }
  const root = parseJson(text, `${path} (header)`, AGAIN);
  if (!isJsonObject(root)) {
    throw checkpointError(`${path}: header is ${describe(root)}, expected a JSON object; ${AGAIN}`);
  }
  const { __metadata__: metadata = {}, ...tensors } = root;
  if (!isJsonObject(metadata) || !Object.values(metadata).every((value) => typeof value === 'string')) {
    throw checkpointError(`${path}: __metadata__ is ${describe(metadata)}, expected texts by name; ${AGAIN}`);
  }
  const dataStart = LENGTH_FIELD_BYTES + json.byteLength;
  const entries = new Map<string, TensorEntry>();
  for (const [name, value] of Object.entries(tensors))
    entries.set(name, readEntry(name, value, dataStart, path));

  const ordered = [...entries].sort(
    ([, a], [, b]) => a.offsetBytes - b.offsetBytes || a.sizeBytes - b.sizeBytes,
  );
  let end = dataStart;
  for (const [name, entry] of ordered) {
    if (entry.offsetBytes !== end) {
      const fault = entry.offsetBytes < end ? 'overlaps the tensor before it' : 'leaves a hole before it';
      throw checkpointError(
        `${path}: tensor "${name}" ${fault}: begins at data byte ${entry.offsetBytes - dataStart}, expected ${end - dataStart}; ${AGAIN}`,
      );
    }
    end += entry.sizeBytes;
    if (end > fileBytes) {
      throw checkpointError(
        `${path}: tensor "${name}" ends at byte ${end}, but the file has only ${fileBytes}; ${AGAIN}`,
      );
    }
  }
  if (end !== fileBytes) {
    throw checkpointError(`${path}: ${fileBytes} bytes, expected ${end} by its header; ${AGAIN}`);
  }
  return { entries, metadata: metadata as Record<string, string> };
}
