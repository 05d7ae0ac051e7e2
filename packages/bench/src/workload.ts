/** The training step that peers are compared on: small enough for every library, real in shape. */
import type { EncoderBatch, EncoderConfig, PoolingConfig } from '@synglot/nn';

export const encoder: EncoderConfig = {
  family: 'bert',
  vocabularySize: 30522,
  hiddenSize: 384,
  layers: 2,
  heads: 12,
  intermediateSize: 1536,
  maxPositions: 512,
  typeVocabularySize: 2,
  layerNormEpsilon: 1e-12,
  hiddenDropout: 0,
  attentionDropout: 0,
  positionOffset: 0,
  initializerRange: 0.02,
};

export const pooling: PoolingConfig = { mode: 'mean', normalize: true };
export const pairs = 32;
export const sequenceLength = 32;
export const temperature = 0.05;

export const learningRate = 0.01;

/** 32 pairs of 32 tokens each, the same ids every time. */
export function makeBatch(): EncoderBatch & { readonly groups: Uint32Array } {
  const sequences = pairs * 2;
  let state = 12345;
  const ids = Uint32Array.from({ length: sequences * sequenceLength }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return 1000 + (state % 29000);
  });
  return {
    ids,
    cuSeqlens: Uint32Array.from({ length: sequences + 1 }, (_, index) => index * sequenceLength),
    queries: pairs,
    candidates: pairs,
    groups: Uint32Array.from({ length: pairs }, (_, index) => index),
  };
}

/**
 * Floating-point operations of one step, counting a multiply-add as two: products forward and twice
 * that backward, attention scores and values, similarities. Embeddings and norms are not counted.
 */
export function stepFlops(): number {
  const { hiddenSize: h, intermediateSize: f, layers } = encoder;
  const tokens = pairs * 2 * sequenceLength;
  const products = 2 * tokens * (4 * h * h + 2 * h * f) * layers;
  const attention = 2 * tokens * sequenceLength * h * 2 * layers;
  return 3 * (products + attention) + 3 * 2 * pairs * pairs * h;
}

/** The forward pass of one layer that peers are compared on: 32 sequences of 32 tokens. */
export const layerSequences = 32;
export const layerTokens = layerSequences * sequenceLength;

/** Input of the layer [layerTokens, hidden]: fixed values in [-1, 1). */
export function layerInput(): Float32Array {
  let state = 54321;
  return Float32Array.from({ length: layerTokens * encoder.hiddenSize }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** Operations of the layer's forward pass, counted as in `stepFlops`. */
export function layerFlops(): number {
  const { hiddenSize: h, intermediateSize: f } = encoder;
  return 2 * layerTokens * (4 * h * h + 2 * h * f) + 2 * layerTokens * sequenceLength * h * 2;
}
