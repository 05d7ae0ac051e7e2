/** What a store says of its rows: `store.json` and the lines of `index.jsonl`, read and checked. Not the rows. */
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../errors.js';
import { writeJson } from '../files/write-json.js';
import { storeError } from './store-errors.js';

const formatVersion = 1;
/** Bytes of the index read at a time. */
const readBytes = 8 * 2 ** 20;

/** What the rows were made with: equal keys, equal rows. Any plain data. */
export type StoreKey = Readonly<Record<string, string | number | boolean | null>>;

/** What a store holds: `store.json`. */
export interface StoreMeta {
  readonly key: StoreKey;
  readonly dimension: number;
}

/** A line of `index.jsonl`: what one append has put there. */
export interface IndexLine {
  readonly rows: number;
  /** CRC-32 of the rows' bytes. */
  readonly crc: number;
  readonly ids: readonly string[];
  readonly places: readonly number[];
  readonly texts: readonly number[];
}

/**
 * What `store.json` says. With `create` the file is written if there is none, and must agree if there is one.
 *
 * @throws EvaluationError `INPUT_STORE`
 */
export async function readMeta(folder: string, create: StoreMeta | undefined): Promise<StoreMeta> {
  const path = join(folder, 'store.json');
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw storeError(`${path}: cannot be read (${error.code}); change its rights or choose another folder`);
  });
  if (text === undefined) {
    if (!create) throw storeError(`${folder}: there is no store in it; make one with \`synglot index\``);
    await writeJson(path, { format: formatVersion, dimension: create.dimension, key: create.key });
    return create;
  }
  let meta: { format?: unknown; dimension?: unknown; key?: unknown };
  try {
    meta = JSON.parse(text) as typeof meta;
  } catch (cause) {
    throw storeError(`${path}: not JSON; the store is damaged, delete ${folder}`, cause);
  }
  if (meta.format !== formatVersion || !Number.isInteger(meta.dimension)) {
    throw storeError(
      `${path}: expected format ${formatVersion} but received ${String(meta.format)}; make the store anew`,
    );
  }
  const key = meta.key as StoreKey;
  const dimension = meta.dimension as number;
  if (create) {
    const other = Object.keys({ ...key, ...create.key }).find((name) => key[name] !== create.key[name]);
    if (other !== undefined || dimension !== create.dimension) {
      const name = other ?? 'dimension';
      const [was, wanted] = other ? [key[other], create.key[other]] : [dimension, create.dimension];
      throw storeError(
        `${folder}: made with ${name} ${JSON.stringify(was)}, not ${JSON.stringify(wanted)}; choose another folder or delete it`,
      );
    }
  }
  return { dimension, key };
}

/**
 * The complete lines of the index and their length in bytes; a last line without an end was being written when its
 * process died.
 *
 * @throws EvaluationError `INPUT_STORE`
 */
export async function readIndex(path: string): Promise<{ lines: IndexLine[]; sizeBytes: number }> {
  const lines: IndexLine[] = [];
  let sizeBytes = 0;
  const handle = await open(path, 'r').catch((cause: unknown) => {
    throw storeError(`${path}: cannot be read (${codeOf(cause)}); the store is damaged`, cause);
  });
  try {
    const { size } = await handle.stat();
    let rest = Buffer.alloc(0);
    for (let at = 0; at < size; at += readBytes) {
      const chunk = Buffer.alloc(Math.min(readBytes, size - at));
      await handle.read(chunk, 0, chunk.length, at);
      let text = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      for (let end = text.indexOf(0x0a); end >= 0; end = text.indexOf(0x0a)) {
        try {
          lines.push(JSON.parse(text.toString('utf8', 0, end)) as IndexLine);
        } catch (cause) {
          throw storeError(`${path}:${lines.length + 1}: not JSON; the store is damaged, delete it`, cause);
        }
        sizeBytes += end + 1;
        text = text.subarray(end + 1);
      }
      rest = Buffer.from(text);
    }
  } finally {
    await handle.close();
  }
  return { lines, sizeBytes };
}
