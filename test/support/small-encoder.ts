/** The small encoder of the gradient tests: every op is in it, and no size is a multiple of a tile. */
import type { EncoderConfig, PoolingConfig } from '@synglot/nn';

export const smallEncoder: EncoderConfig = {
  family: 'bert',
  vocabularySize: 61,
  hiddenSize: 16,
  layers: 2,
  heads: 2,
  intermediateSize: 24,
  maxPositions: 9,
  typeVocabularySize: 2,
  layerNormEpsilon: 1e-5,
  hiddenDropout: 0.15,
  attentionDropout: 0.2,
  positionOffset: 0,
  initializerRange: 0.02,
};

export const meanHead: PoolingConfig = { mode: 'mean', normalize: true };

/** LaBSE's head, on `inFeatures`. */
export function denseHead(inFeatures = smallEncoder.hiddenSize, mode: 'cls' | 'mean' = 'cls'): PoolingConfig {
  return { mode, dense: { inFeatures, outFeatures: 12, bias: true, activation: 'tanh' }, normalize: true };
}
