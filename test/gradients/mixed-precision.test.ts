/**
 * Loss and gradients in mixed precision against those in f32, on the device, dropout on: in one plan, with
 * cached gradients, at several loss scales. (f32 itself is checked against central differences and PyTorch.)
 */
import type { PackedBatch } from '@synglot/data';
import type { Executor } from '@synglot/gpu';
import {
  buildCastPlan,
  buildTrainPlan,
  columnLossResult,
  contrastive,
  type DeviceTraits,
  type EncoderConfig,
  encoderParameters,
  halfKind,
  meanLoss,
  ParameterStore,
  type PoolingConfig,
  type Precision,
  packBatch,
  packStep,
  rowLossResult,
} from '@synglot/nn';
import { type CachedBatch, GradientCache, masked } from '@synglot/train';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openTestExecutor } from '../support/executor.js';
import { canStore, noHalf } from '../support/half.js';
import { randomFloats, randomInteger, uniform } from '../support/random.js';
import { denseHead, meanHead as mean, smallEncoder } from '../support/small-encoder.js';

let executor: Executor;
beforeAll(async () => {
  executor = await openTestExecutor();
});
afterAll(() => executor?.destroy());
beforeEach(({ skip }) => skip(!canStore(executor, 'f16'), noHalf));

const config: EncoderConfig = {
  ...smallEncoder,
  hiddenSize: 64,
  heads: 4,
  intermediateSize: 48,
  hiddenDropout: 0.1,
  attentionDropout: 0.1,
};
const dense = denseHead(config.hiddenSize);
const objectives = [contrastive({ temperature: 0.1, direction: 'both' })];
const seed = 0xcafe_f00d;
/** lavapipe takes long to compile what is for GPUs. */
const compileTimeoutMs = 300_000;
const batch = makeBatch(12, 20);
/** The contrastive loss reads no texts. */
const cachedBatch = { packed: batch, progress: 0 } as CachedBatch;

function makeBatch(queries: number, candidates: number): PackedBatch {
  const random = uniform(queries * 1000 + candidates);
  const sequences = queries + candidates;
  const cuSeqlens = new Uint32Array(sequences + 1);
  for (let i = 0; i < sequences; i++)
    cuSeqlens[i + 1] = (cuSeqlens[i] as number) + randomInteger(random, 1, 10);
  const tokens = cuSeqlens[sequences] as number;
  return {
    ids: Uint32Array.from({ length: tokens }, () => randomInteger(random, 0, config.vocabularySize)),
    cuSeqlens,
    groups: Uint32Array.from({ length: candidates }, (_, index) => index),
    counts: { tokens, sequences, queries, candidates },
  };
}

interface Outcome {
  readonly loss: number;
  /** Divided by the loss scale. */
  readonly gradients: ReadonlyMap<string, Float32Array>;
}

/** A store with the same weights every time, gradients of 0 and, in mixed precision, copies of the weights. */
async function openStore(pooling: PoolingConfig, precision: Precision): Promise<ParameterStore> {
  const store = new ParameterStore(executor, encoderParameters(config, pooling));
  let index = 0;
  await store.load('parameter', async (name, begin, end) => {
    const shape = store.layout.shape(name);
    const columns = shape.slice(1).reduce((product, size) => product * size, 1);
    const random = randomFloats((end - begin) * columns, 500 + index++, shape.length > 1 ? 0.25 : 0.2);
    return name.endsWith('LayerNorm.weight') ? random.map((value) => value + 1) : random;
  });
  store.allocate('gradient');
  if (precision === 'mixed') {
    store.allocate(halfKind);
    const cast = await executor.compile(buildCastPlan(store.layout), store.externals);
    await cast.run();
    cast.destroy();
  }
  return store;
}

async function gradients(store: ParameterStore, lossScale: number): Promise<Map<string, Float32Array>> {
  const found = new Map<string, Float32Array>();
  for (const { name } of store.layout.specs) {
    const values = await store.read('gradient', name);
    found.set(
      name,
      values.map((value) => value / lossScale),
    );
  }
  return found;
}

async function whole(
  pooling: PoolingConfig,
  precision: Precision,
  lossScale: number,
  device: DeviceTraits = executor.device,
  perturbation?: number,
): Promise<Outcome & { readonly kernels: readonly string[] }> {
  const store = await openStore(pooling, precision);
  const { layout } = store;
  const { queries, candidates, tokens } = batch.counts;
  const capacity = { tokens: tokens + 5, queries: queries + 4, candidates: candidates + 4 };
  const plan = buildTrainPlan({
    config,
    pooling,
    layout,
    device,
    precision,
    capacity,
    objectives,
    mode: 'accumulate',
    ...(perturbation === undefined ? {} : { perturbation }),
  });
  const compiled = await executor.compile(plan, store.externals);
  const { feeds, counts } = packBatch(config, capacity, { ...batch, queries, candidates });
  const { reads } = await compiled.run({
    feeds: { ...feeds, groups: batch.groups, step: packStep({ counts, seed, lossScale }) },
    reads: [rowLossResult, columnLossResult],
  });
  const values = (name: string) => new Float32Array(reads[name] as ArrayBuffer);
  const loss = meanLoss(values(rowLossResult), values(columnLossResult), queries, 'both');
  const kernels = plan.kernels.map(({ label }) => label);
  const outcome = { loss, gradients: await gradients(store, lossScale), kernels };
  compiled.destroy();
  store.destroy();
  return outcome;
}

async function cached(pooling: PoolingConfig, lossScale: number): Promise<Outcome> {
  const precision = 'mixed';
  const store = await openStore(pooling, precision);
  const size = { cacheTokens: 50, lossTile: 8 };
  const trained = objectives.map(masked);
  const cache = new GradientCache({
    executor,
    store,
    config,
    pooling,
    objectives: trained,
    precision,
    ...size,
  });
  const { loss } = await cache.accumulate(cachedBatch, seed, lossScale);
  const outcome = { loss, gradients: await gradients(store, lossScale) };
  await cache.destroy();
  store.destroy();
  return outcome;
}

const length = (values: Float32Array) => Math.hypot(...values);

/** The distance of each gradient, relative to its length; a key's bias has none but rounding. */
function expectNear(actual: Outcome, expected: Outcome, tolerance: number): void {
  expect(Math.abs(actual.loss - expected.loss) / expected.loss).toBeLessThan(tolerance);
  for (const [name, reference] of expected.gradients) {
    if (name.endsWith('key.bias')) continue;
    const found = actual.gradients.get(name) as Float32Array;
    const distance = length(reference.map((value, i) => value - (found[i] as number)));
    expect(length(reference), name).toBeGreaterThan(0);
    expect(distance / length(reference), name).toBeLessThan(tolerance);
  }
}

describe.each([
  ['mean pooling', mean],
  ['a dense head', dense],
] as const)('%s', (_name, pooling) => {
  test.each([64, 1024])('the gradients of f32, scaled by %i', async (lossScale) => {
    expectNear(await whole(pooling, 'mixed', lossScale), await whole(pooling, 'f32', 1), 0.01);
  });

  test('cached gradients are those of the whole batch', async () => {
    expectNear(await cached(pooling, 256), await whole(pooling, 'mixed', 256), 0.003);
  });

  test('twice gives the same bits', async () => {
    expect(await whole(pooling, 'mixed', 256)).toEqual(await whole(pooling, 'mixed', 256));
  });
});

test('perturbed embeddings (FGM): the gradients of f32, whatever the loss scale', async () => {
  const { device } = executor;
  const expected = await whole(mean, 'f32', 1, device, 0.5);
  // It is the perturbed batch's share that is near, and not only the clean one's.
  const name = 'encoder.layer.0.intermediate.dense.weight';
  const of = ({ gradients }: Outcome) => gradients.get(name) as Float32Array;
  const clean = of(await whole(mean, 'f32', 1));
  expect(length(of(expected).map((value, i) => value - 2 * (clean[i] as number)))).toBeGreaterThan(
    0.1 * length(of(expected)),
  );
  for (const lossScale of [64, 1024]) {
    expectNear(await whole(mean, 'mixed', lossScale, device, 0.5), expected, 0.02);
  }
});

test('in f32 a loss scale changes the exponents of the gradients, and nothing else', async () => {
  expect(await whole(mean, 'f32', 1024)).toEqual(await whole(mean, 'f32', 1));
});

test.for(['workgroup', 'subgroup_matrix'] as const)(
  'with the kernels of a GPU with matrix units, attention by %s',
  { timeout: compileTimeoutMs },
  async (attentionStrategy, { skip }) => {
    const { device } = executor;
    const units = device.subgroupMatrixConfigs.some(
      ({ component, result }) => component === 'f16' && result === 'f32',
    );
    skip(!units, 'this device has no matrix units for f16 with sums in f32');
    const found = await whole(mean, 'mixed', 256, { ...device, type: 'discrete-gpu', attentionStrategy });
    for (const pass of ['forward', 'backward_query', 'backward_key_value'])
      expect(found.kernels).toContain(`attention_${pass}_${attentionStrategy}`);
    const matrix = found.kernels.filter((name) => name.endsWith('_subgroup_matrix'));
    for (const layout of ['nt', 'nn', 'tn'])
      expect(
        matrix.some((name) => name.startsWith(`matmul_${layout}`)),
        layout,
      ).toBe(true);
    expectNear(found, await whole(mean, 'f32', 1), 0.01);
  },
);

test('a loss scale that is too small loses gradients, one that is too large overflows', async () => {
  const expected = await whole(mean, 'f32', 1);
  const name = 'encoder.layer.0.attention.self.query.weight';
  const lengthAt = async (scale: number) =>
    length((await whole(mean, 'mixed', scale)).gradients.get(name) as Float32Array);
  expect(await lengthAt(2 ** -22)).toBeLessThan(0.5 * length(expected.gradients.get(name) as Float32Array));
  expect(await lengthAt(2 ** 30)).not.toBeLessThan(Infinity);
});
