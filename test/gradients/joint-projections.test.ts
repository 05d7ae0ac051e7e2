/**
 * One product for queries, keys and values against three: where the weights lie changes the number of
 * dispatches and no result beyond rounding. Dropout is on.
 */
import type { Executor } from '@synglot/gpu';
import {
  buildTrainPlan,
  contrastive,
  type EncoderConfig,
  encoderParameters,
  ParameterLayout,
  ParameterStore,
  packBatch,
  packStep,
  rowLossResult,
} from '@synglot/nn';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestExecutor } from '../support/executor.js';
import { expectClose } from '../support/kernel-harness.js';
import { randomFloats } from '../support/random.js';

let executor: Executor;
beforeAll(async () => {
  executor = await openTestExecutor();
});
afterAll(() => executor?.destroy());

const config: EncoderConfig = {
  family: 'bert',
  vocabularySize: 53,
  hiddenSize: 64,
  layers: 2,
  heads: 4,
  intermediateSize: 64,
  maxPositions: 9,
  typeVocabularySize: 1,
  layerNormEpsilon: 1e-5,
  hiddenDropout: 0.1,
  attentionDropout: 0.2,
  positionOffset: 0,
  initializerRange: 0.02,
};
const pooling = { mode: 'mean', normalize: true } as const;
const capacity = { tokens: 64, queries: 4, candidates: 4 };
const cuSeqlens = Uint32Array.of(0, 3, 4, 9, 17, 19, 23, 24);

/** Losses, gradients and dispatches of one batch, parameters lying in slabs of at most `limitBytes`. */
async function accumulate(limitBytes: number) {
  const specs = encoderParameters(config, pooling);
  const store = new ParameterStore(executor, new ParameterLayout(specs, limitBytes));
  const seeds = new Map(specs.map(({ name }, index) => [name, 800 + index]));
  await store.load('parameter', async (name, begin, end) => {
    const [, columns = 1] = store.layout.shape(name);
    const random = randomFloats(
      (end - begin) * columns,
      (seeds.get(name) as number) + 1000 * begin,
      columns > 1 ? 0.2 : 0.3,
    );
    return name.endsWith('LayerNorm.weight') ? random.map((value) => value + 1) : random;
  });
  store.allocate('gradient');
  const plan = buildTrainPlan({
    config,
    pooling,
    layout: store.layout,
    device: executor.device,
    capacity,
    objectives: [contrastive({ temperature: 0.3, direction: 'query-to-passage' })],
    mode: 'accumulate',
  });
  const compiled = await executor.compile(plan, store.externals);
  const ids = Uint32Array.from({ length: cuSeqlens.at(-1) as number }, (_, index) => (index * 11) % 53);
  const { feeds, counts } = packBatch(config, capacity, { ids, cuSeqlens, queries: 3, candidates: 4 });
  const { reads } = await compiled.run({
    feeds: { ...feeds, groups: Uint32Array.of(0, 1, 2, 3), step: packStep({ counts, seed: 5 }) },
    reads: [rowLossResult],
  });
  const gradients = new Map<string, Float32Array>();
  for (const { name } of specs) gradients.set(name, await store.read('gradient', name));
  compiled.destroy();
  store.destroy();
  const labels = plan.commands.flatMap((command) => (command.kind === 'dispatch' ? [command.label] : []));
  return { loss: new Float32Array(reads[rowLossResult] as ArrayBuffer).slice(0, 3), gradients, labels };
}

test('the losses have the same bits, the gradients differ by rounding, the dispatches are fewer', async () => {
  const joint = await accumulate(2 ** 27);
  // A slab then holds no more than one weight, so that none lie side by side.
  const apart = await accumulate(config.hiddenSize ** 2 * 4);
  expect(joint.labels).toContain('layer 1 query, key, value');
  expect(joint.labels).not.toContain('layer 1 query');
  expect(apart.labels).toContain('layer 1 query');
  expect(apart.labels).not.toContain('layer 1 query, key, value');
  // Of each layer: three products forward, then input, weight and both stages of the bias backward.
  expect(apart.labels.length - joint.labels.length).toBe(2 * (15 - 5));

  expect(joint.loss).toEqual(apart.loss);
  for (const [name, gradient] of apart.gradients) {
    const scale = gradient.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
    const allowed = { absolute: 1e-5 * scale + 1e-7, relative: 1e-4 };
    expectClose(joint.gradients.get(name), Float64Array.from(gradient), allowed, name);
  }
});
