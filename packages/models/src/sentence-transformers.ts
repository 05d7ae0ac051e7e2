/**
 * The JSON files with which sentence-transformers describes what follows the encoder:
 * `modules.json`, `1_Pooling`, `2_Dense`, `config_sentence_transformers.json`, `sentence_bert_config.json`.
 * Old and new key names are read. It reads no weights.
 */

import type { DenseConfig, PoolingConfig } from '@synglot/nn';
import { modelSource } from '#model-source';
import { checkpointError } from './errors.js';
import { describe, isJsonObject, type JsonObject, refuseOthers } from './json.js';
import { readJsonIfPresent, readJsonObject, readJsonObjectIfPresent } from './json-files.js';
import { lowerCases } from './tokenizer.js';
import { loadTokenizer } from './tokenizer-files.js';

/** What the sentence-transformers files of a folder say. */
export interface SentenceTransformersLayout {
  /** Folder of the encoder inside the model folder: empty, or `0_Transformer` in old models. */
  readonly encoderPath: string;
  /** Folder of the dense layer inside the model folder, if there is one. */
  readonly densePath?: string;
  readonly pooling: PoolingConfig;
  /** Tokens with special ones, if the folder sets it. */
  readonly maxLength?: number;
  /** Texts put in front of inputs, by name (`query`, `document`, …). */
  readonly prompts: Readonly<Record<string, string>>;
  readonly defaultPromptName?: string;
  /** `cosine`, `dot`, `euclidean` or `manhattan`. */
  readonly similarity?: string;
}

/** What a plain Hugging Face folder gets, unless its user says otherwise. */
export const defaultPooling: PoolingConfig = { mode: 'mean', normalize: true };

/** Modes by their old key names. */
const OLD_MODES: Readonly<Record<string, string>> = {
  pooling_mode_cls_token: 'cls',
  pooling_mode_max_tokens: 'max',
  pooling_mode_mean_tokens: 'mean',
  pooling_mode_mean_sqrt_len_tokens: 'mean_sqrt_len_tokens',
  pooling_mode_weightedmean_tokens: 'weightedmean',
  pooling_mode_lasttoken: 'lasttoken',
};

function parsePooling(json: JsonObject, path: string, hiddenSize: number): 'cls' | 'mean' {
  const width = json.embedding_dimension ?? json.word_embedding_dimension;
  if (width !== undefined && width !== hiddenSize) {
    throw checkpointError(
      `${path}: embedding_dimension is ${describe(width)}, expected ${hiddenSize}, the hidden_size of config.json; the folders are not of the same model`,
    );
  }
  let mode = json.pooling_mode;
  if (mode === undefined) {
    const modes = Object.keys(OLD_MODES).filter((key) => json[key] === true);
    // Neither key means mean, as in sentence-transformers.
    mode = modes.length === 0 ? 'mean' : modes.map((key) => OLD_MODES[key]);
  }
  if (Array.isArray(mode) && mode.length === 1) [mode] = mode;
  if (mode === 'cls' || mode === 'mean') return mode;
  throw checkpointError(
    `${path}: pooling ${describe(mode)} is not supported, expected "cls" or "mean"; choose another checkpoint`,
  );
}

function parseDense(json: JsonObject, path: string, hiddenSize: number): DenseConfig {
  const { in_features: inputs, out_features: outputs, bias = true } = json;
  if (inputs !== hiddenSize) {
    throw checkpointError(
      `${path}: in_features is ${describe(inputs)}, expected ${hiddenSize}, the hidden_size of config.json`,
    );
  }
  if (typeof outputs !== 'number' || !Number.isSafeInteger(outputs) || outputs <= 0) {
    throw checkpointError(`${path}: out_features is ${describe(outputs)}, expected a whole number above 0`);
  }
  if (typeof bias !== 'boolean')
    throw checkpointError(`${path}: bias is ${describe(bias)}, expected true or false`);
  // sentence-transformers' default is Tanh.
  const { activation_function: name = 'torch.nn.modules.activation.Tanh' } = json;
  const activation =
    name === 'torch.nn.modules.activation.Tanh'
      ? 'tanh'
      : name === 'torch.nn.modules.linear.Identity'
        ? 'identity'
        : undefined;
  if (activation === undefined) {
    throw checkpointError(
      `${path}: activation_function ${describe(name)} is not supported, expected Tanh or Identity`,
    );
  }
  refuseOthers(json, { ...ON_SENTENCES, use_residual: [false, undefined] }, path);
  return { inFeatures: hiddenSize, outFeatures: outputs, bias, activation };
}

/** What a module after the pooling works on; token embeddings are left as they are. */
const ON_SENTENCES = {
  module_input_name: ['sentence_embedding', undefined],
  module_output_name: ['sentence_embedding', null, undefined],
};

/** A line of `modules.json`. */
export interface Module {
  /** Python class: `Transformer`, `Pooling`, `Dense`, `Normalize`; with its module where that is the model's own code. */
  readonly kind: string;
  readonly path: string;
}

/** The modules of a folder; none for a plain Hugging Face folder. */
export async function readModules(folder: string): Promise<readonly Module[]> {
  const path = modelSource.join(folder, 'modules.json');
  const list = await readJsonIfPresent(path);
  if (list === undefined) return [];
  if (!Array.isArray(list)) throw checkpointError(`${path}:1: expected a JSON list, found ${describe(list)}`);
  const modules = list.map((item: unknown, i): Module => {
    if (!isJsonObject(item) || typeof item.type !== 'string' || typeof item.path !== 'string') {
      throw checkpointError(
        `${path}: module ${i} is ${describe(item)}, expected an object with "type" and "path"`,
      );
    }
    if (item.path.split(/[/\\]/).includes('..') || /^([/\\]|[a-z]:)/i.test(item.path)) {
      throw checkpointError(`${path}: module ${i} lies outside the folder (${describe(item.path)})`);
    }
    return { kind: item.type.replace(/^sentence_transformers\.(\w+\.)*/, ''), path: item.path };
  });
  const places = modules.map(({ kind }) => ORDER.indexOf(kind));
  if (places[0] !== 0 || places[1] !== 1 || places.some((place, i) => i > 0 && place <= places[i - 1]!)) {
    throw checkpointError(
      `${path}: modules ${modules.map(({ kind }) => kind).join(', ')} are not supported, expected Transformer, Pooling, then at most one Dense and one Normalize; choose another checkpoint`,
    );
  }
  return modules;
}

/** The order of modules that this library computes; the last two may be left out. */
const ORDER = ['Transformer', 'Pooling', 'Dense', 'Normalize'];

/** Where in a folder the encoder lies: `0_Transformer` in old models of sentence-transformers, empty for the folder. */
export function encoderPath(modules: readonly Module[]): string {
  return modules[0]?.path ?? '';
}

function pathOf(modules: readonly Module[], kind: string): string | undefined {
  return modules.find((module) => module.kind === kind)?.path;
}

/** Settings of `sentence_bert_config.json` that change embeddings, with the only values that are computed. */
const TEXT_SETTINGS = {
  transformer_task: ['feature-extraction', undefined],
  processing_kwargs: [null, undefined],
  query_length: [null, undefined],
  document_length: [null, undefined],
  query_expansion: [null, undefined],
};

async function readMaxLength(folder: string): Promise<number | undefined> {
  const path = modelSource.join(folder, 'sentence_bert_config.json');
  const settings = await readJsonObjectIfPresent(path);
  refuseOthers(settings ?? {}, TEXT_SETTINGS, path);
  if (settings?.do_lower_case === true && !lowerCases(await loadTokenizer(folder))) {
    throw checkpointError(
      `${path}: do_lower_case is true, which is not supported outside the tokenizer; set it to false and lower-case the texts`,
    );
  }
  let [where, key, value] = [path, 'max_seq_length', settings?.max_seq_length ?? undefined];
  if (value === undefined) {
    [where, key] = [modelSource.join(folder, 'tokenizer_config.json'), 'model_max_length'];
    value = (await readJsonObjectIfPresent(where))?.[key] ?? undefined;
    // transformers writes 1e30 for "no limit known".
    if (typeof value === 'number' && value > 1e6) value = undefined;
  }
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1) {
    throw checkpointError(`${where}: ${key} is ${describe(value)}, expected a whole number above 0`);
  }
  return value;
}

/**
 * Reads the sentence-transformers files of a model folder, or the defaults where it has none.
 *
 * @param hiddenSize - of the encoder, which every part must agree with
 * @param known - the folder's modules, where they have been read
 * @throws ModelError `INPUT_CHECKPOINT` for modules, poolings or activations that are not supported.
 */
export async function readLayout(
  folder: string,
  hiddenSize: number,
  known?: readonly Module[],
): Promise<SentenceTransformersLayout> {
  const use = await readUse(folder);
  const modules = known ?? (await readModules(folder));
  const densePath = pathOf(modules, 'Dense');
  const pooling =
    modules.length === 0 ? defaultPooling : await readPooling(folder, modules, hiddenSize, use.prompts);
  const maxLength = await readMaxLength(modelSource.join(folder, encoderPath(modules)));
  return {
    ...use,
    encoderPath: encoderPath(modules),
    ...(densePath !== undefined && { densePath }),
    pooling,
    ...(maxLength !== undefined && { maxLength }),
  };
}

type ModelUse = Pick<SentenceTransformersLayout, 'prompts' | 'defaultPromptName' | 'similarity'>;

/** Prompts and similarity: `config_sentence_transformers.json`. */
async function readUse(folder: string): Promise<ModelUse> {
  const path = modelSource.join(folder, 'config_sentence_transformers.json');
  const settings = (await readJsonObjectIfPresent(path)) ?? {};
  const {
    truncate_dim: cut,
    prompts: given,
    default_prompt_name: name,
    similarity_fn_name: score,
  } = settings;
  if (typeof cut === 'number') {
    throw checkpointError(
      `${path}: truncate_dim is ${cut}, which is not supported in a folder; set it to null, and give --dimension ${cut} where embeddings are used`,
    );
  }
  const prompts: Record<string, string> = {};
  for (const [key, text] of Object.entries(isJsonObject(given) ? given : {}))
    if (typeof text === 'string') prompts[key] = text;
  return {
    prompts,
    ...(typeof name === 'string' && { defaultPromptName: name }),
    ...(typeof score === 'string' && { similarity: score }),
  };
}

/** What the modules after the encoder do. */
async function readPooling(
  folder: string,
  modules: readonly Module[],
  hiddenSize: number,
  prompts: Readonly<Record<string, string>>,
): Promise<PoolingConfig> {
  const configOf = (path: string) => modelSource.join(folder, path, 'config.json');
  const file = configOf(pathOf(modules, 'Pooling')!);
  const json = await readJsonObject(file);
  if (json.include_prompt === false && Object.values(prompts).some((text) => text !== '')) {
    throw checkpointError(
      `${file}: include_prompt false is not supported with prompts; choose another checkpoint`,
    );
  }
  const densePath = pathOf(modules, 'Dense');
  const dense =
    densePath === undefined
      ? undefined
      : parseDense(await readJsonObject(configOf(densePath)), configOf(densePath), hiddenSize);
  const normalizePath = pathOf(modules, 'Normalize');
  if (normalizePath !== undefined) {
    const path = configOf(normalizePath);
    refuseOthers((await readJsonObjectIfPresent(path)) ?? {}, ON_SENTENCES, path);
  }
  return {
    mode: parsePooling(json, file, hiddenSize),
    ...(dense !== undefined && { dense }),
    normalize: normalizePath !== undefined,
  };
}

/** What `formatLayout` writes down. */
export interface LayoutSettings {
  readonly pooling: PoolingConfig;
  readonly hiddenSize: number;
  readonly maxLength: number;
  readonly prompts?: Readonly<Record<string, string>> | undefined;
  readonly defaultPromptName?: string | undefined;
  readonly similarity?: string | undefined;
}

/** The dense layer's folder in what `formatLayout` writes. */
export const DENSE_FOLDER = '2_Dense';

/**
 * Builds the JSON files of a model folder, by relative path.
 *
 * Class and key names are the old ones: sentence-transformers 2 to 6 all load them.
 */
export function formatLayout(settings: LayoutSettings): Map<string, unknown> {
  const { pooling, hiddenSize, maxLength } = settings;
  const files = new Map<string, unknown>();
  const modules: { idx: number; name: string; path: string; type: string }[] = [];
  const add = (kind: string, path: string) => {
    const idx = modules.length;
    modules.push({ idx, name: String(idx), path, type: `sentence_transformers.models.${kind}` });
  };
  add('Transformer', '');
  add('Pooling', '1_Pooling');
  files.set('1_Pooling/config.json', {
    word_embedding_dimension: hiddenSize,
    ...Object.fromEntries(Object.entries(OLD_MODES).map(([key, mode]) => [key, mode === pooling.mode])),
    include_prompt: true,
  });
  if (pooling.dense !== undefined) {
    const { inFeatures, outFeatures, bias, activation } = pooling.dense;
    add('Dense', DENSE_FOLDER);
    files.set(`${DENSE_FOLDER}/config.json`, {
      in_features: inFeatures,
      out_features: outFeatures,
      bias,
      activation_function:
        activation === 'tanh' ? 'torch.nn.modules.activation.Tanh' : 'torch.nn.modules.linear.Identity',
    });
  }
  if (pooling.normalize) {
    const path = `${modules.length}_Normalize`;
    add('Normalize', path);
    // As sentence-transformers 6 has it; a page would ask for it in vain.
    files.set(`${path}/config.json`, {
      module_input_name: 'sentence_embedding',
      module_output_name: 'sentence_embedding',
    });
  }
  files.set('modules.json', modules);
  files.set('sentence_bert_config.json', { max_seq_length: maxLength, do_lower_case: false });
  files.set('config_sentence_transformers.json', {
    prompts: settings.prompts ?? {},
    default_prompt_name: settings.defaultPromptName ?? null,
    similarity_fn_name: settings.similarity ?? 'cosine',
  });
  return files;
}
