import { expect, test } from 'vitest';
import type { EncoderConfig } from './encoder/config.js';
import { freshParameters } from './initialize.js';
import { encoderParameters } from './parameters.js';

const config: EncoderConfig = {
  family: 'bert',
  vocabularySize: 500,
  hiddenSize: 32,
  layers: 1,
  heads: 2,
  intermediateSize: 64,
  maxPositions: 16,
  typeVocabularySize: 2,
  layerNormEpsilon: 1e-5,
  hiddenDropout: 0,
  attentionDropout: 0,
  positionOffset: 0,
  initializerRange: 0.02,
};
const specs = encoderParameters(config, { mode: 'mean', normalize: true });
const table = 'embeddings.word_embeddings.weight';

test('the pieces in which a table is loaded do not matter', async () => {
  const read = freshParameters(config, specs, 7);
  const whole = await read(table, 0, 500);
  for (const size of [1, 7, 64, 499]) {
    for (let begin = 0; begin < 500; begin += size) {
      const end = Math.min(500, begin + size);
      expect(await read(table, begin, end)).toEqual(whole.slice(begin * 32, end * 32));
    }
  }
});

test('another seed, another name and another row give other numbers', async () => {
  const read = freshParameters(config, specs, 7);
  const rows = [
    await read(table, 0, 1),
    await read(table, 1, 2),
    await read('embeddings.position_embeddings.weight', 0, 1),
    await freshParameters(config, specs, 8)(table, 0, 1),
  ];
  expect(new Set(rows.map((row) => row.join())).size).toBe(rows.length);
});

test('matrices are normal with the configured deviation', async () => {
  const values = await freshParameters(config, specs, 1)(table, 0, 500);
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const moment = (power: number) => values.reduce((sum, value) => sum + (value / 0.02) ** power, 0) / count;
  expect(Math.abs(mean / 0.02)).toBeLessThan(5 / Math.sqrt(count));
  expect(Math.abs(moment(2) - 1)).toBeLessThan(5 * Math.sqrt(2 / count));
  expect(Math.abs(moment(4) - 3)).toBeLessThan(5 * Math.sqrt(96 / count));
});

test('biases are 0, layer norms 1', async () => {
  const read = freshParameters(config, specs, 1);
  expect(await read('encoder.layer.0.output.dense.bias', 3, 7)).toEqual(new Float32Array(4));
  expect(await read('encoder.layer.0.output.LayerNorm.bias', 0, 2)).toEqual(new Float32Array(2));
  expect(await read('embeddings.LayerNorm.weight', 0, 3)).toEqual(new Float32Array(3).fill(1));
});

test('an unknown parameter is an error', async () => {
  await expect(freshParameters(config, specs, 1)('pooler.dense.weight', 0, 1)).rejects.toThrow(
    /pooler\.dense\.weight/,
  );
});
