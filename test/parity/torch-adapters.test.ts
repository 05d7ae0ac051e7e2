/**
 * Loss, embeddings and gradients of encoders with adapters against PyTorch, LoRA against PEFT itself.
 * Fixtures: fixtures/make_adapter_fixtures.py.
 */
import type { Executor } from '@synglot/gpu';
import {
  buildEncodePlan,
  buildTrainPlan,
  columnLossResult,
  contrastive,
  embeddingsResult,
  encoderParameters,
  isAdapterParameter,
  meanLoss,
  ParameterStore,
  packBatch,
  packStep,
  rowLossResult,
} from '@synglot/nn';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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

const tolerance = 1e-4;

interface AdapterCase {
  readonly batch: FixtureBatch;
  readonly expected: { readonly loss: number };
}

let executor: Executor;
beforeAll(async () => {
  executor = await openTestExecutor();
});
afterAll(() => executor?.destroy());

describe.each(['adapter-lora', 'adapter-rslora', 'adapter-houlsby', 'adapter-pfeiffer'])('%s', (name) => {
  const fixture = readTorchFixture<AdapterCase>(name);
  const { config, pooling, loss, batch, tensors } = fixture;
  const specs = encoderParameters(config, pooling);
  const capacity = capacityFor([batch]);

  async function openStore(): Promise<ParameterStore> {
    const store = new ParameterStore(executor, specs);
    await store.load('parameter', async (parameter, begin, end) => {
      const values = expectedTensor(tensors, `parameter ${parameter}`);
      const columns = values.length / (store.layout.shape(parameter)[0] as number);
      return values.slice(begin * columns, end * columns);
    });
    return store;
  }

  test('what is trained, loss and gradients', async () => {
    const store = await openStore();
    store.allocate('gradient');
    const { layout, externals } = store;
    const trained = [...tensors.keys()].filter((key) => key.startsWith('gradient '));
    expect(
      layout
        .specsOf('gradient')
        .map((spec) => `gradient ${spec.name}`)
        .sort(),
    ).toEqual(trained.sort());

    const objectives = [contrastive(loss)];
    const plan = buildTrainPlan({ config, pooling, layout, capacity, objectives, mode: 'accumulate' });
    const compiled = await executor.compile(plan, externals);
    const given = encoderBatch(batch);
    const { feeds, counts } = packBatch(config, capacity, given);
    const { reads } = await compiled.run({
      feeds: { ...feeds, groups: given.groups, step: packStep({ counts }) },
      reads: [rowLossResult, columnLossResult],
    });
    const [row, column] = [rowLossResult, columnLossResult].map(
      (result) => new Float32Array(reads[result] as ArrayBuffer),
    ) as [Float32Array, Float32Array];
    const mean = meanLoss(row, column, batch.queries, loss.direction);
    const differences = [compareTensors('loss', [mean], [fixture.expected.loss], 0)];
    const largest = Math.max(...trained.map((key) => largestOf(expectedTensor(tensors, key))));
    for (const key of trained) {
      const values = await store.read('gradient', key.slice('gradient '.length));
      // A gradient far below the largest is compared with the rounding of what it is summed from.
      differences.push(compareTensors(key, values, expectedTensor(tensors, key), 1e-3 * largest));
    }
    const worst = describeWorst(differences);
    console.log(`${name}: ${worst.line}`);
    expect(worst.relative, worst.line).toBeLessThanOrEqual(tolerance);
    compiled.destroy();
    store.destroy();
  });

  test('embeddings, and the adapter matters to them', async () => {
    const embed = async (zero: boolean) => {
      const store = await openStore();
      if (zero) {
        await store.load('parameter', async (parameter, begin, end) => {
          const values = expectedTensor(tensors, `parameter ${parameter}`);
          const columns = values.length / (store.layout.shape(parameter)[0] as number);
          const own = values.slice(begin * columns, end * columns);
          return isAdapterParameter(parameter) ? own.fill(0) : own;
        });
      }
      const { layout } = store;
      const sequences = batch.cuSeqlens.length - 1;
      const built = buildEncodePlan({ config, pooling, layout, tokens: capacity.tokens, sequences });
      const compiled = await executor.compile(built.plan, store.externals);
      const all = { ...encoderBatch(batch), queries: sequences, candidates: 0 };
      const { feeds, counts } = packBatch(config, built.capacity, all);
      const { reads } = await compiled.run({
        feeds: { ...feeds, step: packStep({ counts }) },
        reads: [embeddingsResult],
      });
      compiled.destroy();
      store.destroy();
      return new Float32Array(reads[embeddingsResult] as ArrayBuffer);
    };
    const expected = expectedTensor(tensors, 'expected embeddings');
    const { relative, line } = describeWorst([compareTensors('embeddings', await embed(false), expected, 0)]);
    expect(relative, line).toBeLessThanOrEqual(tolerance);
    expect(compareTensors('embeddings', await embed(true), expected, 0).relative).toBeGreaterThan(0.01);
  });
});
