/**
 * Reads single tensors, or rows of them, out of safetensors files by file offset.
 * It never loads a whole file, and knows nothing of what the tensors mean.
 */

import { modelSource } from '#model-source';
import { checkpointError, ModelError } from '../errors.js';
import { describe, isJsonObject } from '../json.js';
import { readJsonObjectIfPresent } from '../json-files.js';
import type { ByteFile } from '../model-source/source.js';
import { widenBfloat16, widenFloat16 } from './half.js';
import { headerLength, LENGTH_FIELD_BYTES, parseHeader, type TensorEntry } from './header.js';

/** Elements converted at a time: 2 MiB of halves. */
const CONVERT_ELEMENTS = 1 << 20;

/** One safetensors file whose header has been checked. Holds no open file. */
export class SafetensorsFile {
  private constructor(
    readonly path: string,
    readonly entries: ReadonlyMap<string, TensorEntry>,
    readonly metadata: Readonly<Record<string, string>>,
    private readonly file: ByteFile,
  ) {}

  /**
   * Reads and checks the header.
   *
   * @throws ModelError `INPUT_CHECKPOINT` if the file is damaged, naming tensor, expected and found.
   */
  static async open(path: string): Promise<SafetensorsFile> {
    return SafetensorsFile.#read(path, modelSource.file(path));
  }

  /** As {@link open}, or undefined where there is no such file. */
  static async openIfPresent(path: string): Promise<SafetensorsFile | undefined> {
    const file = modelSource.file(path);
    return (await file.isThere()) ? SafetensorsFile.#read(path, file) : undefined;
  }

  static #read(path: string, file: ByteFile): Promise<SafetensorsFile> {
    return file.use(async (read, sizeBytes) => {
      const field = new Uint8Array(Math.min(LENGTH_FIELD_BYTES, sizeBytes));
      await read(field, 0);
      const json = new Uint8Array(headerLength(field, sizeBytes, path));
      await read(json, LENGTH_FIELD_BYTES);
      const { entries, metadata } = parseHeader(json, sizeBytes, path);
      return new SafetensorsFile(path, entries, metadata, file);
    });
  }

  /** A whole tensor as float32, row-major; F16 and BF16 are widened exactly. */
  async read(name: string): Promise<Float32Array> {
    const { shape } = this.#entry(name);
    return this.#readElements(
      name,
      0,
      shape.reduce((product, n) => product * n, 1),
    );
  }

  /**
   * Rows `begin` … `end - 1` along the first dimension, as float32.
   *
   * @throws RangeError if the rows are not in the tensor: the caller's fault, not the file's.
   */
  async readRows(name: string, begin: number, end: number): Promise<Float32Array> {
    const [rows = 0, ...rest] = this.#entry(name).shape;
    if (!(Number.isInteger(begin) && Number.isInteger(end) && begin >= 0 && begin <= end && end <= rows)) {
      throw new RangeError(`${this.path}: rows ${begin} to ${end} of tensor "${name}", which has ${rows}`);
    }
    const width = rest.reduce((product, n) => product * n, 1);
    return this.#readElements(name, begin * width, (end - begin) * width);
  }

  #entry(name: string): TensorEntry {
    const entry = this.entries.get(name);
    if (entry === undefined) throw checkpointError(`${this.path}: no tensor "${name}"`);
    return entry;
  }

  async #readElements(name: string, first: number, count: number): Promise<Float32Array> {
    const { dtype, offsetBytes } = this.#entry(name);
    const result = new Float32Array(count);
    const widen = dtype === 'F16' ? widenFloat16 : dtype === 'BF16' ? widenBfloat16 : undefined;
    if (widen === undefined && dtype !== 'F32') {
      throw checkpointError(
        `${this.path}: tensor "${name}" is ${dtype}, expected F32, F16 or BF16; convert the file to F32`,
      );
    }
    await this.file.use(async (read) => {
      if (widen === undefined) {
        const bytes = new Uint8Array(result.buffer);
        await read(bytes, offsetBytes + 4 * first);
        return;
      }
      const halves = new Uint16Array(Math.min(CONVERT_ELEMENTS, count));
      for (let done = 0; done < count; done += halves.length) {
        const part = halves.subarray(0, Math.min(halves.length, count - done));
        const bytes = new Uint8Array(part.buffer, 0, part.byteLength);
        await read(bytes, offsetBytes + 2 * (first + done));
        widen(part, result, done);
      }
    });
    return result;
  }
}

/**
 * Says that a model's files hold no weights that can be read.
 *
 * @param where the folder, or the model's id
 */
export function noWeights(where: string, names: readonly string[]): ModelError {
  const others = names.filter((name) => /\.(bin|pt|ckpt|h5|msgpack)$/.test(name));
  // Beside the model's weights there may be other heads, or what a training left.
  const other = others.find((name) => /^(pytorch|adapter)_model/.test(name)) ?? others[0];
  return checkpointError(
    other === undefined
      ? `${where}: no *.safetensors file; a model folder needs config.json, model.safetensors and tokenizer.json`
      : `${where}: no *.safetensors file, only ${other}; convert it with save_pretrained of transformers or sentence-transformers`,
  );
}

/** The tensors of a folder, in one file or in shards, under the names that the files use. */
export class TensorStore {
  private constructor(
    /** The file, or the index of the shards, for messages. */
    readonly path: string,
    readonly files: ReadonlyMap<string, SafetensorsFile>,
  ) {}

  static fromFile(file: SafetensorsFile): TensorStore {
    return new TensorStore(file.path, new Map([...file.entries.keys()].map((name) => [name, file])));
  }

  /** Opens the shards that a `*.safetensors.index.json` names, if it is there; every tensor must be where it says. */
  static async #fromIndex(folder: string, indexName: string): Promise<TensorStore | undefined> {
    const path = modelSource.join(folder, indexName);
    const index = await readJsonObjectIfPresent(path);
    if (index === undefined) return undefined;
    const { weight_map: map } = index;
    if (!isJsonObject(map)) {
      throw checkpointError(`${path}: weight_map is ${describe(map)}, expected file names by tensor name`);
    }
    const shards = new Map<string, SafetensorsFile>();
    const files = new Map<string, SafetensorsFile>();
    for (const [name, shardName] of Object.entries(map)) {
      if (typeof shardName !== 'string' || !/^[^/\\]+\.safetensors$/.test(shardName)) {
        throw checkpointError(
          `${path}: tensor "${name}" is in ${describe(shardName)}, expected a *.safetensors file of the same folder`,
        );
      }
      let shard = shards.get(shardName);
      if (shard === undefined) {
        const shardPath = modelSource.join(folder, shardName);
        shard = await SafetensorsFile.openIfPresent(shardPath);
        if (shard === undefined) {
          throw checkpointError(`${shardPath}: missing, but ${indexName} names it; get the shard`);
        }
        shards.set(shardName, shard);
      }
      if (!shard.entries.has(name)) {
        throw checkpointError(
          `${shard.path}: no tensor "${name}", but ${indexName} says it is there; get both again`,
        );
      }
      files.set(name, shard);
    }
    return new TensorStore(path, files);
  }

  /**
   * Finds the weights of a folder: `model.safetensors`, else a shard index, else its only `*.safetensors`.
   *
   * @throws ModelError `INPUT_CHECKPOINT` if there are none or several.
   */
  static async fromFolder(folder: string): Promise<TensorStore> {
    let names: string[];
    try {
      names = (await modelSource.list(folder)).sort();
    } catch (error) {
      throw checkpointError(`${folder}: cannot be read (${modelSource.reason(error)})`, error);
    }
    const single = names.filter((name) => name.endsWith('.safetensors'));
    const indices = names.filter((name) => name.endsWith('.safetensors.index.json'));
    const usual = 'model.safetensors';
    const usualPath = modelSource.join(folder, usual);
    const whole = single.includes(usual) && (await SafetensorsFile.openIfPresent(usualPath));
    if (whole) return TensorStore.fromFile(whole);
    const index = indices.includes(`${usual}.index.json`) ? `${usual}.index.json` : indices[0];
    const sharded = index !== undefined && (await TensorStore.#fromIndex(folder, index));
    if (sharded) return sharded;
    const only = single[0];
    if (only === undefined) throw noWeights(folder, names);
    if (single.length > 1) {
      throw checkpointError(
        `${folder}: several weight files (${single.join(', ')}) and no ${usual}; keep one of them, or name it ${usual}`,
      );
    }
    return TensorStore.fromFile(await SafetensorsFile.open(modelSource.join(folder, only)));
  }

  /** dtype and shape of a tensor. */
  entry(name: string): TensorEntry {
    return this.#file(name).entries.get(name)!;
  }

  /** A whole tensor of whichever file: see {@link SafetensorsFile.read}. */
  read(name: string): Promise<Float32Array> {
    return this.#file(name).read(name);
  }

  /** Rows of a tensor: see {@link SafetensorsFile.readRows}. */
  readRows(name: string, begin: number, end: number): Promise<Float32Array> {
    return this.#file(name).readRows(name, begin, end);
  }

  #file(name: string): SafetensorsFile {
    const file = this.files.get(name);
    if (file === undefined) throw new ModelError('INPUT_CHECKPOINT', `${this.path}: no tensor "${name}"`);
    return file;
  }
}
