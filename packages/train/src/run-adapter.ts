/** The adapter of a run: made for the model it starts from, resumed, saved and merged. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { didYouMean } from '@synglot/data';
import {
  type Checkpoint,
  checkpointTensors,
  isAdapterFolder,
  mergeAdapter,
  openCheckpoint,
  saveCheckpoint,
  withAdapter,
} from '@synglot/models';
import {
  type AdapterConfig,
  type EncoderConfig,
  encoderParameters,
  freshParameters,
  isAdapterParameter,
  linearModules,
  matchModules,
  type ParameterStore,
} from '@synglot/nn';
import { type ModelParts, writeModel } from './checkpoints.js';
import { freshModel } from './config/fresh-model.js';
import { mistakeAt } from './config/places.js';
import type { TrainConfig } from './config.js';

type AdapterSection = NonNullable<TrainConfig['adapter']>;

/** Keys of the configuration that belong to one kind of adapter. */
const keysOf = {
  lora: ['rank', 'alpha', 'dropout', 'rank_stabilized', 'targets', 'merge'],
  bottleneck: ['size', 'activation', 'layers'],
} as const;

/**
 * The checkpoint with a fresh adapter if the configuration asks for one, else as it is.
 *
 * @throws TrainError `INPUT_CONFIG` for an adapter on layers that the model does not have
 */
export function withFreshAdapter(checkpoint: Checkpoint, config: TrainConfig): Checkpoint {
  if (!config.adapter) return checkpoint;
  const encoder = adaptedEncoder(checkpoint.config, config);
  const parameters = encoderParameters(encoder, checkpoint.pooling);
  const fresh = freshParameters(encoder, parameters, config.training.seed);
  const shapes = new Map(parameters.map(({ name, shape }) => [name, shape]));
  return {
    ...checkpoint,
    config: encoder,
    parameters,
    adapterBase: nameOf(checkpoint, config),
    readRows: (name, begin, end) =>
      isAdapterParameter(name) ? fresh(name, begin, end) : checkpoint.readRows(name, begin, end),
    readTensor: (name) =>
      isAdapterParameter(name) ? fresh(name, 0, shapes.get(name)?.[0] ?? 0) : checkpoint.readTensor(name),
  };
}

/** The model's encoder with the adapter that the configuration asks for, if any. @throws as `withFreshAdapter` */
export function adaptedEncoder(encoder: EncoderConfig, config: TrainConfig): EncoderConfig {
  const { adapter, model } = config;
  if (!adapter) return encoder;
  if (encoder.adapter) {
    throw mistakeAt(
      config,
      'model',
      `model: ${model} has an adapter already; leave the section 'adapter' out to train it further, or run 'synglot merge' first`,
    );
  }
  return { ...encoder, adapter: adapterOf(adapter, encoder) };
}

/** The model in a checkpoint of a run that started from `start`, which lacks the run's adapter. */
export async function openSavedModel(folder: string, start: Checkpoint): Promise<Checkpoint> {
  const over = !start.config.adapter && (await isAdapterFolder(folder));
  return over ? withAdapter(start, folder) : openCheckpoint(folder);
}

/** Writes the trained model; with `adapter.merge`, the merged one with the adapter beside it. */
export async function writeTrained(
  output: string,
  store: ParameterStore,
  parts: ModelParts,
  start: Checkpoint,
  { adapter }: TrainConfig,
): Promise<string> {
  const model = join(output, 'model');
  if (!adapter?.merge) {
    await writeModel(model, store, parts);
    return model;
  }
  const folder = join(output, 'adapter');
  await writeModel(folder, store, parts);
  const merged = mergeAdapter(await withAdapter(start, folder));
  const { adapterBase: _base, ...rest } = parts;
  await saveCheckpoint(model, { ...rest, config: merged.config, tensors: checkpointTensors(merged) });
  return model;
}

/** What the adapter's file calls the model under it: a hub id, or a folder's full path. */
function nameOf({ source }: Checkpoint, config: TrainConfig): string {
  const model = config.model === freshModel ? source : config.model;
  return existsSync(model) ? resolve(model) : model;
}

function adapterOf(section: AdapterSection, config: EncoderConfig): AdapterConfig {
  const { kind } = section;
  const foreign = keysOf[kind === 'lora' ? 'bottleneck' : 'lora'].find((key) => section[key]);
  if (foreign !== undefined) {
    const own = keysOf[kind === 'lora' ? 'lora' : 'bottleneck'];
    throw mistakeAt(
      section,
      foreign,
      `adapter.${foreign}: a ${kind} adapter has none; it takes ${own.join(', ')}, embeddings, layer_norms`,
    );
  }
  const beside = {
    trainsEmbeddings: section.embeddings === 'trained',
    trainsLayerNorms: section.layer_norms === 'trained',
  };
  if (kind !== 'lora') {
    const size = section.size ?? Math.ceil(config.hiddenSize / 16 / 4) * 4;
    if (size % 4 !== 0) {
      throw mistakeAt(
        section,
        'size',
        `adapter.size: expected a multiple of 4 but received ${size}; choose ${Math.ceil(size / 4) * 4}`,
      );
    }
    const activation = section.activation ?? (kind === 'houlsby' ? 'swish' : 'relu');
    return { kind, size, activation, layers: layersOf(section, config), ...beside };
  }
  const rank = section.rank ?? 8;
  return {
    kind,
    modules: modulesOf(section, config),
    rank,
    alpha: section.alpha ?? 2 * rank,
    dropout: section.dropout ?? 0,
    rankStabilized: section.rank_stabilized ?? false,
    ...beside,
  };
}

function modulesOf(section: AdapterSection, config: EncoderConfig): readonly string[] {
  const { targets = ['query', 'value'] } = section;
  const { modules, unmatched } = matchModules(config, typeof targets === 'string' ? [targets] : targets);
  const [unknown] = unmatched;
  if (unknown === undefined) return modules;
  const names = [
    ...new Set(
      linearModules(config).map((name) => name.replace(/^encoder\.layer\.\d+\.(attention\.self\.)?/, '')),
    ),
  ];
  throw mistakeAt(
    section,
    'targets',
    `adapter.targets: no linear layer of ${config.layers} layers ends in '${unknown}'${didYouMean(unknown, names)}; there are ${names.join(', ')} in encoder.layer.0 to encoder.layer.${config.layers - 1}`,
  );
}

function layersOf(section: AdapterSection, config: EncoderConfig): readonly number[] {
  const { layers } = section;
  const all = Array.from({ length: config.layers }, (_, layer) => layer);
  const unknown = layers?.find((layer) => layer >= config.layers);
  if (unknown === undefined) return layers ? all.filter((layer) => layers.includes(layer)) : all;
  throw mistakeAt(
    section,
    'layers',
    `adapter.layers: there is no layer ${unknown}; the model has layers 0 to ${config.layers - 1}`,
  );
}
