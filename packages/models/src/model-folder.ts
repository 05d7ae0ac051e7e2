/**
 * Reads a model's folder: configuration, tokenizer and single tensors, checked against each other. The folder may be
 * an address (`#model-source`). It holds no weights in memory and runs nothing.
 */

import { type EncoderConfig, encoderParameters, type ParameterSpec, type PoolingConfig } from '@synglot/nn';
import { modelSource } from '#model-source';
import { checkpointError, type ModelError } from './errors.js';
import { longestSequence, parseHfConfig } from './hf-config.js';
import { matchParameters } from './hf-weights.js';
import { readJsonObject } from './json-files.js';
import { TensorStore } from './safetensors/reader.js';
import { encoderPath, type Module, readLayout } from './sentence-transformers.js';
import { checkTokenizer, type Tokenizer } from './tokenizer.js';
import { loadTokenizer } from './tokenizer-files.js';

/** What to take instead of what a model's folder says. */
export interface ModelFolderOptions {
  /** Overrides what the folder says; default for a plain Hugging Face folder: mean, normalised. */
  readonly pooling?: Omit<PoolingConfig, 'dense'>;
  /** Overrides the longest sequence, in tokens with special ones. */
  readonly maxLength?: number;
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
  /** The folder that the model under such an adapter was read from. */
  readonly baseSource?: string;
  /** Every parameter, named as `EncoderConfig`'s file says. */
  readonly parameters: readonly ParameterSpec[];
  /** A whole parameter as float32, row-major. */
  readTensor(name: string): Promise<Float32Array>;
  /** Rows `begin` … `end - 1` of a parameter as float32: large tables need not be read at once. */
  readRows(name: string, begin: number, end: number): Promise<Float32Array>;
}

/**
 * Opens a folder that holds a whole model.
 *
 * @param modules what its `modules.json` says
 * @throws ModelError with an `INPUT_` code if a file is missing, damaged, unsupported or does not fit the others.
 */
export async function openModelFolder(
  folder: string,
  modules: readonly Module[],
  options: ModelFolderOptions = {},
): Promise<Checkpoint> {
  const encoderFolder = modelSource.join(folder, encoderPath(modules));
  const configPath = modelSource.join(encoderFolder, 'config.json');
  // Read without asking whether it is there: a server that gives no answer says so now.
  const json = await readJsonObject(configPath).catch((error: ModelError) => {
    if (!modelSource.isMissing(error.cause)) throw error;
    throw checkpointError(
      `${configPath}: missing; a model folder needs config.json, model.safetensors and tokenizer.json`,
      error,
    );
  });
  const config = parseHfConfig(json, configPath);
  const layout = await readLayout(folder, config.hiddenSize, modules);
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
    const store = await TensorStore.fromFolder(modelSource.join(folder, layout.densePath));
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
