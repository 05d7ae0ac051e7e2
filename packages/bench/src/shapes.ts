/** Encoders and batches to measure, by name: real shapes with seeded ids. Weights are made, not loaded. */
import type { EncoderBatch, EncoderConfig, PoolingConfig } from '@synglot/nn';
import { encoder as peersEncoder, pooling as peersPooling } from './workload.js';

export interface Shape {
  readonly encoder: EncoderConfig;
  readonly pooling: PoolingConfig;
}

const base = {
  layerNormEpsilon: 1e-12,
  hiddenDropout: 0.1,
  attentionDropout: 0.1,
  positionOffset: 0,
  initializerRange: 0.02,
} as const;
const bertBase = { hiddenSize: 768, layers: 12, heads: 12, intermediateSize: 3072 } as const;

/** Published configurations; `peers` is the small one that other WebGPU libraries are compared on. */
export const shapes: Readonly<Record<string, Shape>> = {
  peers: { encoder: peersEncoder, pooling: peersPooling },
  minilm: {
    encoder: {
      ...base,
      family: 'bert',
      vocabularySize: 30522,
      hiddenSize: 384,
      layers: 6,
      heads: 12,
      intermediateSize: 1536,
      maxPositions: 512,
      typeVocabularySize: 2,
    },
    pooling: { mode: 'mean', normalize: true },
  },
  'xlm-r-base': {
    encoder: {
      ...base,
      ...bertBase,
      family: 'xlm-roberta',
      vocabularySize: 250002,
      maxPositions: 514,
      typeVocabularySize: 1,
      layerNormEpsilon: 1e-5,
      positionOffset: 2,
    },
    pooling: { mode: 'mean', normalize: true },
  },
  labse: {
    encoder: {
      ...base,
      ...bertBase,
      family: 'bert',
      vocabularySize: 501153,
      maxPositions: 512,
      typeVocabularySize: 2,
    },
    pooling: {
      mode: 'cls',
      normalize: true,
      dense: { inFeatures: 768, outFeatures: 768, bias: true, activation: 'tanh' },
    },
  },
};

/**
 * Quantiles 0, 0.05 … 1 of the lengths of XQuAD-R's 13,090 questions and 13,014 sentences in XLM-R's tokens, special
 * tokens included (means 18.0 and 43.9).
 */
const questionTokens = [5, 10, 11, 12, 13, 14, 15, 15, 16, 17, 17, 18, 19, 19, 20, 21, 22, 23, 25, 29, 81];
const sentenceTokens = [3, 16, 20, 23, 25, 27, 30, 32, 34, 37, 39, 42, 44, 47, 50, 54, 59, 64, 72, 86, 405];

/** XLM-R's kinds of layers, so small that computing takes no time. */
export function tinyShape(vocabularySize: number, layers: number): Shape {
  return {
    encoder: {
      family: 'xlm-roberta',
      vocabularySize,
      layers,
      hiddenSize: 64,
      heads: 2,
      intermediateSize: 64,
      maxPositions: 258,
      positionOffset: 2,
      typeVocabularySize: 1,
      layerNormEpsilon: 1e-5,
      hiddenDropout: 0.1,
      attentionDropout: 0.1,
      initializerRange: 0.02,
    },
    pooling: { mode: 'mean', normalize: true },
  };
}

/** Lengths of the texts of a batch: all equal, or drawn as XQuAD-R's questions and sentences are. */
export type Lengths = number | 'xquad-r';

/** A batch of `pairs` questions and passages; the same for the same arguments. */
export function seededBatch(
  pairs: number,
  lengths: Lengths,
  vocabularySize: number,
): EncoderBatch & { readonly groups: Uint32Array } {
  const random = uniform(12345);
  const draw = (quantiles: readonly number[]) => {
    if (typeof lengths === 'number') return lengths;
    const at = random() * (quantiles.length - 1);
    const [low, high] = [quantiles[Math.floor(at)] as number, quantiles[Math.ceil(at)] as number];
    return Math.min(256, Math.round(low + (high - low) * (at - Math.floor(at))));
  };
  const all = [questionTokens, sentenceTokens].flatMap((quantiles) =>
    Array.from({ length: pairs }, () => draw(quantiles)),
  );
  const cuSeqlens = new Uint32Array(2 * pairs + 1);
  all.forEach((length, index) => {
    cuSeqlens[index + 1] = (cuSeqlens[index] as number) + length;
  });
  const first = Math.min(1000, vocabularySize >> 1);
  const ids = Uint32Array.from(
    { length: cuSeqlens[2 * pairs] as number },
    () => first + Math.floor(random() * (vocabularySize - first)),
  );
  const groups = Uint32Array.from({ length: pairs }, (_, index) => index);
  return { ids, cuSeqlens, queries: pairs, candidates: pairs, groups };
}

/**
 * Floating-point operations of one step, a multiply-add as two: matrix products and attention forward, twice
 * that backward, similarities. Embeddings and norms are not counted.
 */
export function flopsOf({ encoder }: Shape, { cuSeqlens, queries }: EncoderBatch): number {
  const { hiddenSize: h, intermediateSize: f, layers } = encoder;
  const tokens = cuSeqlens.at(-1) as number;
  let squares = 0;
  for (let index = 1; index < cuSeqlens.length; index++) {
    squares += ((cuSeqlens[index] as number) - (cuSeqlens[index - 1] as number)) ** 2;
  }
  const products = 2 * tokens * (4 * h * h + 2 * h * f) * layers;
  const attention = 2 * squares * h * 2 * layers;
  return 3 * (products + attention) + 3 * 2 * queries * queries * h;
}

/** Uniform numbers in [0, 1): a linear congruence, enough to make a batch. */
export function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
