/**
 * Loss, embeddings and every gradient of one batch against PyTorch and transformers.
 * Fixtures: fixtures/make_torch_fixtures.py. The optimiser is in torch-training.test.ts.
 */
import type { CompiledPlan, Executor } from '@synglot/gpu';
import {
  type AttentionStrategy,
  type BatchCapacity,
  buildClearPlan,
  buildEncodePlan,
  buildTrainPlan,
  columnLossResult,
  contrastive,
  type EncoderBatch,
  embeddingDimension,
  embeddingsResult,
  encoderParameters,
  meanLoss,
  ParameterStore,
  packBatch,
  packStep,
  rowLossResult,
} from '@synglot/nn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FixtureBatch } from '../fixtures/sampled-batches.js';
import { openTestExecutor } from '../support/executor.js';
import { randomInteger, uniform } from '../support/random.js';
import {
  capacityFor,
  compareTensors,
  describeWorst,
  encoderBatch,
  expectedTensor,
  largestOf,
  readTorchFixture,
  type TorchFixture,
} from '../support/safetensors-fixture.js';

const tolerance = 1e-4;

interface GradientCase {
  readonly batch: FixtureBatch;
  readonly expected: { readonly loss: number };
}
type Fixture = TorchFixture<GradientCase>;
type GroupedBatch = EncoderBatch & { readonly groups: Uint32Array };

let executor: Executor;

beforeAll(async () => {
  executor = await openTestExecutor();
});
afterAll(() => executor?.destroy());

/** A fixture's model on the device, with an `accumulate` plan of some capacity. */
class Model {
  private constructor(
    readonly fixture: Fixture,
    readonly store: ParameterStore,
    readonly capacity: BatchCapacity,
    private readonly plan: CompiledPlan,
    private readonly clear: CompiledPlan,
  ) {}

  static async open(
    fixture: Fixture,
    capacity: BatchCapacity,
    bindingLimitBytes?: number,
    attentionStrategy: AttentionStrategy = 'portable',
  ): Promise<Model> {
    const { config, pooling, loss } = fixture;
    const store = new ParameterStore(
      bindingLimitBytes === undefined ? executor : withBindingLimit(executor, bindingLimitBytes),
      encoderParameters(config, pooling),
    );
    await loadParameters(store, fixture);
    store.allocate('gradient');
    const { layout, externals } = store;
    const plan = buildTrainPlan({
      config,
      pooling,
      layout,
      device: { type: 'unknown', subgroups: { minSize: 0, maxSize: 0 }, attentionStrategy },
      capacity,
      objectives: [contrastive(loss)],
      mode: 'accumulate',
    });
    return new Model(
      fixture,
      store,
      capacity,
      await executor.compile(plan, externals),
      await executor.compile(buildClearPlan(layout), externals),
    );
  }

  async clearGradients(): Promise<void> {
    await this.clear.run();
  }

  /** Adds the gradients of a batch and returns its losses. */
  async accumulate(batch: GroupedBatch): Promise<{ mean: number; row: Float32Array; column: Float32Array }> {
    const { feeds, counts } = packBatch(this.fixture.config, this.capacity, batch);
    const { reads } = await this.plan.run({
      feeds: { ...feeds, groups: batch.groups, step: packStep({ counts }) },
      reads: [rowLossResult, columnLossResult],
    });
    const row = new Float32Array(reads[rowLossResult] as ArrayBuffer).slice(0, batch.queries);
    const column = new Float32Array(reads[columnLossResult] as ArrayBuffer).slice(0, batch.queries);
    return { mean: meanLoss(row, column, batch.queries, this.fixture.loss.direction), row, column };
  }

  async gradients(): Promise<Map<string, Float32Array>> {
    const gradients = new Map<string, Float32Array>();
    for (const { name } of this.store.layout.specs) {
      gradients.set(name, await this.store.read('gradient', name));
    }
    return gradients;
  }

  /** Checks losses and gradients of the fixture's batch, given that gradients are clear. */
  async check(label: string): Promise<void> {
    const { fixture } = this;
    const { mean, row, column } = await this.accumulate(encoderBatch(fixture.batch));
    const losses = [compareTensors('loss', [mean], [fixture.expected.loss], 0)];
    const expected = (name: string) => expectedTensor(fixture.tensors, `expected ${name}`);
    if (fixture.loss.direction !== 'passage-to-query') {
      losses.push(compareTensors('row loss', row, expected('row loss'), 0));
    }
    if (fixture.loss.direction !== 'query-to-passage') {
      losses.push(compareTensors('column loss', column, expected('column loss'), 0));
    }
    const loss = describeWorst(losses);
    const gradient = compareGradients(fixture, await this.gradients());
    console.log(`${label}: loss ${mean}; ${loss.line}\n${label}: gradients: ${gradient.line}`);
    expect(loss.relative, loss.line).toBeLessThanOrEqual(tolerance);
    expect(gradient.relative, gradient.line).toBeLessThanOrEqual(tolerance);
  }

  destroy(): void {
    this.plan.destroy();
    this.clear.destroy();
    this.store.destroy();
  }
}

async function loadParameters(store: ParameterStore, { tensors }: Fixture): Promise<void> {
  await store.load('parameter', async (name, begin, end) => {
    const values = expectedTensor(tensors, `parameter ${name}`);
    const rowElements = values.length / (store.layout.shape(name)[0] as number);
    return values.slice(begin * rowElements, end * rowElements);
  });
}

/**
 * Every gradient of the model against the fixture's; the fixture must have no others.
 *
 * A key bias adds the same number to all of a query's logits, so its gradient is 0 but for rounding: it is
 * measured against the query bias's, of which it is the like.
 */
function compareGradients({ tensors }: Fixture, gradients: ReadonlyMap<string, Float32Array>) {
  const names = [...tensors.keys()].filter((name) => name.startsWith('gradient '));
  expect(names.map((name) => name.slice('gradient '.length)).sort()).toEqual([...gradients.keys()].sort());
  return describeWorst(
    names.map((name) => {
      const key = name.slice('gradient '.length);
      const like = name.endsWith('.key.bias') ? name.replace('.key.bias', '.query.bias') : name;
      return compareTensors(
        `d ${key}`,
        gradients.get(key) as Float32Array,
        expectedTensor(tensors, name),
        largestOf(expectedTensor(tensors, like)),
      );
    }),
  );
}

/** The executor as a store sees it on a device that binds no more than `limitBytes` at once. */
function withBindingLimit(inner: Executor, limitBytes: number): Executor {
  const limits = { ...inner.device.limits, maxStorageBufferBindingSize: limitBytes };
  return {
    kind: inner.kind,
    device: { ...inner.device, limits },
    createBuffer(label, sizeBytes) {
      if (sizeBytes > limitBytes) throw new Error(`buffer '${label}' of ${sizeBytes} bytes cannot be bound`);
      return inner.createBuffer(label, sizeBytes);
    },
    write: inner.write.bind(inner),
    read: inner.read.bind(inner),
    compile: inner.compile.bind(inner),
    destroy: () => undefined,
  };
}

/** A batch that fills the capacity to the brim: as many sequences as fit, and every token. */
function fullBatch({ config }: Fixture, capacity: BatchCapacity): GroupedBatch {
  const random = uniform(11);
  const sequences = capacity.queries + capacity.candidates;
  const longest = config.maxPositions - config.positionOffset;
  const cuSeqlens = Uint32Array.from({ length: sequences + 1 }, (_, i) =>
    Math.floor((i * capacity.tokens) / sequences),
  );
  expect(Math.ceil(capacity.tokens / sequences)).toBeLessThanOrEqual(longest);
  return {
    ids: Uint32Array.from({ length: capacity.tokens }, () => randomInteger(random, 4, config.vocabularySize)),
    cuSeqlens,
    queries: capacity.queries,
    candidates: capacity.candidates,
    groups: Uint32Array.from({ length: capacity.candidates }, (_, i) => i),
  };
}

describe.each(['bert-mean', 'labse', 'xlm-roberta-mean', 'bert-cls-pairs'])('%s', (name) => {
  const fixture = readTorchFixture<GradientCase>(name);

  it('has the loss and every gradient of PyTorch', async () => {
    const model = await Model.open(fixture, capacityFor([fixture.batch]));
    await model.check(name);
    model.destroy();
  });

  it('has the embeddings of PyTorch', async () => {
    const { config, pooling, batch } = fixture;
    const store = new ParameterStore(executor, encoderParameters(config, pooling));
    await loadParameters(store, fixture);
    const sequences = batch.queries + batch.candidates;
    const { plan, capacity } = buildEncodePlan({
      config,
      pooling,
      layout: store.layout,
      tokens: Math.ceil(batch.ids.length / 8) * 8,
      sequences: Math.ceil(sequences / 8) * 8,
    });
    const compiled = await executor.compile(plan, store.externals);
    const { feeds, counts } = packBatch(config, capacity, {
      ...encoderBatch(batch),
      queries: sequences,
      candidates: 0,
    });
    const { reads } = await compiled.run({
      feeds: { ...feeds, step: packStep({ counts }) },
      reads: [embeddingsResult],
    });
    const dimension = embeddingDimension(config, pooling);
    const actual = new Float32Array(reads[embeddingsResult] as ArrayBuffer).slice(0, sequences * dimension);
    const expected = expectedTensor(fixture.tensors, 'expected embeddings');
    const worst = describeWorst([compareTensors('embeddings', actual, expected, 0)]);
    const cosines = Array.from({ length: sequences }, (_, row) => {
      const begin = row * dimension;
      return cosine(actual.subarray(begin, begin + dimension), expected.subarray(begin, begin + dimension));
    });
    console.log(`${name}: least cosine ${Math.min(...cosines)}; ${worst.line}`);
    expect(Math.min(...cosines)).toBeGreaterThanOrEqual(0.999999);
    expect(worst.relative, worst.line).toBeLessThanOrEqual(1e-5);
    compiled.destroy();
    store.destroy();
  });

  it.each(['portable', 'workgroup'] as const)(
    'is not disturbed by what a larger batch, full of NaN, left behind; attention %s',
    async (strategy) => {
      const capacity = { tokens: 256, queries: 16, candidates: 24 };
      const model = await Model.open(fixture, capacity, undefined, strategy);
      const { store } = model;
      await store.load('parameter', async (parameter, begin, end) => {
        const [rows, columns = 1] = store.layout.shape(parameter) as [number, number?];
        expect(end).toBeLessThanOrEqual(rows);
        return new Float32Array((end - begin) * columns).fill(Number.NaN);
      });
      await model.accumulate(fullBatch(fixture, model.capacity));
      const left = await store.read('gradient', 'encoder.layer.0.output.dense.weight');
      expect(left.every(Number.isNaN)).toBe(true);
      await loadParameters(store, fixture);
      await model.clearGradients();
      await model.check(`${name} after NaN, attention ${strategy}`);
      model.destroy();
    },
  );
});

describe.each(['bert-mean', 'xlm-roberta-mean'])('%s with a split word table', (name) => {
  it('has the loss and every gradient of PyTorch', async () => {
    const fixture = readTorchFixture<GradientCase>(name);
    const { hiddenSize, intermediateSize } = fixture.config;
    // The least that still holds every other parameter whole.
    const limit = hiddenSize * intermediateSize * 4;
    const model = await Model.open(fixture, capacityFor([fixture.batch]), limit);
    const parts = model.store.layout.parts('embeddings.word_embeddings.weight');
    expect(parts.length).toBeGreaterThanOrEqual(3);
    expect(model.store.layout.all().length).toBe(model.store.layout.specs.length + parts.length - 1);
    await model.check(`${name} in ${parts.length} parts`);
    model.destroy();
  });
});

describe('accumulation', () => {
  it('adds the gradients of two batches', async () => {
    const fixture = readTorchFixture<GradientCase>('bert-mean');
    const capacity = { tokens: 128, queries: 8, candidates: 16 };
    const model = await Model.open(fixture, capacity);
    const first = encoderBatch(fixture.batch);
    const second = fullBatch(fixture, capacity);

    await model.accumulate(second);
    const ofSecond = await model.gradients();
    await model.accumulate(first);
    const ofBoth = await model.gradients();
    const sums = [...ofBoth].map(([name, actual]) => {
      const one = expectedTensor(fixture.tensors, `gradient ${name}`);
      const other = ofSecond.get(name) as Float32Array;
      // Key biases: see compareGradients.
      const like = name.replace('.key.bias', '.query.bias');
      return compareTensors(
        `d ${name}`,
        actual,
        one.map((value, i) => value + (other[i] as number)),
        largestOf(expectedTensor(fixture.tensors, `gradient ${like}`)),
      );
    });
    const worst = describeWorst(sums);
    console.log(`accumulated: ${worst.line}`);
    expect(worst.relative, worst.line).toBeLessThanOrEqual(tolerance);

    await model.clearGradients();
    await model.check('after clearing');
    model.destroy();
  });
});

function cosine(a: Float32Array, b: Float32Array): number {
  let [product, squareA, squareB] = [0, 0, 0];
  for (let i = 0; i < b.length; i++) {
    const [x, y] = [a[i] as number, b[i] as number];
    product += x * y;
    squareA += x * x;
    squareB += y * y;
  }
  return product / Math.sqrt(squareA * squareB);
}
