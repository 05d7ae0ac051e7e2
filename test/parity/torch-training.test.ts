/**
 * Training against torch.optim: ten AdamW steps with clipping, warmup and decay, and a step of SGD, on
 * batches that the sampler of `@synglot/data` draws. Fixture: fixtures/make_torch_fixtures.py.
 */
import { join } from 'node:path';
import type { Executor } from '@synglot/gpu';
import {
  type BatchCapacity,
  buildClearPlan,
  buildTrainPlan,
  buildUpdatePlan,
  clipResult,
  columnLossResult,
  contrastive,
  defaultAdamW,
  encoderParameters,
  meanLoss,
  type OptimizerOptions,
  optimizerState,
  type ParameterSpec,
  ParameterStore,
  packBatch,
  packStep,
  rowLossResult,
  type StepValues,
} from '@synglot/nn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FixtureBatch, type SampledBatches, sampledBatches } from '../fixtures/sampled-batches.js';
import { openTestExecutor } from '../support/executor.js';
import {
  capacityFor,
  compareTensors,
  type Difference,
  describeWorst,
  encoderBatch,
  expectedTensor,
  largestOf,
  readTorchFixture,
  torchFixtures,
} from '../support/safetensors-fixture.js';

const tolerance = 1e-4;
/** Moves are small differences of larger f32 numbers, so rounding weighs more. */
const moveTolerance = 1e-3;
const betas = { beta1: 0.9, beta2: 0.999 };

interface TrainingRun {
  readonly weightDecay: number;
  readonly maxGradientNorm: number;
  readonly expected: {
    readonly adamw: {
      readonly learningRates: number[];
      readonly losses: number[];
      readonly gradientNorms: number[];
    };
    readonly sgd: {
      readonly learningRate: number;
      readonly weightDecay: number;
      readonly loss: number;
      readonly gradientNorm: number;
    };
  };
}

const fixture = readTorchFixture<TrainingRun>('training');
const { config, pooling, loss, maxGradientNorm, tensors } = fixture;

let executor: Executor;
let sampled: SampledBatches;
let capacity: BatchCapacity;

beforeAll(async () => {
  sampled = await sampledBatches();
  capacity = capacityFor(sampled.batches);
  executor = await openTestExecutor();
});
afterAll(() => executor?.destroy());

/** The fixture's initial parameters, zero gradients and zero moments. */
async function openStore(
  optimizer: OptimizerOptions,
  specs: readonly ParameterSpec[] = encoderParameters(config, pooling),
): Promise<ParameterStore> {
  const store = new ParameterStore(executor, specs);
  await store.load('parameter', async (name, begin, end) => {
    const values = expectedTensor(tensors, `initial ${name}`);
    const rowElements = values.length / (store.layout.shape(name)[0] as number);
    return values.slice(begin * rowElements, end * rowElements);
  });
  for (const kind of ['gradient', ...optimizerState(optimizer)]) store.allocate(kind);
  return store;
}

async function compileTraining(
  store: ParameterStore,
  mode: 'step' | 'accumulate',
  optimizer: OptimizerOptions,
) {
  const plan = buildTrainPlan({
    config,
    pooling,
    layout: store.layout,
    capacity,
    objectives: [contrastive(loss)],
    mode,
    optimizer,
  });
  const compiled = await executor.compile(plan, store.externals);
  const reads = [rowLossResult, columnLossResult, ...(mode === 'step' ? [clipResult] : [])];
  return {
    async run(batch: FixtureBatch, step: Omit<StepValues, 'counts'>) {
      const { groups, ...packed } = encoderBatch(batch);
      const { feeds, counts } = packBatch(config, capacity, packed);
      const result = await compiled.run({
        feeds: { ...feeds, groups, step: packStep({ counts, ...step }) },
        reads,
      });
      const values = (name: string) => new Float32Array(result.reads[name] ?? new ArrayBuffer());
      const row = values(rowLossResult);
      const column = values(columnLossResult);
      return {
        loss: meanLoss(row, column, batch.queries, loss.direction),
        gradientNorm: values(clipResult)[0],
      };
    },
    destroy: () => compiled.destroy(),
  };
}

/**
 * How far each parameter has moved, against PyTorch's under `prefix`.
 *
 * A key bias adds the same number to all of a query's logits: it has no influence on the loss, and its
 * gradient is 0 but for rounding. AdamW divides that noise by its own size, so there it is left out; with
 * SGD it is measured against the query bias's move, of which it is the like.
 */
async function compareMoves(
  store: ParameterStore,
  prefix: string,
  method: OptimizerOptions['method'],
  moved: ReadonlyMap<string, Float32Array> = tensors,
): Promise<Difference[]> {
  const move = (name: string, values: Float32Array) => {
    const initial = expectedTensor(tensors, `initial ${name}`);
    return Float64Array.from(values, (value, i) => value - (initial[i] as number));
  };
  const expectedMove = (name: string) => move(name, expectedTensor(moved, `${prefix} ${name}`));
  const differences: Difference[] = [];
  for (const { name } of store.layout.specs) {
    if (method.kind === 'adamw' && name.endsWith('.key.bias')) continue;
    const actual = move(name, await store.read('parameter', name));
    const like = name.replace('.key.bias', '.query.bias');
    differences.push(
      compareTensors(`move of ${name}`, actual, expectedMove(name), largestOf(expectedMove(like))),
    );
  }
  return differences;
}

function expectClose(label: string, differences: readonly Difference[], limit = tolerance): void {
  const worst = describeWorst(differences);
  console.log(`${label}: ${worst.line}`);
  expect(worst.relative, worst.line).toBeLessThanOrEqual(limit);
}

describe('the sampler', () => {
  it('draws the batches that PyTorch was given', async () => {
    // After a change that is meant: run with -u, then make_torch_fixtures.py.
    await expect(`${JSON.stringify(sampled)}\n`).toMatchFileSnapshot(
      join(torchFixtures, 'sampled-batches.json'),
    );
  });

  it('draws batches of which the loss masks some candidates, with unequal lengths and negatives', () => {
    const { batches } = sampled;
    const masked = batches.filter(({ groups }) => new Set(groups).size < groups.length);
    expect(masked.length).toBeGreaterThanOrEqual(5);
    expect(batches.filter((batch) => batch.candidates > batch.queries).length).toBeGreaterThanOrEqual(5);
    expect(new Set(batches.map(({ ids }) => ids.length)).size).toBeGreaterThanOrEqual(5);
  });
});

describe('AdamW', () => {
  const optimizer: OptimizerOptions = {
    method: { ...defaultAdamW, ...betas, epsilon: 1e-8, weightDecay: fixture.weightDecay },
    maxGradientNorm,
    decay: 'all',
  };

  it('has the losses, gradient norms and moves of PyTorch over ten steps', async () => {
    const { learningRates, losses, gradientNorms } = fixture.expected.adamw;
    const store = await openStore(optimizer);
    const training = await compileTraining(store, 'step', optimizer);
    const differences: Difference[] = [];
    for (const [index, batch] of sampled.batches.entries()) {
      const update = { step: index + 1, learningRate: learningRates[index] as number, ...betas };
      const actual = await training.run(batch, { seed: index, update });
      differences.push(
        compareTensors(`loss ${index}`, [actual.loss], [losses[index] as number], 0),
        compareTensors(
          `gradient norm ${index}`,
          [actual.gradientNorm as number],
          [gradientNorms[index] as number],
          0,
        ),
      );
    }
    expect(differences).toHaveLength(20);
    expectClose('AdamW, losses and norms', differences);
    expectClose('AdamW', await compareMoves(store, 'adamw', optimizer.method), moveTolerance);
    training.destroy();
    store.destroy();
  });

  it('has them with parameter groups and layer-wise decay', async () => {
    const grouped = readTorchFixture<{ readonly expected: { readonly losses: number[] } }>('training-groups');
    const options: OptimizerOptions = {
      ...optimizer,
      decay: 'matrices',
      layerDecay: 0.5,
      groups: [
        { parameters: ['*.query.weight'], learningRateScale: 4, weightDecay: 0.05 },
        { parameters: ['encoder.layer.0.*LayerNorm*'], weightDecay: 0.1 },
      ],
    };
    const store = await openStore(options);
    const training = await compileTraining(store, 'step', options);
    const differences: Difference[] = [];
    for (const [index, batch] of sampled.batches.entries()) {
      const learningRate = fixture.expected.adamw.learningRates[index] as number;
      const actual = await training.run(batch, {
        seed: index,
        update: { step: index + 1, learningRate, ...betas },
      });
      const expected = grouped.expected.losses[index] as number;
      differences.push(compareTensors(`loss ${index}`, [actual.loss], [expected], 0));
    }
    expectClose('AdamW with groups, losses', differences);
    const moves = await compareMoves(store, 'adamw', options.method, grouped.tensors);
    expectClose('AdamW with groups', moves, moveTolerance);
    training.destroy();
    store.destroy();
  });

  it('has them when lower layers are frozen for the first steps', async () => {
    const unfreezing = readTorchFixture<{
      readonly frozenSteps: number;
      readonly expected: { readonly losses: number[]; readonly gradientNorms: number[] };
    }>('training-unfreezing');
    const { frozenSteps, expected } = unfreezing;
    const specs = encoderParameters(config, pooling);
    const lower = ({ name }: ParameterSpec) => /^(embeddings|encoder\.layer\.0)\./.test(name);
    const frozen = specs.map((spec) => ({ ...spec, trainable: !lower(spec) }));
    const later: OptimizerOptions = {
      ...optimizer,
      updatesBefore: Object.fromEntries(specs.filter(lower).map(({ name }) => [name, frozenSteps])),
    };
    const first = await openStore(optimizer, frozen);
    const second = await openStore(later);
    const differences: Difference[] = [];
    const phases = [
      { store: first, options: optimizer, begin: 0, end: frozenSteps },
      { store: second, options: later, begin: frozenSteps, end: sampled.batches.length },
    ];
    for (const { store, options, begin, end } of phases) {
      if (begin > 0) await carryOver(first, second, optimizer);
      const training = await compileTraining(store, 'step', options);
      for (let index = begin; index < end; index++) {
        const learningRate = fixture.expected.adamw.learningRates[index] as number;
        const update = { step: index + 1, learningRate, ...betas };
        const actual = await training.run(sampled.batches[index] as FixtureBatch, { seed: index, update });
        differences.push(
          compareTensors(`loss ${index}`, [actual.loss], [expected.losses[index] as number], 0),
          compareTensors(
            `gradient norm ${index}`,
            [actual.gradientNorm as number],
            [expected.gradientNorms[index] as number],
            0,
          ),
        );
      }
      training.destroy();
    }
    expectClose('AdamW with unfreezing, losses and norms', differences);
    const moves = await compareMoves(second, 'adamw', optimizer.method, unfreezing.tensors);
    expectClose('AdamW with unfreezing', moves, moveTolerance);
    first.destroy();
    second.destroy();
  });
});

/** Gives a store the parameters of another, and the moments of those that it trained. */
async function carryOver(from: ParameterStore, to: ParameterStore, optimizer: OptimizerOptions) {
  for (const kind of ['parameter', ...optimizerState(optimizer)]) {
    for (const { name, shape } of from.layout.specsOf(kind)) {
      const values = await from.read(kind, name);
      const rowElements = values.length / (shape[0] as number);
      await to.loadOne(kind, name, async (_name, begin, end) =>
        values.slice(begin * rowElements, end * rowElements),
      );
    }
  }
}

describe('SGD', () => {
  const { learningRate, weightDecay, loss: expectedLoss, gradientNorm } = fixture.expected.sgd;
  const optimizer: OptimizerOptions = {
    method: { kind: 'sgd', weightDecay },
    maxGradientNorm,
    decay: 'matrices',
  };
  const update = { step: 1, learningRate, ...betas };

  it('has the loss, gradient norm and moves of PyTorch after a step', async () => {
    const store = await openStore(optimizer);
    const training = await compileTraining(store, 'step', optimizer);
    const actual = await training.run(sampled.batches[0] as FixtureBatch, { update });
    expectClose('SGD, loss and norm', [
      compareTensors('loss', [actual.loss], [expectedLoss], 0),
      compareTensors('gradient norm', [actual.gradientNorm as number], [gradientNorm], 0),
    ]);
    expectClose('SGD', await compareMoves(store, 'sgd', optimizer.method), moveTolerance);
    training.destroy();
    store.destroy();
  });

  it('has them too when the same batch is accumulated four times at a quarter', async () => {
    const store = await openStore(optimizer);
    const training = await compileTraining(store, 'accumulate', optimizer);
    const clear = await executor.compile(buildClearPlan(store.layout), store.externals);
    const apply = await executor.compile(
      buildUpdatePlan(store.layout, optimizer, { device: executor.device }),
      store.externals,
    );
    await training.run(sampled.batches[1] as FixtureBatch, {});
    await clear.run();
    for (let time = 0; time < 4; time++) await training.run(sampled.batches[0] as FixtureBatch, {});
    const step = packStep({ counts: {}, update, gradientScale: 1 / 4 });
    const { reads } = await apply.run({ feeds: { step }, reads: [clipResult] });
    const norm = new Float32Array(reads[clipResult] as ArrayBuffer)[0] as number;
    expectClose('SGD, accumulated norm', [compareTensors('gradient norm', [norm], [gradientNorm], 0)]);
    expectClose('SGD, accumulated', await compareMoves(store, 'sgd', optimizer.method), moveTolerance);
    for (const plan of [training, clear, apply]) plan.destroy();
    store.destroy();
  });
});
