/**
 * Which tensor of a checkpoint is which parameter, and whether all are there in the right shape.
 * It reads no values.
 */

import type { ParameterSpec } from '@synglot/nn';
import { checkpointError } from './errors.js';
import type { TensorStore } from './safetensors/reader.js';

/** Prefixes under which a model with a head stores its encoder. */
const PREFIX = /^(bert|roberta|xlm_roberta)\./;

/** Not part of an embedding model: heads, the pooler, and buffers that some versions saved. */
const IGNORED =
  /^(pooler|lm_head|cls|classifier|qa_outputs|score)\.|^embeddings\.(position_ids|token_type_ids)$/;

/** Our parameter name of a stored tensor, or undefined for one that embeddings do not need. */
export function parameterName(stored: string): string | undefined {
  const bare = stored.replace(PREFIX, '');
  if (IGNORED.test(bare)) return undefined;
  // Checkpoints converted from TensorFlow keep its names of the layer norm's parameters.
  return bare.replace(/\.gamma$/, '.weight').replace(/\.beta$/, '.bias');
}

/** The setting of config.json behind each dimension of the tables, for messages. */
const TABLE_SETTINGS: Readonly<Record<string, string>> = {
  'embeddings.word_embeddings.weight': ' (vocab_size × hidden_size of config.json)',
  'embeddings.position_embeddings.weight': ' (max_position_embeddings × hidden_size of config.json)',
  'embeddings.token_type_embeddings.weight': ' (type_vocab_size × hidden_size of config.json)',
};

/**
 * Matches the tensors of a store with the expected parameters.
 *
 * @param rename - stored name to our name; undefined for a tensor to be passed over
 * @returns the stored name of each parameter
 * @throws ModelError `INPUT_CHECKPOINT` if one is missing, superfluous, doubled or of another shape.
 */
export function matchParameters(
  store: TensorStore,
  expected: readonly ParameterSpec[],
  rename: (stored: string) => string | undefined = parameterName,
): Map<string, string> {
  const stored = new Map<string, string>();
  for (const name of store.files.keys()) {
    const ours = rename(name);
    if (ours === undefined) continue;
    const earlier = stored.get(ours);
    if (earlier !== undefined) {
      throw checkpointError(
        `${store.path}: tensors "${earlier}" and "${name}" are both ${ours}; remove one of them`,
      );
    }
    stored.set(ours, name);
  }
  for (const { name, shape } of expected) {
    const found = stored.get(name);
    if (found === undefined) {
      const prefixed = [...stored.values()].find((other) => other.endsWith(`.${name}`));
      const remedy = prefixed
        ? `there is "${prefixed}": rename the tensors, without "${prefixed.slice(0, -name.length)}"`
        : 'config.json and weights are not of the same model, or the file is incomplete';
      throw checkpointError(
        `${store.path}: tensor "${name}" is missing (expected shape [${shape.join(', ')}]); ${remedy}`,
      );
    }
    const entry = store.entry(found);
    if (entry.shape.length !== shape.length || entry.shape.some((n, i) => n !== shape[i])) {
      throw checkpointError(
        `${store.path}: tensor "${found}" has shape [${entry.shape.join(', ')}], expected [${shape.join(', ')}]${TABLE_SETTINGS[name] ?? ' by config.json'}; config.json and weights are not of the same model`,
      );
    }
  }
  const names = new Set(expected.map(({ name }) => name));
  for (const [ours, found] of stored) {
    if (names.has(ours)) continue;
    throw checkpointError(
      `${store.path}: tensor "${found}" is not expected by config.json (${expected.length} parameters are); config.json and weights are not of the same model`,
    );
  }
  return stored;
}
