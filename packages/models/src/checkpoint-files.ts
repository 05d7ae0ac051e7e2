/**
 * The files of a model's folder in the sentence-transformers layout. What happens to them is the caller's: Node writes a
 * folder (`checkpoint-writer.ts`), a page offers downloads. It runs no model and opens no file.
 */

import { type EncoderConfig, encoderParameters, type ParameterStore, type PoolingConfig } from '@synglot/nn';
import { adapterConfigFile, adapterWeightsFile, formatAdapterConfig } from './adapters/adapter-config.js';
import { adapterTensors } from './adapters/adapter-tensors.js';
import { formatHfConfig, longestSequence } from './hf-config.js';
import type { Checkpoint } from './model-folder.js';
import { type FileContents, formatSafetensors, type TensorSource } from './safetensors/format.js';
import { DENSE_FOLDER, formatLayout } from './sentence-transformers.js';
import { checkTokenizer, cleanTokenizerJson, type Tokenizer, tokenizerConfigJson } from './tokenizer.js';

/** What makes up an embedding model besides its weights. */
export interface EmbeddingModelParts {
  readonly config: EncoderConfig;
  readonly pooling: PoolingConfig;
  /** Longest sequence in tokens, special ones included. */
  readonly maxLength: number;
  /** Texts put in front of inputs, by name. */
  readonly prompts?: Readonly<Record<string, string>>;
  readonly defaultPromptName?: string;
  readonly similarity?: string;
  readonly tokenizer: Tokenizer;
  /** Folder or hub id of the model under the adapter, where `config` has one. */
  readonly adapterBase?: string;
}

/** A model to be saved. */
export interface CheckpointContents extends EmbeddingModelParts {
  /** Every parameter once, in any order; `read` is called one at a time. */
  readonly tensors: Iterable<TensorSource> | AsyncIterable<TensorSource>;
  /** Hub id of the model that it was trained from, for the model card. */
  readonly baseModel?: string;
  /** A paragraph of Markdown for the model card: what it was trained on. */
  readonly description?: string;
}

/** A file of a model's folder. */
export interface CheckpointFile extends FileContents {
  /** Where it is in the folder; parts are separated by `/`. */
  readonly path: string;
}

/** The weights that a model is saved with, each read from the device when its turn comes. */
export function storedTensors(store: ParameterStore): TensorSource[] {
  return store.layout.specs
    .filter(({ auxiliary }) => !auxiliary)
    .map(({ name, shape }) => ({ name, shape, read: () => store.read('parameter', name) }));
}

/** The weights of an opened model, each read from its files when its turn comes. */
export function checkpointTensors(checkpoint: Checkpoint): TensorSource[] {
  return checkpoint.parameters.map(({ name, shape }) => ({
    name,
    shape,
    read: () => checkpoint.readTensor(name),
  }));
}

/**
 * The files of a folder that `openCheckpoint`, sentence-transformers and transformers load. With an adapter, they
 * are the adapter's and what was trained beside it, and name the model under it.
 *
 * @param name of the model, for its card
 * @throws ModelError `INPUT_TOKENIZER` if the tokenizer does not fit; TypeError if the tensors are not the parameters.
 * @example
 * for (const file of await checkpointFiles('my-model', model.contents())) offer(file.path, file.pieces());
 */
export async function checkpointFiles(name: string, contents: CheckpointContents): Promise<CheckpointFile[]> {
  const { config, pooling, maxLength, tokenizer } = contents;
  checkTokenizer(tokenizer, config, 'the configuration to be saved');
  const longest = longestSequence(config);
  if (!(Number.isInteger(maxLength) && maxLength > 0 && maxLength <= longest)) {
    throw new RangeError(`maxLength ${maxLength}, expected a whole number from 1 to ${longest}`);
  }
  const tensors = await orderTensors(contents);
  const { adapter } = config;
  const isDense = ({ name: tensor }: TensorSource) => tensor.startsWith('dense.');
  const encoder = adapter
    ? adapterTensors(encoderParameters(config, pooling), adapter, tensors)
    : tensors.filter((tensor) => !isDense(tensor));
  const dense = tensors.filter(isDense).map((tensor) => ({
    name: tensor.name.replace(/^dense\./, 'linear.'),
    shape: tensor.shape,
    read: () => tensor.read(),
  }));
  return [
    ...[...formatLayout({ ...contents, hiddenSize: config.hiddenSize })].map(([path, json]) =>
      jsonFile(path, json),
    ),
    adapter
      ? jsonFile(adapterConfigFile, formatAdapterConfig(config, adapter, contents.adapterBase ?? ''))
      : jsonFile('config.json', formatHfConfig(config, { pad: tokenizer.padId })),
    textFile('tokenizer.json', cleanTokenizerJson(tokenizer)),
    jsonFile('tokenizer_config.json', tokenizerConfigJson(tokenizer, maxLength)),
    textFile('README.md', modelCard(name, contents)),
    { path: adapter ? adapterWeightsFile : 'model.safetensors', ...formatSafetensors(encoder) },
    ...(pooling.dense ? [{ path: `${DENSE_FOLDER}/model.safetensors`, ...formatSafetensors(dense) }] : []),
  ];
}

function jsonFile(path: string, json: unknown): CheckpointFile {
  return textFile(path, `${JSON.stringify(json, undefined, 2)}\n`);
}

function textFile(path: string, text: string): CheckpointFile {
  const bytes = new TextEncoder().encode(text);
  return {
    path,
    sizeBytes: bytes.byteLength,
    async *pieces() {
      yield bytes;
    },
  };
}

const LICENCE_NOTE = 'Its licence is that of the data and the checkpoint it was trained from.';

function modelCard(name: string, { config, pooling, maxLength, ...rest }: CheckpointContents): string {
  const { description, baseModel } = rest;
  const width = pooling.dense?.outFeatures ?? config.hiddenSize;
  const steps = [
    `${pooling.mode} pooling`,
    ...(pooling.dense ? [`a dense layer (${pooling.dense.activation})`] : []),
    ...(pooling.normalize ? ['normalisation'] : []),
  ];
  return `---
library_name: sentence-transformers
pipeline_tag: sentence-similarity
${baseModel === undefined ? '' : `base_model: ${baseModel}\n`}tags:
- sentence-transformers
- synglot
---

# ${name}

A retrieval model trained with synglot: ${config.family}, ${config.layers} layers, ${steps.join(', ')};
embeddings of ${width} numbers from at most ${maxLength} tokens. ${LICENCE_NOTE}
${description === undefined ? '' : `\n${description.trim()}\n`}
\`\`\`python
from sentence_transformers import SentenceTransformer

model = SentenceTransformer("path/to/this/folder")
questions = model.encode_query(["a question"])
passages = model.encode_document(["a passage"])
scores = model.similarity(questions, passages)
\`\`\`
`;
}

/** Puts the tensors in the order of the parameters, after checking that they are the parameters. */
async function orderTensors(contents: CheckpointContents): Promise<TensorSource[]> {
  const given = new Map<string, TensorSource>();
  for await (const tensor of contents.tensors) {
    if (given.has(tensor.name)) throw new TypeError(`tensor "${tensor.name}" given twice`);
    given.set(tensor.name, tensor);
  }
  const ordered = encoderParameters(contents.config, contents.pooling).map(({ name, shape }) => {
    const tensor = given.get(name);
    if (tensor === undefined) throw new TypeError(`tensor "${name}" is not among the ${given.size} given`);
    if (tensor.shape.join() !== shape.join()) {
      throw new TypeError(
        `tensor "${name}" has shape [${tensor.shape.join(', ')}], expected [${shape.join(', ')}]`,
      );
    }
    return tensor;
  });
  for (const name of given.keys()) {
    if (!ordered.some((tensor) => tensor.name === name))
      throw new TypeError(`tensor "${name}" is not a parameter`);
  }
  return ordered;
}
