/**
 * Embeddings of a corpus on disk: an append-only file of f32 rows and an index of what was appended, with
 * checksums. A process may be killed at any moment: what the index names is whole, and the rest is cut off
 * when the store is opened again. It encodes nothing and searches nothing.
 *
 * Files: `store.json` (format, dimension, what made the rows), `vectors.f32` (rows, little-endian),
 * `index.jsonl` (one line per append: rows, their checksum, ids, places and checksums of the texts),
 * `complete.json` (how many rows there were when the corpus was finished).
 */
import { type FileHandle, mkdir, open, readFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { codeOf } from '../errors.js';
import { writeJson } from '../files/write-json.js';
import type { VectorSource } from '../search/vector-source.js';
import { storeError } from './store-errors.js';
import { type IndexLine, readIndex, readMeta, type StoreKey, type StoreMeta } from './store-index.js';
import { lockStore, unlockStore } from './store-lock.js';

/** Bytes read at a time when a store is verified. */
const chunkBytes = 8 * 2 ** 20;

/** A passage as the store knows it. */
export interface StoredPassage {
  readonly id: string;
  /** Place in the corpus, from 0; rows are in the order of encoding, which is a different one. */
  readonly place: number;
  /** CRC-32 of the text, so that a changed corpus is noticed. */
  readonly textChecksum: number;
}

/** How a store is opened. */
export interface OpenStoreOptions {
  /** Made when there is no store yet: with this key and dimension; an existing one must have them. */
  readonly create?: StoreMeta;
  /** Reads all rows and compares their checksums. Default false. */
  readonly verify?: boolean;
  /** Called while rows are verified. */
  readonly onVerify?: (rowsDone: number, rows: number) => void;
}

/** See the file's header. Rows may be read while others are appended. */
export class EmbeddingStore implements VectorSource {
  readonly dimension: number;
  readonly key: StoreKey;
  readonly #folder: string;
  readonly #vectors: FileHandle;
  readonly #index: FileHandle | undefined;
  readonly #ids: string[] = [];
  /** Row + 1 by place; 0 where there is none yet. */
  #rowOfPlace = new Uint32Array(1024);
  readonly #checksums: number[] = [];
  #complete: boolean;

  private constructor(
    folder: string,
    meta: StoreMeta,
    vectors: FileHandle,
    index: FileHandle | undefined,
    complete: boolean,
  ) {
    this.#folder = folder;
    this.dimension = meta.dimension;
    this.key = meta.key;
    this.#vectors = vectors;
    this.#index = index;
    this.#complete = complete;
  }

  /**
   * Opens a store; with `create` for appending, else for reading. What a killed process left half-written is
   * cut off.
   *
   * @throws EvaluationError `INPUT_STORE` where there is none, it was made with another model or another
   *   dimension, another process is writing it, or it is damaged
   */
  static async open(folder: string, options: OpenStoreOptions = {}): Promise<EmbeddingStore> {
    const { create } = options;
    if (create) {
      await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
        throw storeError(`${folder}: cannot be made (${codeOf(cause)}); choose another folder`, cause);
      });
      await lockStore(folder);
    }
    try {
      return await EmbeddingStore.#open(folder, options);
    } catch (error) {
      if (create) await unlockStore(folder);
      throw error;
    }
  }

  static async #open(folder: string, options: OpenStoreOptions): Promise<EmbeddingStore> {
    const { create, verify = false, onVerify } = options;
    const meta = await readMeta(folder, create);
    const vectorsPath = join(folder, 'vectors.f32');
    const indexPath = join(folder, 'index.jsonl');
    if (create) for (const path of [vectorsPath, indexPath]) await (await open(path, 'a')).close();
    const { lines, sizeBytes } = await readIndex(indexPath);
    const rows = lines.reduce((sum, line) => sum + line.rows, 0);
    const found = (await stat(vectorsPath)).size;
    const expected = rows * meta.dimension * 4;
    if (found < expected) {
      throw storeError(
        `${vectorsPath}: ${found} bytes where the index asks for ${expected}; the store is damaged, delete ${folder}`,
      );
    }
    if (create) {
      await truncate(vectorsPath, expected);
      await truncate(indexPath, sizeBytes);
    }
    const complete = (await finishedRows(folder)) === rows;
    const vectors = await open(vectorsPath, create ? 'r+' : 'r');
    const index = create ? await open(indexPath, 'a') : undefined;
    const store = new EmbeddingStore(folder, meta, vectors, index, complete);
    for (const line of lines) store.#remember(line);
    if (verify) await store.#verify(lines, onVerify);
    return store;
  }

  /** Rows that are safely on disk. */
  get rows(): number {
    return this.#ids.length;
  }

  /** Whether the whole corpus is in it. */
  get complete(): boolean {
    return this.#complete;
  }

  id(row: number): string {
    return this.#ids[row]!;
  }

  /** The row of a place of the corpus, or undefined where it is not encoded yet. */
  rowOf(place: number): number | undefined {
    const row = this.#rowOfPlace[place];
    return row ? row - 1 : undefined;
  }

  /** Whether a row was made from this id and text. */
  matches(row: number, id: string, textChecksum: number): boolean {
    return this.#ids[row] === id && this.#checksums[row] === textChecksum;
  }

  async read(begin: number, end: number, into: Float32Array): Promise<void> {
    const bytes = new Uint8Array(into.buffer, into.byteOffset, (end - begin) * this.dimension * 4);
    let done = 0;
    while (done < bytes.length) {
      const at = begin * this.dimension * 4 + done;
      const { bytesRead } = await this.#vectors.read(bytes, done, bytes.length - done, at);
      if (bytesRead === 0) throw storeError(`${this.#folder}: cut while it was read`);
      done += bytesRead;
    }
  }

  /**
   * Appends rows; when it resolves they survive a kill and a power cut.
   *
   * @param vectors [passages, dimension]
   */
  async append(passages: readonly StoredPassage[], vectors: Float32Array): Promise<void> {
    if (this.#index === undefined) throw new RangeError('the store was opened for reading');
    if (vectors.length !== passages.length * this.dimension) {
      throw new RangeError(`${vectors.length} values for ${passages.length} x ${this.dimension}`);
    }
    if (passages.length === 0) return;
    const bytes = new Uint8Array(vectors.buffer, vectors.byteOffset, vectors.byteLength);
    const line: IndexLine = {
      rows: passages.length,
      crc: crc32(bytes),
      ids: passages.map(({ id }) => id),
      places: passages.map(({ place }) => place),
      texts: passages.map(({ textChecksum }) => textChecksum),
    };
    try {
      await writeAt(this.#vectors, bytes, this.rows * this.dimension * 4);
      // The index names rows only once they are on the disk.
      await this.#vectors.datasync();
      await this.#index.appendFile(`${JSON.stringify(line)}\n`);
      await this.#index.datasync();
    } catch (cause) {
      throw storeError(`${this.#folder}: cannot be written (${codeOf(cause)}); is the disk full?`, cause);
    }
    this.#remember(line);
    this.#complete = false;
  }

  /** Marks the corpus as finished. */
  async finish(): Promise<void> {
    await writeJson(completePath(this.#folder), { rows: this.rows });
    this.#complete = true;
  }

  /** Closes the files; what was appended stays. */
  async close(): Promise<void> {
    await this.#vectors.close();
    if (this.#index === undefined) return;
    await this.#index.close();
    await unlockStore(this.#folder);
  }

  #remember(line: IndexLine): void {
    for (let i = 0; i < line.rows; i++) {
      const place = line.places[i]!;
      if (place >= this.#rowOfPlace.length) {
        const larger = new Uint32Array(Math.max(place + 1, 2 * this.#rowOfPlace.length));
        larger.set(this.#rowOfPlace);
        this.#rowOfPlace = larger;
      }
      this.#ids.push(line.ids[i]!);
      this.#checksums.push(line.texts[i]!);
      this.#rowOfPlace[place] = this.#ids.length;
    }
  }

  async #verify(lines: readonly IndexLine[], onVerify: OpenStoreOptions['onVerify']): Promise<void> {
    let row = 0;
    for (const line of lines) {
      let crc = 0;
      const step = Math.max(1, Math.floor(chunkBytes / (4 * this.dimension)));
      for (let done = 0; done < line.rows; done += step) {
        const rows = Math.min(step, line.rows - done);
        const block = new Float32Array(rows * this.dimension);
        await this.read(row + done, row + done + rows, block);
        crc = crc32(new Uint8Array(block.buffer), crc);
        onVerify?.(row + done + rows, this.rows);
      }
      if (crc !== line.crc) {
        throw storeError(
          `${this.#folder}: rows ${row} to ${row + line.rows - 1} have checksum ${crc}, expected ${line.crc}; the store is damaged, delete it`,
        );
      }
      row += line.rows;
    }
  }
}

const completePath = (folder: string) => join(folder, 'complete.json');

/** Rows of the corpus that was finished last; it may have grown since. */
async function finishedRows(folder: string): Promise<number | undefined> {
  const text = await readFile(completePath(folder), 'utf8').catch(() => '{}');
  return (JSON.parse(text) as { rows?: number }).rows;
}

/** CRC-32 of a text's UTF-8 bytes. */
export function textChecksum(text: string): number {
  return crc32(text);
}

async function writeAt(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
