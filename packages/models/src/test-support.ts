/** What this package's tests share. Not part of the library: `index.ts` does not export it. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EncoderConfig, encoderParameters, type PoolingConfig } from '@synglot/nn';
import { expect, onTestFinished } from 'vitest';
import { ModelError, type ModelErrorCode } from './errors.js';
import type { TensorSource } from './safetensors/format.js';
import type { Tokenizer } from './tokenizer.js';
import { trainTokenizer } from './tokenizer-training.js';

/** A folder that is removed when the test ends. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'synglot-models-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Expects a one-line `ModelError` with a code and a text in its message. */
export async function expectModelError(
  run: () => unknown,
  code: ModelErrorCode,
  ...texts: (string | RegExp)[]
): Promise<void> {
  let thrown: unknown;
  try {
    await run();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(ModelError);
  const { code: found, message } = thrown as ModelError;
  expect({ code: found, message }).toEqual({ code, message: expect.not.stringContaining('\n') });
  for (const text of texts) expect(message).toMatch(text);
}

export const TINY_TEXTS = ['red apple', 'green apple tree', 'a red tree', 'der rote Apfel', 'red red trees'];

export function tinyTokenizer(model: 'bpe' | 'unigram' | 'wordpiece' = 'wordpiece'): Promise<Tokenizer> {
  return trainTokenizer(TINY_TEXTS, { vocabularySize: 60, model });
}

export function tinyConfig(overrides: Partial<EncoderConfig> = {}): EncoderConfig {
  return {
    family: 'bert',
    vocabularySize: 64,
    hiddenSize: 8,
    layers: 2,
    heads: 2,
    intermediateSize: 12,
    maxPositions: 20,
    typeVocabularySize: 2,
    layerNormEpsilon: 1e-12,
    hiddenDropout: 0.1,
    attentionDropout: 0.2,
    positionOffset: 0,
    initializerRange: 0.02,
    ...overrides,
  };
}

/** LaBSE's shape: cls, a tanh dense layer, normalise. */
export const LABSE_POOLING: PoolingConfig = {
  mode: 'cls',
  dense: { inFeatures: 8, outFeatures: 4, bias: true, activation: 'tanh' },
  normalize: true,
};

/** Seeded values for every parameter, by name. */
export function tinyWeights(config: EncoderConfig, pooling: PoolingConfig): Map<string, Float32Array> {
  let state = 1;
  const next = () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647 - 0.5;
  };
  const weights = new Map<string, Float32Array>();
  for (const { name, shape } of encoderParameters(config, pooling)) {
    weights.set(name, Float32Array.from({ length: shape.reduce((product, n) => product * n, 1) }, next));
  }
  return weights;
}

export function tensorSources(
  config: EncoderConfig,
  pooling: PoolingConfig,
  weights: ReadonlyMap<string, Float32Array>,
): TensorSource[] {
  return encoderParameters(config, pooling).map(({ name, shape }) => ({
    name,
    shape,
    read: () => weights.get(name)!,
  }));
}
