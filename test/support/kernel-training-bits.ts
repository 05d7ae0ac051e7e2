/** A few training steps from a fixed start, and every bit that they leave behind. For comparing runs. */
import { type Executor, type Plan, stepFeedName, warmUpPlan } from '@synglot/gpu';
import {
  buildCastPlan,
  buildClearPlan,
  buildTrainPlan,
  buildUpdatePlan,
  clipResult,
  columnLossResult,
  contrastive,
  defaultAdamW,
  type EncoderConfig,
  encoderParameters,
  freshParameters,
  groupsFeed,
  halfKind,
  ParameterStore,
  packBatch,
  packStep,
  rowLossResult,
  type TrainPlanOptions,
} from '@synglot/nn';
import { randomInteger, uniform } from './random.js';

const config: EncoderConfig = {
  family: 'bert',
  vocabularySize: 101,
  hiddenSize: 32,
  layers: 2,
  heads: 2,
  intermediateSize: 48,
  maxPositions: 16,
  typeVocabularySize: 2,
  layerNormEpsilon: 1e-12,
  hiddenDropout: 0.1,
  attentionDropout: 0.1,
  positionOffset: 0,
  initializerRange: 0.05,
};
const pooling = {
  mode: 'cls',
  dense: { inFeatures: 32, outFeatures: 24, bias: true, activation: 'tanh' },
  normalize: true,
} as const;
const capacity = { tokens: 96, queries: 6, candidates: 8 };
const kinds = ['parameter', 'gradient', 'first moment', 'second moment'];

export interface TrainingBitsOptions extends Pick<TrainPlanOptions, 'recompute' | 'precision'> {
  readonly warmUp?: boolean;
  readonly apart?: boolean;
}

/**
 * Runs `steps` AdamW steps with dropout on `executor`; results, weights, gradients, moments by name.
 *
 * @param warmUp runs the plan's warm-up while the weights are loaded
 * @param apart a step is the plans of accumulation one after the other: clear, accumulate one batch, update
 */
export async function trainingBits(
  executor: Executor,
  steps = 3,
  { warmUp = false, apart = false, ...options }: TrainingBitsOptions = {},
): Promise<Map<string, Uint32Array>> {
  const specs = encoderParameters(config, pooling);
  const store = new ParameterStore(executor, specs);
  for (const kind of kinds) store.allocate(kind);
  const { layout } = store;
  const { device } = executor;
  const optimizer = { method: defaultAdamW, maxGradientNorm: 1, decay: 'matrices' } as const;
  const plan = buildTrainPlan({
    config,
    pooling,
    layout,
    device,
    capacity,
    objectives: [contrastive({ temperature: 0.1, direction: 'both' })],
    mode: apart ? 'accumulate' : 'step',
    ...options,
    optimizer,
  });
  const warm = warmUp ? executor.compile(warmUpPlan(plan)) : undefined;
  const warming = warm?.then((compiled) => compiled.run());
  await store.load('parameter', freshParameters(config, specs, 42));
  await warming;
  (await warm)?.destroy();
  if (options.precision === 'mixed') store.allocate(halfKind);
  const compile = (one: Plan) => executor.compile(one, store.externals);
  if (options.precision === 'mixed') {
    const cast = await compile(buildCastPlan(layout));
    await cast.run();
    cast.destroy();
  }
  const compiled = await compile(plan);
  const clear = apart ? await compile(buildClearPlan(layout)) : undefined;
  const apply = apart ? await compile(buildUpdatePlan(layout, optimizer, { device, ...options })) : undefined;
  const bits = new Map<string, Uint32Array>();
  const random = uniform(99);
  for (let step = 1; step <= steps; step++) {
    const queries = randomInteger(random, 2, capacity.queries + 1);
    const candidates = randomInteger(random, queries, capacity.candidates + 1);
    const cuSeqlens = new Uint32Array(queries + candidates + 1);
    for (let i = 1; i < cuSeqlens.length; i++) {
      cuSeqlens[i] = (cuSeqlens[i - 1] as number) + randomInteger(random, 1, 7);
    }
    const ids = Uint32Array.from({ length: cuSeqlens.at(-1) as number }, () =>
      randomInteger(random, 0, config.vocabularySize),
    );
    const { feeds, counts } = packBatch(config, capacity, { ids, cuSeqlens, queries, candidates });
    const update = { step, learningRate: 1e-3, beta1: defaultAdamW.beta1, beta2: defaultAdamW.beta2 };
    const stepFeed = { [stepFeedName]: packStep({ counts, seed: 1000 + step, update }) };
    await clear?.run();
    const { reads } = await compiled.run({
      feeds: {
        ...feeds,
        [groupsFeed]: Uint32Array.from({ length: candidates }, (_, index) => index % (queries + 1)),
        ...stepFeed,
      },
      reads: [rowLossResult, columnLossResult, ...(apply ? [] : [clipResult])],
    });
    const updated = await apply?.run({ feeds: stepFeed, reads: [clipResult] });
    for (const [name, buffer] of Object.entries({ ...reads, ...updated?.reads })) {
      const live = name === clipResult ? 2 : queries;
      bits.set(`step ${step}: ${name}`, new Uint32Array(buffer, 0, live));
    }
  }
  for (const kind of kinds) {
    for (const { name } of specs) {
      bits.set(`${kind} ${name}`, new Uint32Array((await store.read(kind, name)).buffer));
    }
  }
  for (const one of [compiled, clear, apply]) one?.destroy();
  store.destroy();
  return bits;
}

/** Throws unless both hold the same bits; names the first difference and both values. */
export function expectSameBits(
  actual: ReadonlyMap<string, Uint32Array>,
  expected: ReadonlyMap<string, Uint32Array>,
): void {
  const names = (bits: ReadonlyMap<string, Uint32Array>) => [...bits.keys()].join();
  if (names(actual) !== names(expected))
    throw new Error(`other tensors: ${names(actual)}; ${names(expected)}`);
  for (const [name, words] of expected) {
    const other = actual.get(name) as Uint32Array;
    if (other.length !== words.length)
      throw new Error(`${name}: ${other.length} elements, not ${words.length}`);
    const index = words.findIndex((word, i) => word !== other[i]);
    if (index < 0) continue;
    const value = (from: Uint32Array) => new Float32Array(from.slice(index, index + 1).buffer)[0];
    throw new Error(`${name}, index ${index}: ${value(other)} is not bit for bit ${value(words)}`);
  }
}
