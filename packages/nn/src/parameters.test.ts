import { describe, expect, test } from 'vitest';
import type { EncoderConfig } from './encoder/config.js';
import { encoderParameters, ParameterLayout } from './parameters.js';

const config: EncoderConfig = {
  family: 'bert',
  vocabularySize: 100,
  hiddenSize: 8,
  layers: 2,
  heads: 2,
  intermediateSize: 16,
  maxPositions: 10,
  typeVocabularySize: 2,
  layerNormEpsilon: 1e-5,
  hiddenDropout: 0,
  attentionDropout: 0,
  positionOffset: 0,
  initializerRange: 0.02,
};

describe('encoderParameters', () => {
  test('BERT: embeddings, sixteen tensors a layer, names unique', () => {
    const specs = encoderParameters(config, { mode: 'mean', normalize: true });
    expect(specs.length).toBe(5 + 2 * 16);
    expect(new Set(specs.map(({ name }) => name)).size).toBe(specs.length);
    const shapes = new Map(specs.map(({ name, shape }) => [name, shape]));
    expect(shapes.get('encoder.layer.1.intermediate.dense.weight')).toEqual([16, 8]);
    expect(shapes.get('encoder.layer.1.output.dense.weight')).toEqual([8, 16]);
    expect(shapes.get('embeddings.token_type_embeddings.weight')).toEqual([2, 8]);
  });

  test('a dense head with and without bias', () => {
    const dense = { inFeatures: 8, outFeatures: 4, activation: 'tanh' } as const;
    const names = (bias: boolean) =>
      encoderParameters(config, { mode: 'cls', normalize: true, dense: { ...dense, bias } })
        .map(({ name }) => name)
        .filter((name) => name.startsWith('dense'));
    expect(names(true)).toEqual(['dense.weight', 'dense.bias']);
    expect(names(false)).toEqual(['dense.weight']);
  });
});

describe('ParameterLayout', () => {
  const table = { name: 'table', shape: [10, 8] };
  const rowBytes = 8 * 4;

  test('what fits is one part under its own name', () => {
    const layout = new ParameterLayout([table], 10 * rowBytes);
    expect(layout.parts('table')).toEqual([
      {
        key: 'table',
        name: 'table',
        rowBegin: 0,
        rowEnd: 10,
        shape: [10, 8],
        elements: 80,
        slab: 0,
        offsetElements: 0,
      },
    ]);
  });

  test('what does not is cut by rows: whole, in order, each within the limit', () => {
    for (let limit = rowBytes; limit < 10 * rowBytes; limit += 20) {
      const parts = new ParameterLayout([table], limit).parts('table');
      expect(parts.length).toBeGreaterThan(1);
      let row = 0;
      parts.forEach((part, index) => {
        expect(part.key).toBe(`table[${index}]`);
        expect(part.rowBegin).toBe(row);
        expect(part.elements * 4).toBeLessThanOrEqual(limit);
        expect(part.shape).toEqual([part.rowEnd - part.rowBegin, 8]);
        expect(part.elements).toBe((part.rowEnd - part.rowBegin) * 8);
        row = part.rowEnd;
      });
      expect(row).toBe(10);
    }
  });

  test('a row beyond the limit, and a vector beyond it, cannot be cut', () => {
    expect(() => new ParameterLayout([table], rowBytes - 4)).toThrow(/'table' \[10,8\] cannot be split/);
    expect(() => new ParameterLayout([{ name: 'bias', shape: [64] }], 128)).toThrow(/'bias'/);
  });

  test('all() is every part in the order of the specs', () => {
    const layout = new ParameterLayout([{ name: 'bias', shape: [8] }, table], 4 * rowBytes);
    expect(layout.all().map(({ key }) => key)).toEqual(['bias', 'table[0]', 'table[1]', 'table[2]']);
    expect(layout.shape('table')).toEqual([10, 8]);
  });

  test('slabs: no larger than the limit, every part once; what is frozen lies apart and has no gradients', () => {
    const specs = encoderParameters(config, { mode: 'mean', normalize: true }).map((spec) => ({
      ...spec,
      trainable: !spec.name.startsWith('encoder.layer.0.'),
    }));
    for (const limit of [400, 1024, 2 ** 20]) {
      const layout = new ParameterLayout(specs, limit);
      const keys = (kind: string) =>
        layout.slabsOf(kind).flatMap(({ index, elements, parts }) => {
          expect(elements * 4).toBeLessThanOrEqual(limit);
          for (const part of parts) {
            expect(part.slab).toBe(index);
            expect(part.offsetElements + part.elements).toBeLessThanOrEqual(elements);
          }
          return parts.map(({ key }) => key);
        });
      expect(keys('parameter').sort()).toEqual(
        layout
          .all()
          .map(({ key }) => key)
          .sort(),
      );
      expect(keys('gradient').sort()).toEqual(
        layout
          .partsOf('gradient')
          .map(({ key }) => key)
          .sort(),
      );
    }
  });

  test('two parameters of one name are an error', () => {
    const twice = [table, { name: 'bias', shape: [8] }, { ...table, shape: [2, 8] }];
    expect(() => new ParameterLayout(twice, 1024)).toThrow(/^Two parameters are called 'table'$/);
  });

  test('an unknown name is an error', () => {
    const layout = new ParameterLayout([table], 1024);
    expect(() => layout.parts('tabel')).toThrow(/no parameter 'tabel'/);
    expect(() => layout.shape('tabel')).toThrow(/no parameter 'tabel'/);
  });
});
