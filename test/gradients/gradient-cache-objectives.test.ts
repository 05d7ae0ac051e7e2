/**
 * Cached gradients of every objective against those of the whole batch in one plan, dropout on with the same seed;
 * chunks and tiles that do not divide the batch.
 */
import type { Executor } from '@synglot/gpu';
import { learnedTemperature, matryoshka, temperatureParameter } from '@synglot/nn';
import {
  type AdversarialOptions,
  adversarialObjectives,
  contrastiveObjective,
  distillationObjective,
  marginMseObjective,
  masked,
  scoredMargins,
  Teacher,
  type TrainObjective,
  teacherKey,
  teacherMargins,
} from '@synglot/train';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestExecutor } from '../support/executor.js';
import { randomFloats } from '../support/random.js';
import { meanHead, smallEncoder } from '../support/small-encoder.js';
import {
  asGpu,
  cachedGradients,
  expectSameGradients,
  makeCachedBatch,
  wholeGradients,
} from '../support/whole-gradients.js';

let executor: Executor;
beforeAll(async () => {
  executor = await openTestExecutor();
});
afterAll(() => executor?.destroy());

/** Eleven pairs, eighteen hard negatives, translations; 40 sequences. */
const batch = makeCachedBatch(11, 29, 13);
const dimension = smallEncoder.hiddenSize;
const contrast = contrastiveObjective({ temperature: 0.1, direction: 'both', weight: 0.3 });

/** A teacher that has read every second text. */
function makeTeacher(): Teacher {
  const { pairs } = batch.batch;
  const keys = pairs.flatMap(({ query, passage, negatives }) => [
    teacherKey('query', query),
    ...[passage, ...negatives].map((row) => teacherKey('passage', row)),
  ]);
  const known = [...keys.filter((_, i) => i % 2 === 0), ...keys.slice(0, 9)];
  const distinct = [...new Set(known)];
  return new Teacher('none', dimension, distinct, randomFloats(distinct.length * dimension, 77, 0.5));
}
const teacher = makeTeacher();

const learned = learnedTemperature({ initial: 0.2, least: 0.01, most: 1 });
const temperature: TrainObjective = {
  objective: learned.objective,
  parameters: [{ spec: learned.spec, initial: learned.initial }],
};
const discriminator: AdversarialOptions = {
  lambda: 0.7,
  gamma: 10,
  hidden: 8,
  learningRateScale: 1,
  seed: 3,
  dimension,
  languages: ['de', 'en', 'fi'],
  schedule: 'ganin',
};
const nested = { dimensions: [16, 8, 4], weights: [1, 0.5, 2] };

const cases: Readonly<Record<string, readonly TrainObjective[]>> = {
  'embeddings normalised for the loss': [
    contrastiveObjective({ temperature: 0.1, direction: 'both', normalize: true }),
  ],
  matryoshka: matryoshka(nested, { temperature: 0.1, direction: 'both' }).map(masked),
  'a learned temperature': [
    contrastiveObjective({
      temperature: Number.NaN,
      direction: 'both',
      learnedTemperature: temperatureParameter,
    }),
    temperature,
  ],
  'a learned temperature after another objective': [
    marginMseObjective(scoredMargins, { weight: 0.8 }),
    contrastiveObjective({
      temperature: Number.NaN,
      direction: 'both',
      learnedTemperature: temperatureParameter,
    }),
    temperature,
  ],
  'both of them': [
    ...matryoshka(nested, {
      temperature: Number.NaN,
      direction: 'query-to-passage',
      learnedTemperature: temperatureParameter,
    }).map(masked),
    temperature,
  ],
  'distillation, mean squared error': [
    contrast,
    distillationObjective(teacher, { measure: 'mse', weight: 0.7 }),
  ],
  'distillation, cosine': [distillationObjective(teacher, { measure: 'cosine', weight: 1 })],
  "MarginMSE of a teacher's embeddings": [
    contrast,
    marginMseObjective(teacherMargins(teacher), { weight: 0.8 }),
  ],
  'MarginMSE of scores': [marginMseObjective(scoredMargins, { weight: 1, scale: 0.5 })],
  'a language discriminator': [contrast, ...adversarialObjectives(discriminator)],
  'all together': [
    contrast,
    distillationObjective(teacher, { measure: 'cosine', weight: 0.2 }),
    marginMseObjective(scoredMargins, { weight: 0.4 }),
    ...adversarialObjectives(discriminator),
  ],
};

test('the kernels for GPUs', async () => {
  const objectives = [...(cases['both of them'] ?? []), ...(cases['all together'] ?? [])];
  const expected = await wholeGradients(executor, meanHead, objectives, batch);
  const size = { cacheTokens: 50, lossTile: 12 };
  expectSameGradients(await cachedGradients(asGpu(executor), meanHead, objectives, [batch], size), expected);
}, 300_000);

test('a loss scale multiplies the gradients of every objective', async () => {
  const objectives = [...(cases['all together'] ?? []), ...(cases.matryoshka ?? [])];
  const size = { cacheTokens: 50, lossTile: 8 };
  const plain = await cachedGradients(executor, meanHead, objectives, [batch], size);
  // A power of two rounds nothing.
  const scaled = await cachedGradients(executor, meanHead, objectives, [batch], size, 64);
  expect(scaled.values).toEqual(plain.values);
  for (const [name, values] of plain.gradients) {
    expect(scaled.gradients.get(name), name).toEqual(values.map((value) => value * 64));
  }
});

test.each(Object.entries(cases))('%s', async (_name, objectives) => {
  const size = { cacheTokens: 50, lossTile: 8 };
  const expected = await wholeGradients(executor, meanHead, objectives, batch);
  const found = await cachedGradients(executor, meanHead, objectives, [batch], size);
  expectSameGradients(found, expected);
  expect(Object.keys(found.values)).toEqual(objectives.map(({ objective }) => objective.name));
  const still = await wholeGradients(executor, meanHead, objectives, batch, 'evaluate');
  for (const [name, value] of Object.entries(still.values)) {
    expect(found.evaluated.values[name], name).toBeCloseTo(value, 5);
  }
});
