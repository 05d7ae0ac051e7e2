/** Opens an adapter's folder (in a page, its address) on top of a checkpoint. It runs nothing. */
import { encoderParameters, type PoolingConfig } from '@synglot/nn';
import { modelSource } from '#model-source';
import { checkpointError } from '../errors.js';
import { longestSequence } from '../hf-config.js';
import { matchParameters } from '../hf-weights.js';
import { readJsonObject } from '../json-files.js';
import type { Checkpoint } from '../model-folder.js';
import { SafetensorsFile, TensorStore } from '../safetensors/reader.js';
import { readLayout } from '../sentence-transformers.js';
import { adapterConfigFile, adapterWeightsFile, parseAdapterConfig } from './adapter-config.js';
import { adapterFileSpecs, adapterParameterName, fileShape, fromFile } from './adapter-tensors.js';

/** Whether a folder holds an adapter and no whole model. */
export async function isAdapterFolder(folder: string): Promise<boolean> {
  return (
    (await modelSource.isFile(modelSource.join(folder, adapterConfigFile))) &&
    !(await modelSource.isFile(modelSource.join(folder, 'config.json')))
  );
}

/**
 * A checkpoint with an adapter over it: `adapter_config.json` and `adapter_model.safetensors`, as PEFT
 * writes them. What was trained beside the adapter replaces the checkpoint's.
 *
 * @throws ModelError `INPUT_CHECKPOINT` if the adapter is damaged, unsupported or of another model
 * @example
 * const checkpoint = await withAdapter(await openCheckpoint('xlm-roberta-base'), 'my-adapter');
 */
export async function withAdapter(base: Checkpoint, folder: string): Promise<Checkpoint> {
  if (base.config.adapter) {
    throw checkpointError(`${base.source}: has an adapter already; merge it with 'synglot merge' first`);
  }
  const path = modelSource.join(folder, adapterConfigFile);
  const json = await readJsonObject(path);
  const weights = modelSource.join(folder, adapterWeightsFile);
  const file = await SafetensorsFile.openIfPresent(weights);
  if (file === undefined) {
    throw checkpointError(`${weights}: missing; an adapter needs ${adapterConfigFile} and this file`);
  }
  const store = TensorStore.fromFile(file);
  const names = new Map<string, string>();
  for (const stored of store.files.keys()) {
    const name = adapterParameterName(stored);
    if (name !== undefined) names.set(name, stored);
  }
  const adapter = parseAdapterConfig(json, path, base.config, new Set(names.keys()));
  const config = { ...base.config, adapter };
  const parameters = encoderParameters(config, base.pooling);
  const specs = new Map(
    adapterFileSpecs(parameters)
      // PEFT saves only the tables that `modules_to_save` names.
      .filter(({ name }) => names.has(name) || !base.parameters.some((other) => other.name === name))
      .map((spec) => [spec.name, spec]),
  );
  for (const name of names.keys()) {
    if (specs.has(name)) continue;
    throw checkpointError(
      `${weights}: tensor "${names.get(name)}" is neither the adapter's nor trained beside it; the adapter is of another model`,
    );
  }
  const shaped = [...specs.values()].map((spec) => ({ ...spec, shape: fileShape(spec, adapter) }));
  const places = matchParameters(store, shaped, adapterParameterName);
  const whole = async (name: string) => {
    const spec = specs.get(name);
    const stored = places.get(name);
    return spec && stored ? fromFile(spec, adapter, await store.read(stored)) : undefined;
  };
  return {
    ...base,
    config,
    parameters,
    readTensor: async (name) => (await whole(name)) ?? base.readTensor(name),
    readRows: async (name, begin, end) => {
      const spec = specs.get(name);
      if (!spec) return base.readRows(name, begin, end);
      const values = (await whole(name)) as Float32Array;
      const columns = values.length / (spec.shape[0] as number);
      return values.slice(begin * columns, end * columns);
    },
  };
}

/**
 * Opens an adapter's folder over the model that it names: pooling, prompts and dense layer are the
 * folder's where it is a sentence-transformers folder.
 */
export async function openAdapterFolder(
  base: Checkpoint,
  baseName: string,
  folder: string,
  encoderFolder: string,
  options: { readonly pooling?: Omit<PoolingConfig, 'dense'>; readonly maxLength?: number },
): Promise<Checkpoint> {
  const over = await withAdapter(await withLayout(base, folder, options), encoderFolder);
  return { ...over, source: folder, adapterBase: baseName, baseSource: base.source };
}

async function withLayout(
  base: Checkpoint,
  folder: string,
  options: { readonly pooling?: Omit<PoolingConfig, 'dense'>; readonly maxLength?: number },
): Promise<Checkpoint> {
  if (!(await modelSource.isFile(modelSource.join(folder, 'modules.json')))) return base;
  const layout = await readLayout(folder, base.config.hiddenSize);
  const pooling = { ...layout.pooling, ...options.pooling };
  const longest = longestSequence(base.config);
  const parameters = encoderParameters(base.config, pooling);
  const settled = {
    ...base,
    pooling,
    parameters,
    maxLength: options.maxLength ?? Math.min(layout.maxLength ?? base.maxLength, longest),
    prompts: layout.prompts,
    ...(layout.defaultPromptName !== undefined && { defaultPromptName: layout.defaultPromptName }),
    ...(layout.similarity !== undefined && { similarity: layout.similarity }),
  };
  if (layout.densePath === undefined) return settled;
  const store = await TensorStore.fromFolder(modelSource.join(folder, layout.densePath));
  const places = matchParameters(
    store,
    parameters.filter(({ name }) => name.startsWith('dense.')),
    (name) => name.replace(/^linear\./, 'dense.'),
  );
  return {
    ...settled,
    readTensor: async (name) => {
      const stored = places.get(name);
      return stored ? store.read(stored) : base.readTensor(name);
    },
    readRows: async (name, begin, end) => {
      const stored = places.get(name);
      return stored ? store.readRows(stored, begin, end) : base.readRows(name, begin, end);
    },
  };
}
