/**
 * Perturbed word embeddings (FGM): both losses and every gradient of one batch against PyTorch.
 * Fixture: fixtures/make_torch_objectives.py.
 */
import type { Executor } from '@synglot/gpu';
import {
  buildTrainPlan,
  columnLossResult,
  contrastive,
  encoderParameters,
  meanLoss,
  ParameterStore,
  packBatch,
  packStep,
  perturbedPass,
  rowLossResult,
} from '@synglot/nn';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FixtureBatch } from '../fixtures/sampled-batches.js';
import { openTestExecutor } from '../support/executor.js';
import {
  capacityFor,
  compareTensors,
  describeWorst,
  encoderBatch,
  expectedTensor,
  largestOf,
  readTorchFixture,
} from '../support/safetensors-fixture.js';

let executor: Executor;
beforeAll(async () => {
  executor = await openTestExecutor();
});
afterAll(() => executor?.destroy());

const { config, pooling, loss, batch, epsilon, expected, tensors } = readTorchFixture<{
  readonly batch: FixtureBatch;
  readonly epsilon: number;
  readonly expected: { readonly loss: number; readonly perturbed: number };
}>('fgm');
const word = 'embeddings.word_embeddings.weight';

/** Losses of both passes and every gradient, with perturbations of some length; none when undefined. */
async function run(perturbation: number | undefined, trains: (name: string) => boolean = () => true) {
  const specs = encoderParameters(config, pooling).map((spec) => ({ ...spec, trainable: trains(spec.name) }));
  const store = new ParameterStore(executor, specs);
  await store.load('parameter', async (name, begin, end) => {
    const values = expectedTensor(tensors, `parameter ${name}`);
    const columns = values.length / (store.layout.shape(name)[0] as number);
    return values.slice(begin * columns, end * columns);
  });
  store.allocate('gradient');
  const capacity = capacityFor([batch]);
  const plan = buildTrainPlan({
    config,
    pooling,
    layout: store.layout,
    device: executor.device,
    capacity,
    objectives: [contrastive(loss)],
    mode: 'accumulate',
    ...(perturbation === undefined ? {} : { perturbation }),
  });
  const compiled = await executor.compile(plan, store.externals);
  const own = encoderBatch(batch);
  const { feeds, counts } = packBatch(config, capacity, own);
  const passes = perturbation === undefined ? [''] : ['', perturbedPass];
  const { reads } = await compiled.run({
    feeds: { ...feeds, groups: own.groups, step: packStep({ counts }) },
    reads: passes.flatMap((pass) => [rowLossResult + pass, columnLossResult + pass]),
  });
  const values = (name: string) => new Float32Array(reads[name] as ArrayBuffer);
  const losses = passes.map((pass) =>
    meanLoss(values(rowLossResult + pass), values(columnLossResult + pass), own.queries, loss.direction),
  );
  const gradients = new Map<string, Float32Array>();
  for (const { name } of store.layout.specsOf('gradient'))
    gradients.set(name, await store.read('gradient', name));
  compiled.destroy();
  store.destroy();
  return { losses, gradients };
}

test('both losses and every gradient are those of PyTorch', async () => {
  const { losses, gradients } = await run(epsilon);
  expect(losses[0]).toBeCloseTo(expected.loss, 5);
  expect(losses[1]).toBeCloseTo(expected.perturbed, 4);
  const worst = describeWorst(
    [...gradients].map(([name, gradient]) => {
      // A key bias has a gradient of rounding errors: it is measured against the query bias's.
      const like = name.replace('.key.bias', '.query.bias');
      const floor = largestOf(expectedTensor(tensors, `gradient ${like}`));
      return compareTensors(`d ${name}`, gradient, expectedTensor(tensors, `gradient ${name}`), floor);
    }),
  );
  expect(worst.relative, worst.line).toBeLessThanOrEqual(1e-4);
});

test('a perturbation of length 0 gives every gradient twice', async () => {
  const [twice, once] = [await run(0), await run(undefined)];
  expect(twice.losses).toEqual([once.losses[0], once.losses[0]]);
  for (const [name, gradient] of once.gradients) {
    const doubled = gradient.map((value) => 2 * value);
    const largest = Math.max(largestOf(doubled), 1e-4);
    const { relative } = compareTensors(name, twice.gradients.get(name)!, doubled, largest);
    expect(relative, name).toBeLessThanOrEqual(1e-5);
  }
});

test('a frozen word table is perturbed all the same', async () => {
  const all = await run(epsilon);
  const { losses, gradients } = await run(epsilon, (name) => !name.startsWith('embeddings.'));
  expect(losses).toEqual(all.losses);
  expect(gradients.has(word)).toBe(false);
  expect(gradients.get('encoder.layer.0.output.dense.weight')).toEqual(
    all.gradients.get('encoder.layer.0.output.dense.weight'),
  );
});
