import { expect, test } from 'vitest';
import { distillation } from '../loss/distillation.js';
import { languageDiscriminator, languageDiscriminatorParameters } from '../loss/language-discriminator.js';
import { marginMse } from '../loss/margin-mse.js';
import { ParameterLayout } from '../parameters.js';
import { buildEmbeddingLossPlan } from './embedding-loss-plan.js';

const dimension = 16;
const shape = { languages: 5, dimension, hidden: 8 };
const layout = new ParameterLayout(languageDiscriminatorParameters(shape), 2 ** 20);
const objectives = [distillation({ measure: 'cosine' }), marginMse(), ...languageDiscriminator(shape)];

function build(mode: 'evaluate' | 'backward', rows: number) {
  return buildEmbeddingLossPlan({ objectives, layout, rows, dimension, mode });
}

test('what a plan owns grows with the rows, not with their square', () => {
  const owned = (rows: number) =>
    build('backward', rows)
      .buffers.filter(({ role }) => role !== 'external')
      .reduce((bytes, { sizeBytes }) => bytes + sizeBytes, 0);
  const [small, middle, large] = [owned(1024), owned(2048), owned(4096)];
  expect((large - middle) / (middle - small)).toBeCloseTo(2, 1);
});

test('an evaluation touches no gradient', () => {
  const touched = (mode: 'evaluate' | 'backward') =>
    build(mode, 64)
      .buffers.filter(({ role, name }) => role === 'external' && /^(d embeddings|gradient )/.test(name))
      .map(({ name }) => name);
  expect(touched('evaluate')).toEqual([]);
  expect(touched('backward')).toContain('d embeddings');
  expect(touched('backward').length).toBe(1 + layout.specs.length);
});
