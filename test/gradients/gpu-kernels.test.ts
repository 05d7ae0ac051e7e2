/**
 * A whole training step with the kernels that GPUs get, on the device at hand, against the same step with those
 * of software devices: loss, clipping, gradients and updated weights agree but for rounding. Dropout is on.
 */
import type { DeviceInfo, Executor } from '@synglot/gpu';
import { catalogue } from '@synglot/kernels';
import {
  buildTrainPlan,
  clipResult,
  contrastive,
  distillation,
  type EncoderConfig,
  encoderParameters,
  freshParameters,
  groupsFeed,
  learnedTemperature,
  objectiveResults,
  ParameterStore,
  packBatch,
  packStep,
  rowWeightsFeed,
  teacherFeed,
  temperatureParameter,
} from '@synglot/nn';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestExecutor } from '../support/executor.js';
import { randomFloats, randomInteger, uniform } from '../support/random.js';

let executor: Executor;
beforeAll(async () => {
  executor = await openTestExecutor();
});
afterAll(() => executor?.destroy());

/** Rows of more vectors than a row has lanes, and no multiple of them. */
const config: EncoderConfig = {
  family: 'bert',
  vocabularySize: 71,
  hiddenSize: 208,
  layers: 1,
  heads: 4,
  intermediateSize: 144,
  maxPositions: 16,
  typeVocabularySize: 2,
  layerNormEpsilon: 1e-5,
  hiddenDropout: 0.1,
  attentionDropout: 0.1,
  positionOffset: 0,
  initializerRange: 0.1,
};
const pooling = { mode: 'mean', normalize: true } as const;
const live = { queries: 11, candidates: 17 };
const capacity = { tokens: 320, queries: 12, candidates: 20 };
const temperature = learnedTemperature({ initial: 0.1, least: 0.01, most: 1 });
const objectives = [
  contrastive({ temperature: 0.1, direction: 'both', learnedTemperature: temperatureParameter }),
  temperature.objective,
  distillation({ measure: 'mse', weight: 0.5 }),
];
const reads = [...objectiveResults(objectives), clipResult];
/** lavapipe takes long to compile what is for GPUs. */
const timeoutMs = 300_000;

function makeBatch() {
  const random = uniform(5);
  const sequences = live.queries + live.candidates;
  const cuSeqlens = new Uint32Array(sequences + 1);
  // About 220 tokens: more than three blocks of rows.
  for (let i = 0; i < sequences; i++)
    cuSeqlens[i + 1] = (cuSeqlens[i] as number) + randomInteger(random, 1, 16);
  const tokens = cuSeqlens[sequences] as number;
  const ids = Uint32Array.from({ length: tokens }, () => randomInteger(random, 0, config.vocabularySize));
  return { ids, cuSeqlens, ...live };
}

/** One step of SGD from fixed weights, with the kernels for devices of `type`. */
async function step(type: DeviceInfo['type']) {
  const specs = encoderParameters(config, pooling);
  const store = new ParameterStore(executor, [...specs, temperature.spec]);
  store.allocate('gradient');
  const fresh = freshParameters(config, specs, 3);
  await store.load('parameter', async (name, begin, end) =>
    name === temperatureParameter ? temperature.initial : fresh(name, begin, end),
  );
  const plan = buildTrainPlan({
    config,
    pooling,
    capacity,
    objectives,
    layout: store.layout,
    device: { ...executor.device, type },
    mode: 'step',
    optimizer: { method: { kind: 'sgd', weightDecay: 0 }, maxGradientNorm: 1, decay: 'matrices' },
  });
  const compiled = await executor.compile(plan, store.externals);
  const { feeds, counts } = packBatch(config, capacity, makeBatch());
  const teachers = (['queries', 'candidates'] as const).flatMap((side, index) => [
    [teacherFeed(side), randomFloats(capacity[side] * config.hiddenSize, 60 + index, 0.2)] as const,
    [rowWeightsFeed('distillation', side), new Float32Array(capacity[side]).fill(1 / 28)] as const,
  ]);
  const groups = Uint32Array.from({ length: live.candidates }, (_, index) => index % 9);
  const update = { step: 1, learningRate: 0.1, beta1: 0, beta2: 0 };
  const found = await compiled.run({
    feeds: {
      ...feeds,
      ...Object.fromEntries(teachers),
      [groupsFeed]: groups,
      step: packStep({ counts, seed: 77, update }),
    },
    reads,
  });
  const values = new Map<string, Float32Array>();
  for (const name of reads) {
    const rows = name.endsWith('candidates') ? live.candidates : live.queries;
    values.set(name, new Float32Array(found.reads[name] as ArrayBuffer).subarray(0, rows));
  }
  for (const kind of ['gradient', 'parameter']) {
    for (const { name } of store.layout.specs) values.set(`${kind} ${name}`, await store.read(kind, name));
  }
  const kernels = [...new Set(plan.kernels.map(({ label }) => label))];
  compiled.destroy();
  store.destroy();
  return { values, kernels };
}

const norm = (values: ArrayLike<number>) => Math.hypot(...Array.from(values));

test(
  'the kernels for GPUs give the loss, the gradients and the weights of those for software devices',
  async () => {
    const [software, gpu] = [await step('cpu'), await step('discrete-gpu')];
    expect([...gpu.values.keys()]).toEqual([...software.values.keys()]);
    for (const [name, expected] of software.values) {
      const actual = gpu.values.get(name) as Float32Array;
      const distance = norm(actual.map((value, i) => value - (expected[i] as number)));
      // A key's bias shifts all scores of a query alike: its gradient is rounding, if anything.
      const length = name.endsWith('self.key.bias') ? 0.01 : norm(expected);
      expect(length, name).toBeGreaterThan(0);
      expect(distance / length, name).toBeLessThan(1e-4);
    }

    const shared = (kernel: string) => `${kernel}_workgroup`;
    const rows = software.kernels.filter((kernel) => shared(kernel) in catalogue);
    expect(rows).toContain('residual_layer_norm_forward');
    expect(gpu.kernels).toEqual(expect.arrayContaining(rows.map(shared)));
    // The sum of the parts of a product has no other kernel.
    const left = gpu.kernels.filter((kernel) => rows.includes(kernel));
    expect(left.filter((kernel) => kernel !== 'partial_sum_accumulate')).toEqual([]);
  },
  timeoutMs,
);
