/** Hugging Face `config.json` to and from `EncoderConfig`. It reads no weights. */

import type { EncoderConfig, EncoderFamily } from '@synglot/nn';
import { checkpointError } from './errors.js';
import { describe, type JsonObject, refuseOthers } from './json.js';

interface FamilyFacts {
  readonly architecture: string;
  /** transformers' defaults, which a config.json may leave out. */
  readonly defaults: Readonly<Record<string, number>>;
}

const SHARED_DEFAULTS = {
  layer_norm_eps: 1e-12,
  hidden_dropout_prob: 0.1,
  attention_probs_dropout_prob: 0.1,
  initializer_range: 0.02,
  type_vocab_size: 2,
};

const FAMILIES: Readonly<Record<EncoderFamily, FamilyFacts>> = {
  bert: { architecture: 'BertModel', defaults: { ...SHARED_DEFAULTS, pad_token_id: 0 } },
  'xlm-roberta': { architecture: 'XLMRobertaModel', defaults: { ...SHARED_DEFAULTS, pad_token_id: 1 } },
};

/** Settings that change what the encoder computes, with the only values this encoder has. */
const FIXED = {
  hidden_act: ['gelu', undefined],
  position_embedding_type: ['absolute', null, undefined],
  is_decoder: [false, null, undefined],
  add_cross_attention: [false, null, undefined],
  // Rare low-rank embeddings of other model types that share the name.
  embedding_size: [null, undefined],
};

/**
 * Reads an encoder's configuration from a parsed `config.json`.
 *
 * @param path - for messages
 * @throws ModelError `INPUT_CHECKPOINT` for another model type, activation, position embedding, or a bad number.
 */
export function parseHfConfig(json: JsonObject, path: string): EncoderConfig {
  const { model_type: type } = json;
  if (type !== 'bert' && type !== 'xlm-roberta') {
    throw checkpointError(
      `${path}: model_type ${describe(type)} is not supported, expected "bert" or "xlm-roberta"; choose a checkpoint of one of these families (BERT, mBERT, LaBSE, MiniLM, E5, XLM-R)`,
    );
  }
  refuseOthers(json, FIXED, path);
  const { defaults } = FAMILIES[type];
  const read = (key: string, test: (value: number) => boolean, expected: string): number => {
    const value = json[key] ?? defaults[key];
    if (typeof value !== 'number' || !test(value)) {
      throw checkpointError(`${path}: ${key} is ${describe(value)}, expected ${expected}; repair the file`);
    }
    return value;
  };
  const count = (key: string) =>
    read(key, (value) => Number.isSafeInteger(value) && value > 0, 'a whole number above 0');
  const share = (key: string) => read(key, (value) => value >= 0 && value < 1, 'a number from 0 to below 1');
  const positive = (key: string) => read(key, (value) => value > 0, 'a number above 0');

  const config: EncoderConfig = {
    family: type,
    vocabularySize: count('vocab_size'),
    hiddenSize: count('hidden_size'),
    layers: count('num_hidden_layers'),
    heads: count('num_attention_heads'),
    intermediateSize: count('intermediate_size'),
    maxPositions: count('max_position_embeddings'),
    typeVocabularySize: count('type_vocab_size'),
    layerNormEpsilon: positive('layer_norm_eps'),
    hiddenDropout: share('hidden_dropout_prob'),
    attentionDropout: share('attention_probs_dropout_prob'),
    positionOffset:
      type === 'bert'
        ? 0
        : read('pad_token_id', (value) => Number.isSafeInteger(value) && value >= 0, 'a whole number') + 1,
    initializerRange: positive('initializer_range'),
  };
  if (config.hiddenSize % config.heads !== 0) {
    throw checkpointError(
      `${path}: hidden_size ${config.hiddenSize} is not a multiple of num_attention_heads ${config.heads}; repair the file`,
    );
  }
  if (config.positionOffset >= config.maxPositions) {
    throw checkpointError(
      `${path}: max_position_embeddings is ${config.maxPositions}, expected more than pad_token_id + 1 = ${config.positionOffset}; repair the file`,
    );
  }
  return config;
}

/** Token ids that `config.json` carries for other programs. */
export interface SpecialTokenIds {
  /** Of BERT models only: XLM-R's padding id is `positionOffset - 1`, since positions are counted from it. */
  readonly pad?: number | undefined;
}

/** Builds the `config.json` that transformers loads, in transformers' key names. */
export function formatHfConfig(config: EncoderConfig, special: SpecialTokenIds = {}): JsonObject {
  const { architecture, defaults } = FAMILIES[config.family];
  const pad = config.family === 'bert' ? (special.pad ?? defaults.pad_token_id) : config.positionOffset - 1;
  return {
    architectures: [architecture],
    model_type: config.family,
    attention_probs_dropout_prob: config.attentionDropout,
    dtype: 'float32',
    hidden_act: 'gelu',
    hidden_dropout_prob: config.hiddenDropout,
    hidden_size: config.hiddenSize,
    initializer_range: config.initializerRange,
    intermediate_size: config.intermediateSize,
    layer_norm_eps: config.layerNormEpsilon,
    max_position_embeddings: config.maxPositions,
    num_attention_heads: config.heads,
    num_hidden_layers: config.layers,
    pad_token_id: pad,
    position_embedding_type: 'absolute',
    type_vocab_size: config.typeVocabularySize,
    vocab_size: config.vocabularySize,
  };
}

/** The longest sequence, in tokens and special ones included, that the position table allows. */
export function longestSequence(config: EncoderConfig): number {
  return config.maxPositions - config.positionOffset;
}
