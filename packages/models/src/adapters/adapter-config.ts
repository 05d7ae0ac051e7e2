/**
 * `adapter_config.json` to and from `AdapterConfig`: PEFT's for LoRA; for bottlenecks, which PEFT does
 * not have, the same file with a `peft_type` of our own. It reads no weights.
 */
import {
  type AdapterConfig,
  type BottleneckActivation,
  type BottleneckConfig,
  bottleneckPlaces,
  type EncoderConfig,
  type LoraConfig,
  linearModules,
  matchModules,
} from '@synglot/nn';
import { checkpointError } from '../errors.js';
import { describe, type JsonObject, refuseOthers } from '../json.js';

export const adapterConfigFile = 'adapter_config.json';
export const adapterWeightsFile = 'adapter_model.safetensors';

/** Settings of PEFT that change what LoRA computes, with the only values that we compute. */
const fixed = {
  use_dora: [false, null, undefined],
  bias: ['none', null, undefined],
  fan_in_fan_out: [false, null, undefined],
  lora_bias: [false, null, undefined],
  alora_invocation_tokens: [null, undefined],
  // The others (pissa, olora, corda, loftq, lora_ga) take what they begin with out of the model's own weights.
  init_lora_weights: [true, false, null, undefined, 'gaussian', 'eva', 'orthogonal', 'mica'],
};
/** Ranks and scales of single modules. */
const patterns = ['rank_pattern', 'alpha_pattern'];

const tables = ['word_embeddings', 'position_embeddings', 'token_type_embeddings'];

/**
 * Reads an adapter's configuration.
 *
 * @param json - of `adapter_config.json`
 * @param names - our names of the parameters in the weights beside it: they show which modules are adapted, since
 *   `target_modules` may be a regular expression
 * @throws ModelError `INPUT_CHECKPOINT` for another kind of adapter or one that does not fit the model
 */
export function parseAdapterConfig(
  json: JsonObject,
  path: string,
  config: EncoderConfig,
  names: ReadonlySet<string>,
): AdapterConfig {
  const beside = {
    trainsEmbeddings: tables.some((table) => names.has(`embeddings.${table}.weight`)),
    trainsLayerNorms: [...names].some((name) => name.includes('LayerNorm')),
  };
  const { peft_type: type } = json;
  if (type === 'LORA') return { ...parseLora(json, path, config, names), ...beside };
  if (type === 'HOULSBY' || type === 'PFEIFFER') {
    const kind = type === 'HOULSBY' ? 'houlsby' : 'pfeiffer';
    return { ...parseBottleneck(kind, json, path, config, names), ...beside };
  }
  throw checkpointError(
    `${path}: peft_type ${describe(type)} is not supported, expected "LORA", or "HOULSBY" or "PFEIFFER" as synglot writes them`,
  );
}

type Beside = 'trainsEmbeddings' | 'trainsLayerNorms';

function parseLora(
  json: JsonObject,
  path: string,
  config: EncoderConfig,
  names: ReadonlySet<string>,
): Omit<LoraConfig, Beside> {
  refuseOthers(json, fixed, path, 'merge it in PEFT');
  for (const key of patterns) {
    if (Object.keys((json[key] as object | null | undefined) ?? {}).length === 0) continue;
    throw checkpointError(
      `${path}: ${key} is not supported: one rank and alpha for all modules; merge it in PEFT`,
    );
  }
  const adapted = [...names].flatMap((name) => /^(.*)\.lora_A\.weight$/.exec(name)?.[1] ?? []);
  const modules = linearModules(config).filter((name) => adapted.includes(name));
  const other = adapted.find((name) => !modules.includes(name));
  if (other !== undefined) {
    throw checkpointError(
      `${path}: LoRA on "${other}", but the model has no such linear layer (it has ${config.layers} layers); the adapter is of another model`,
    );
  }
  if (modules.length === 0) throw checkpointError(`${path}: its weights adapt no linear layer of the model`);
  const positive = (key: string) => number(json, key, path, (value) => value > 0, 'a number above 0');
  return {
    kind: 'lora',
    modules,
    rank: number(json, 'r', path, isCount, 'a whole number above 0'),
    alpha: positive('lora_alpha'),
    dropout: number(json, 'lora_dropout', path, (value) => value >= 0 && value < 1, 'from 0 to below 1', 0),
    rankStabilized: json.use_rslora === true,
  };
}

function parseBottleneck(
  kind: 'houlsby' | 'pfeiffer',
  json: JsonObject,
  path: string,
  config: EncoderConfig,
  names: ReadonlySet<string>,
): Omit<BottleneckConfig, Beside> {
  const activation = json.non_linearity;
  if (activation !== 'gelu' && activation !== 'relu' && activation !== 'swish') {
    throw checkpointError(
      `${path}: non_linearity is ${describe(activation)}, expected "gelu", "relu" or "swish"`,
    );
  }
  const layers = Array.from({ length: config.layers }, (_, layer) => layer).filter((layer) =>
    names.has(`encoder.layer.${layer}.output.adapter_down.weight`),
  );
  const size = number(json, 'bottleneck_size', path, isCount, 'a whole number above 0');
  const found = { kind, layers, size, activation: activation as BottleneckActivation };
  const places = bottleneckPlaces({ ...found, trainsEmbeddings: false, trainsLayerNorms: false });
  const known = new Set(places.map((place) => `${place}.adapter_down.weight`));
  const other = [...names].find((name) => name.endsWith('.adapter_down.weight') && !known.has(name));
  if (layers.length === 0 || other !== undefined) {
    throw checkpointError(
      `${path}: a ${kind} adapter at ${other === undefined ? 'no layer' : `"${other}"`}, which the model does not have (it has ${config.layers} layers)`,
    );
  }
  return found;
}

const isCount = (value: number) => Number.isSafeInteger(value) && value > 0;

function number(
  json: JsonObject,
  key: string,
  path: string,
  test: (value: number) => boolean,
  expected: string,
  otherwise?: number,
): number {
  const value = json[key] ?? otherwise;
  if (typeof value === 'number' && test(value)) return value;
  throw checkpointError(`${path}: ${key} is ${describe(value)}, expected ${expected}`);
}

/** The file for an adapter; `base` is the folder or hub id of the model under it. */
export function formatAdapterConfig(config: EncoderConfig, adapter: AdapterConfig, base: string): JsonObject {
  const common = {
    base_model_name_or_path: base,
    inference_mode: true,
    modules_to_save: modulesToSave(adapter),
    task_type: 'FEATURE_EXTRACTION',
  };
  if (adapter.kind !== 'lora') {
    const { kind, size, activation, layers } = adapter;
    const peft_type = kind.toUpperCase();
    return { ...common, peft_type, bottleneck_size: size, non_linearity: activation, layers };
  }
  return {
    ...common,
    peft_type: 'LORA',
    auto_mapping: null,
    bias: 'none',
    fan_in_fan_out: false,
    init_lora_weights: true,
    layers_pattern: null,
    layers_to_transform: null,
    lora_alpha: adapter.alpha,
    lora_dropout: adapter.dropout,
    r: adapter.rank,
    revision: null,
    target_modules: shortNames(config, adapter.modules),
    use_dora: false,
    use_rslora: adapter.rankStabilized,
  };
}

/** PEFT's names of what is trained beside the adapter: ends of module names. */
function modulesToSave({ trainsEmbeddings, trainsLayerNorms }: AdapterConfig): string[] | null {
  const names = [...(trainsEmbeddings ? tables : []), ...(trainsLayerNorms ? ['LayerNorm'] : [])];
  return names.length > 0 ? names : null;
}

/** Ends of names that mean these modules and no others, else the names themselves. */
function shortNames(config: EncoderConfig, modules: readonly string[]): string[] {
  const ends = modules.map((name) => name.replace(/^encoder\.layer\.\d+\.(attention\.self\.)?/, ''));
  const short = [...new Set(ends)].sort();
  const meant = matchModules(config, short).modules;
  return meant.length === modules.length ? short : [...modules];
}
