/** Shapes and constants of an encoder: what `config.json` says, under our own names. */
import type { AdapterConfig } from '../adapters/config.js';

/** `bert`: BERT, mBERT, LaBSE, MiniLM, E5. `xlm-roberta`: position ids start at padding_idx + 1. */
export type EncoderFamily = 'bert' | 'xlm-roberta';

/** Architecture of an encoder, in the terms of `config.json`. */
export interface EncoderConfig {
  readonly family: EncoderFamily;
  readonly vocabularySize: number;
  readonly hiddenSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly intermediateSize: number;
  /** Rows of the position table; XLM-R's first usable row is `positionOffset`. */
  readonly maxPositions: number;
  /** Rows of the token-type table (2 for BERT, 1 for XLM-R). */
  readonly typeVocabularySize: number;
  readonly layerNormEpsilon: number;
  /** Dropout on the embeddings and on each sub-layer's output, 0 … 1. */
  readonly hiddenDropout: number;
  /** Dropout on the attention probabilities, 0 … 1. */
  readonly attentionDropout: number;
  /** First position id: 0 for BERT, padding_idx + 1 = 2 for XLM-R. */
  readonly positionOffset: number;
  /** Standard deviation of freshly initialised weights. */
  readonly initializerRange: number;
  /** An adapter on the encoder; not part of `config.json`. */
  readonly adapter?: AdapterConfig;
}

/** A linear layer after pooling (sentence-transformers `2_Dense`). */
export interface DenseConfig {
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly bias: boolean;
  readonly activation: 'tanh' | 'identity';
}

/** How token vectors become one embedding. LaBSE: cls, a tanh dense layer, normalise. */
export interface PoolingConfig {
  readonly mode: 'cls' | 'mean';
  readonly dense?: DenseConfig;
  readonly normalize: boolean;
}

/**
 * Parameters are named as in Hugging Face checkpoints, without the model prefix:
 * `embeddings.word_embeddings.weight`, `encoder.layer.0.attention.self.query.weight`, …;
 * the dense head's are `dense.weight` and `dense.bias`.
 */
export type ParameterName = string;
