/**
 * Saves a model in the sentence-transformers layout, all or nothing: everything goes into a folder with a
 * temporary name, is flushed, and only then gets its real name. It runs no model.
 */

import { rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type EncoderConfig, encoderParameters, type PoolingConfig } from '@synglot/nn';
import { adapterConfigFile, adapterWeightsFile, formatAdapterConfig } from './adapters/adapter-config.js';
import { adapterTensors } from './adapters/adapter-tensors.js';
import { ModelError } from './errors.js';
import {
  discard,
  isFolder,
  makeFolders,
  PARTIAL_MARK,
  partialName,
  syncFolder,
  systemCode,
  writeAll,
  writeError,
  writeSynced,
} from './files.js';
import { formatHfConfig, longestSequence } from './hf-config.js';
import { streamSafetensors, type TensorSource } from './safetensors/writer.js';
import { DENSE_FOLDER, formatLayout } from './sentence-transformers.js';
import { checkTokenizer, cleanTokenizerJson, type Tokenizer, tokenizerConfigJson } from './tokenizer.js';

/** A model to be saved. */
export interface CheckpointContents {
  readonly config: EncoderConfig;
  readonly pooling: PoolingConfig;
  /** Longest sequence in tokens, special ones included. */
  readonly maxLength: number;
  readonly prompts?: Readonly<Record<string, string>>;
  readonly defaultPromptName?: string;
  readonly similarity?: string;
  readonly tokenizer: Tokenizer;
  /** Every parameter once, in any order; `read` is called one at a time. */
  readonly tensors: Iterable<TensorSource> | AsyncIterable<TensorSource>;
  /** Folder or hub id of the model under the adapter, where `config` has one. */
  readonly adapterBase?: string;
  /** Hub id of the model that it was trained from, for the model card. */
  readonly baseModel?: string;
  /** A paragraph of Markdown for the model card: what it was trained on. */
  readonly description?: string;
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

async function writeContents(folder: string, name: string, contents: CheckpointContents): Promise<void> {
  const { config, tokenizer, maxLength } = contents;
  const tensors = await orderTensors(contents);
  const texts = new Map<string, string>();
  const layout = formatLayout({ ...contents, hiddenSize: config.hiddenSize });
  for (const [path, json] of layout) texts.set(path, `${JSON.stringify(json, undefined, 2)}\n`);
  const { adapter } = config;
  const described = adapter
    ? formatAdapterConfig(config, adapter, contents.adapterBase ?? '')
    : formatHfConfig(config, { pad: tokenizer.padId });
  texts.set(adapter ? adapterConfigFile : 'config.json', `${JSON.stringify(described, undefined, 2)}\n`);
  texts.set('tokenizer.json', cleanTokenizerJson(tokenizer));
  const tokenizerConfig = tokenizerConfigJson(tokenizer, maxLength);
  texts.set('tokenizer_config.json', `${JSON.stringify(tokenizerConfig, undefined, 2)}\n`);
  texts.set('README.md', modelCard(name, contents));

  const folders = new Set([...texts.keys()].map((path) => dirname(join(folder, path))));
  for (const path of folders) await makeFolders(path);
  for (const [path, text] of texts) {
    await writeSynced(join(folder, path), (handle) => writeAll(handle, new TextEncoder().encode(text)));
  }
  const isDense = ({ name: tensor }: TensorSource) => tensor.startsWith('dense.');
  const encoder = adapter
    ? adapterTensors(encoderParameters(config, contents.pooling), adapter, tensors)
    : tensors.filter((tensor) => !isDense(tensor));
  const weights = join(folder, adapter ? adapterWeightsFile : 'model.safetensors');
  await writeSynced(weights, (handle) => streamSafetensors(handle, encoder));
  if (contents.pooling.dense !== undefined) {
    const dense = tensors.filter(isDense).map((tensor) => ({
      name: tensor.name.replace(/^dense\./, 'linear.'),
      shape: tensor.shape,
      read: () => tensor.read(),
    }));
    const path = join(folder, DENSE_FOLDER, 'model.safetensors');
    await writeSynced(path, (handle) => streamSafetensors(handle, dense));
  }
  for (const path of folders) await syncFolder(path);
}

/** Gives a written folder its name, replacing an earlier checkpoint of that name if there is one. */
async function publish(partial: string, folder: string): Promise<void> {
  if (!(await isFolder(folder))) {
    await rename(partial, folder);
    return;
  }
  // A folder that holds something cannot be replaced in one step: it steps aside, and back on failure.
  // A process killed in between leaves both whole; the earlier one can still be opened by this name.
  const earlier = partialName(folder).replace(PARTIAL_MARK, '.replaced-');
  await rename(folder, earlier);
  try {
    await rename(partial, folder);
  } catch (error) {
    await rename(earlier, folder);
    throw error;
  }
  await discard(earlier);
}

/**
 * Saves a model as a folder that `openCheckpoint`, sentence-transformers and transformers load. With an
 * adapter, the folder holds the adapter and what was trained beside it, and names the model under it.
 *
 * A checkpoint already in `folder` is replaced. When anything fails, nothing is left behind.
 *
 * @throws ModelError `INPUT_DISK` on a full disk and the like; `INPUT_TOKENIZER` if the tokenizer does not fit.
 */
export async function saveCheckpoint(folder: string, contents: CheckpointContents): Promise<void> {
  checkTokenizer(contents.tokenizer, contents.config, 'the configuration to be saved');
  const longest = longestSequence(contents.config);
  if (!(Number.isInteger(contents.maxLength) && contents.maxLength > 0 && contents.maxLength <= longest)) {
    throw new RangeError(`maxLength ${contents.maxLength}, expected a whole number from 1 to ${longest}`);
  }
  if (folder.endsWith('/') || folder.endsWith('\\')) return saveCheckpoint(folder.slice(0, -1), contents);
  const partial = partialName(folder);
  try {
    await makeFolders(partial);
    await writeContents(partial, basename(folder), contents);
    await publish(partial, folder);
  } catch (error) {
    await discard(partial);
    if (error instanceof ModelError) {
      throw new ModelError(error.code, error.message.replace(partial, folder), { cause: error });
    }
    // A file in the folder's place is an ENOTDIR or EEXIST of mkdir or rename.
    throw systemCode(error) === 'EEXIST'
      ? new ModelError('INPUT_DISK', `${folder}: a file is in the way; choose another folder`, {
          cause: error,
        })
      : writeError(folder, error);
  }
  await syncFolder(dirname(folder));
}
