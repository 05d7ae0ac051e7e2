import { describe, expect, test } from 'vitest';
import type { EncoderConfig } from '../encoder/config.js';
import { encoderParameters } from '../parameters.js';
import { type ParameterGroupOptions, parameterGroups } from './parameter-groups.js';

const config: EncoderConfig = {
  family: 'bert',
  vocabularySize: 100,
  hiddenSize: 16,
  layers: 3,
  heads: 2,
  intermediateSize: 32,
  maxPositions: 32,
  typeVocabularySize: 2,
  layerNormEpsilon: 1e-12,
  hiddenDropout: 0,
  attentionDropout: 0,
  positionOffset: 0,
  initializerRange: 0.02,
};
const specs = encoderParameters(config, {
  mode: 'cls',
  dense: { inFeatures: 16, outFeatures: 8, bias: true, activation: 'tanh' },
  normalize: true,
});
const common: ParameterGroupOptions = { weightDecay: 0.01, decay: 'matrices' };
const top = 'encoder.layer.2.intermediate.dense.weight';
const norm = 'encoder.layer.2.output.LayerNorm.weight';

describe('without groups', () => {
  test("'matrices' spares biases and layer norms, 'all' nothing; all learn alike", () => {
    const matrices = parameterGroups(specs, common);
    expect(matrices(top)).toMatchObject({ learningRateScale: 1, weightDecay: 0.01 });
    expect(matrices(norm)).toMatchObject({ learningRateScale: 1, weightDecay: 0 });
    expect(matrices('embeddings.word_embeddings.weight')).toEqual(matrices(top));
    const all = parameterGroups(specs, { ...common, decay: 'all' });
    for (const { name } of specs)
      expect(all(name)).toMatchObject({ learningRateScale: 1, weightDecay: 0.01 });
  });

  test('a name that is not there is an error', () => {
    expect(() => parameterGroups(specs, common)('pooler.weight')).toThrow(/no parameter 'pooler.weight'/);
  });
});

test('layer-wise decay: head and last layer in full, embeddings lowest', () => {
  const settings = parameterGroups(specs, { ...common, layerDecay: 0.5 });
  const scales = [
    'dense.weight',
    top,
    'encoder.layer.1.attention.self.query.bias',
    'encoder.layer.0.output.LayerNorm.bias',
    'embeddings.LayerNorm.weight',
    'embeddings.word_embeddings.weight',
  ].map((name) => settings(name).learningRateScale);
  expect(scales).toEqual([1, 1, 0.5, 0.25, 0.125, 0.125]);
});

describe('groups', () => {
  test('the first that names a parameter decides', () => {
    const settings = parameterGroups(specs, {
      ...common,
      groups: [
        { parameters: ['dense.*'], learningRateScale: 10 },
        { parameters: ['embeddings.*', '*.LayerNorm.*'], weightDecay: 0.2 },
        { parameters: ['*'], learningRateScale: 3, weightDecay: 0 },
      ],
    });
    expect(settings('dense.weight')).toMatchObject({ learningRateScale: 10, weightDecay: 0.01 });
    expect(settings('dense.bias')).toMatchObject({ learningRateScale: 10, weightDecay: 0 });
    // A group's own weight decay holds for layer norms too.
    expect(settings(norm)).toMatchObject({ learningRateScale: 1, weightDecay: 0.2 });
    expect(settings('embeddings.word_embeddings.weight').weightDecay).toBe(0.2);
    expect(settings(top)).toMatchObject({ learningRateScale: 3, weightDecay: 0 });
  });

  test("a group comes before a parameter's own rate and decay, which come before the run's", () => {
    const own = { name: 'own', shape: [4, 4], learningRateScale: 5, decays: false };
    expect(parameterGroups([own], { ...common, layerDecay: 0.5 })('own')).toMatchObject({
      learningRateScale: 5,
      weightDecay: 0,
    });
    const groups = [{ parameters: ['own'], learningRateScale: 2, weightDecay: 0.3 }];
    expect(parameterGroups([own], { ...common, groups })('own')).toMatchObject({
      learningRateScale: 2,
      weightDecay: 0.3,
    });
  });

  test("a group's rate takes the place of layer-wise decay; its weight decay does not", () => {
    const settings = parameterGroups(specs, {
      ...common,
      layerDecay: 0.5,
      groups: [
        { parameters: ['encoder.layer.0.*.dense.weight'], learningRateScale: 0.8 },
        { parameters: ['encoder.layer.0.*'], weightDecay: 0.3 },
      ],
    });
    expect(settings('encoder.layer.0.output.dense.weight')).toMatchObject({
      learningRateScale: 0.8,
      weightDecay: 0.01,
    });
    expect(settings('encoder.layer.0.output.dense.bias')).toMatchObject({
      learningRateScale: 0.25,
      weightDecay: 0.3,
    });
  });
});
