/**
 * Opens a model: folder or hub id in, configuration, tokenizer and single tensors out.
 * It holds no weights in memory and runs nothing.
 */

import { stat } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { type EncoderConfig, encoderParameters, type ParameterSpec, type PoolingConfig } from '@synglot/nn';
import { adapterBase, isAdapterFolder, openAdapterFolder, withAdapter } from './adapters/open-adapter.js';
import { checkpointError, ModelError } from './errors.js';
import { isFile, PARTIAL_MARK, readJsonObject, systemCode } from './files.js';
import { longestSequence, parseHfConfig } from './hf-config.js';
import { matchParameters } from './hf-weights.js';
import { fetchHubModel, type HubOptions, isHubId } from './hub.js';
import { TensorStore } from './safetensors/reader.js';
import { findEncoderPath, readLayout } from './sentence-transformers.js';
import { checkTokenizer, type Tokenizer } from './tokenizer.js';
import { loadTokenizer } from './tokenizer-files.js';

export interface OpenCheckpointOptions extends HubOptions {
  /** Overrides what the folder says; default for a plain Hugging Face folder: mean, normalised. */
  readonly pooling?: Omit<PoolingConfig, 'dense'>;
  /** Overrides the longest sequence, in tokens with special ones. */
  readonly maxLength?: number;
  /** Folder of an adapter to put over the model: `adapter_config.json` and `adapter_model.safetensors`. */
  readonly adapter?: string;
}

/** A model whose files have been checked against each other. */
export interface Checkpoint {
  readonly config: EncoderConfig;
  readonly pooling: PoolingConfig;
  /** Longest sequence in tokens, special ones included. */
  readonly maxLength: number;
  /** Texts put in front of inputs, by name. */
  readonly prompts: Readonly<Record<string, string>>;
  readonly defaultPromptName?: string;
  readonly similarity?: string;
  readonly tokenizer: Tokenizer;
  /** The folder that it was read from. */
  readonly source: string;
  /** Folder or hub id of the model under an adapter whose folder this was. */
  readonly adapterBase?: string;
  /** Every parameter, named as `EncoderConfig`'s file says. */
  readonly parameters: readonly ParameterSpec[];
  /** A whole parameter as float32, row-major. */
  readTensor(name: string): Promise<Float32Array>;
  /** Rows `begin` … `end - 1` of a parameter as float32: large tables need not be read at once. */
  readRows(name: string, begin: number, end: number): Promise<Float32Array>;
}

async function findFolder(pathOrHubId: string, options: HubOptions): Promise<string> {
  let missing = false;
  const found = await stat(pathOrHubId).catch((error: unknown) => {
    missing = systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR';
    return undefined;
  });
  if (found?.isDirectory()) return pathOrHubId;
  if (found !== undefined) {
    throw new ModelError(
      'INPUT_MODEL',
      `${pathOrHubId}: a file, expected a model folder; give the folder that it is in`,
    );
  }
  if (missing && isHubId(pathOrHubId)) return fetchHubModel(pathOrHubId, options);
  throw new ModelError(
    'INPUT_MODEL',
    `${pathOrHubId}: ${missing ? 'no such model folder' : 'cannot be opened'}; give a folder with config.json, model.safetensors and tokenizer.json, or a hub id such as sentence-transformers/LaBSE`,
  );
}

/**
 * Opens a model folder, or a hub id after downloading it. The folder of an adapter is opened together with
 * the model that it names.
 *
 * @throws ModelError with an `INPUT_` code if a file is missing, damaged, unsupported or does not fit the others.
 * @example
 * const model = await openCheckpoint('sentence-transformers/LaBSE', { onProgress: console.error });
 * const bias = await model.readTensor('encoder.layer.0.output.dense.bias');
 */
export async function openCheckpoint(
  pathOrHubId: string,
  options: OpenCheckpointOptions = {},
): Promise<Checkpoint> {
  const { adapter, ...rest } = options;
  const checkpoint = await openFolder(pathOrHubId, rest);
  return adapter === undefined ? checkpoint : withAdapter(checkpoint, adapter);
}

async function openFolder(pathOrHubId: string, options: OpenCheckpointOptions): Promise<Checkpoint> {
  const folder = await findFolder(pathOrHubId, options);
  if (
    resolve(folder)
      .split(sep)
      .some((part) => part.includes(PARTIAL_MARK))
  ) {
    throw checkpointError(
      `${folder}: a checkpoint whose writing was cut short; delete it and use an earlier one`,
    );
  }
  const encoderFolder = join(folder, await findEncoderPath(folder));
  if (await isAdapterFolder(encoderFolder)) {
    const base = await adapterBase(encoderFolder);
    return openAdapterFolder(await openFolder(base, options), base, folder, encoderFolder, options);
  }
  const configPath = join(encoderFolder, 'config.json');
  if (!(await isFile(configPath))) {
    throw checkpointError(
      `${configPath}: missing; a model folder needs config.json, model.safetensors and tokenizer.json`,
    );
  }
  const config = parseHfConfig(await readJsonObject(configPath), configPath);
  const layout = await readLayout(folder, config.hiddenSize);
  const pooling: PoolingConfig = {
    ...layout.pooling,
    ...(options.pooling && { mode: options.pooling.mode, normalize: options.pooling.normalize }),
  };

  const parameters = encoderParameters(config, pooling);
  const isDense = ({ name }: ParameterSpec) => name.startsWith('dense.');
  const places = new Map<string, { store: TensorStore; stored: string }>();
  const addStore = (store: TensorStore, names: Map<string, string>) => {
    for (const [name, stored] of names) places.set(name, { store, stored });
  };
  const encoderStore = await TensorStore.fromFolder(encoderFolder);
  addStore(
    encoderStore,
    matchParameters(
      encoderStore,
      parameters.filter((parameter) => !isDense(parameter)),
    ),
  );
  if (layout.densePath !== undefined) {
    const store = await TensorStore.fromFolder(join(folder, layout.densePath));
    const rename = (name: string) => name.replace(/^linear\./, 'dense.');
    addStore(store, matchParameters(store, parameters.filter(isDense), rename));
  }

  const tokenizer = await loadTokenizer(encoderFolder);
  checkTokenizer(tokenizer, config, configPath);
  const longest = longestSequence(config);
  if (options.maxLength !== undefined && !(options.maxLength <= longest)) {
    throw checkpointError(
      `maximum length ${options.maxLength}: ${configPath} allows at most ${longest} tokens; choose ${longest} or less`,
    );
  }
  const placeOf = (name: string) => {
    const place = places.get(name);
    if (place === undefined) throw new RangeError(`${folder}: no parameter "${name}"`);
    return place;
  };
  return {
    config,
    pooling,
    maxLength: options.maxLength ?? Math.min(layout.maxLength ?? longest, longest),
    prompts: layout.prompts,
    ...(layout.defaultPromptName !== undefined && { defaultPromptName: layout.defaultPromptName }),
    ...(layout.similarity !== undefined && { similarity: layout.similarity }),
    tokenizer,
    source: folder,
    parameters,
    readTensor: async (name) => {
      const { store, stored } = placeOf(name);
      return store.read(stored);
    },
    readRows: async (name, begin, end) => {
      const { store, stored } = placeOf(name);
      return store.readRows(stored, begin, end);
    },
  };
}
