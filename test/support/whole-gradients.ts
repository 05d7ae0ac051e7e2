/** Gradients of a batch of the small encoder: all of it in one plan, or by gradient caching. */
import type { Batch, PackedBatch, Pair, Row } from '@synglot/data';
import type { Executor } from '@synglot/gpu';
import {
  buildTrainPlan,
  encoderParameters,
  type ObjectiveValues,
  objectiveResults,
  ParameterStore,
  type PoolingConfig,
  packBatch,
  packStep,
  weighObjectives,
} from '@synglot/nn';
import { type CachedBatch, GradientCache, type TrainObjective, withInitial } from '@synglot/train';
import { expect } from 'vitest';
import { bitsOf } from './kernel-harness.js';
import { randomFloats, randomInteger, uniform } from './random.js';
import { smallEncoder as config } from './small-encoder.js';

export const dropoutSeed = 0xcafe_f00d;
const langs = ['de', 'en', 'fi'];

/** Random sequences of 1 to 9 tokens; candidates fall into `groups` mask groups; each query has negatives of its own. */
export function makeCachedBatch(queries: number, candidates: number, groups: number): CachedBatch {
  const random = uniform(queries * 1000 + candidates);
  const sequences = queries + candidates;
  const cuSeqlens = new Uint32Array(sequences + 1);
  for (let i = 0; i < sequences; i++)
    cuSeqlens[i + 1] = (cuSeqlens[i] as number) + randomInteger(random, 1, 10);
  const tokens = cuSeqlens[sequences] as number;
  const packed: PackedBatch = {
    ids: Uint32Array.from({ length: tokens }, () => randomInteger(random, 0, config.vocabularySize)),
    cuSeqlens,
    groups: Uint32Array.from({ length: candidates }, () => randomInteger(random, 0, groups)),
    counts: { tokens, sequences, queries, candidates },
  };
  const row = (kind: string, index: number): Row => {
    const parallelId = `${kind} ${index}`;
    const lang = langs[index % langs.length] as string;
    return { id: parallelId, text: parallelId, lang, parallelId, dataset: 'd', domain: 'd' };
  };
  const negatives = candidates - queries;
  const pairs = Array.from({ length: queries }, (_, query): Pair => {
    const [begin, end] = [query, query + 1].map((i) => Math.floor((i * negatives) / queries));
    const own = Array.from({ length: (end as number) - (begin as number) }, (__, i) => (begin as number) + i);
    return {
      query: row('query', query),
      passage: row('passage', query),
      negatives: own.map((index) => row('negative', index)),
      margins: own.map((index) => (index % 4 === 3 ? Number.NaN : (index % 7) / 4 - 0.5)),
    };
  });
  const batch: Batch = {
    index: 0,
    mode: 'multilingual',
    queryLang: null,
    passageLang: null,
    dataset: 'd',
    pairs,
  };
  return { batch, packed, progress: 0.5 };
}

/** A store with the same weights every time and gradients that are 0. */
export async function openGradientStore(
  executor: Executor,
  pooling: PoolingConfig,
  objectives: readonly TrainObjective[],
): Promise<ParameterStore> {
  const auxiliary = objectives.flatMap(({ parameters = [] }) => parameters);
  const specs = [...encoderParameters(config, pooling), ...auxiliary.map(({ spec }) => spec)];
  const store = new ParameterStore(executor, specs);
  let index = 0;
  const model = async (name: string, begin: number, end: number) => {
    const shape = store.layout.shape(name);
    const columns = shape.slice(1).reduce((product, size) => product * size, 1);
    const random = randomFloats((end - begin) * columns, 500 + index++, shape.length > 1 ? 0.6 : 0.3);
    return name.endsWith('LayerNorm.weight') ? random.map((value) => value + 1) : random;
  };
  await store.load('parameter', withInitial(auxiliary, model));
  store.allocate('gradient');
  return store;
}

async function gradients(store: ParameterStore): Promise<Map<string, Float32Array>> {
  const found = new Map<string, Float32Array>();
  for (const { name } of store.layout.specs) found.set(name, await store.read('gradient', name));
  return found;
}

export interface Outcome extends ObjectiveValues {
  readonly gradients: Map<string, Float32Array>;
}

/** Loss and gradients in one plan for the whole batch; without gradients in mode `evaluate`. */
export async function wholeGradients(
  executor: Executor,
  pooling: PoolingConfig,
  trained: readonly TrainObjective[],
  given: CachedBatch,
  mode: 'accumulate' | 'evaluate' = 'accumulate',
): Promise<Outcome> {
  const store = await openGradientStore(executor, pooling, trained);
  const { packed } = given;
  const { queries, candidates, tokens } = packed.counts;
  const roundUp = (count: number) => Math.ceil(count / 4) * 4;
  const capacity = { tokens, queries: roundUp(queries), candidates: roundUp(candidates) };
  const { layout } = store;
  const objectives = trained.map(({ objective }) => objective);
  const { device } = executor;
  const plan = buildTrainPlan({ config, pooling, layout, device, capacity, objectives, mode });
  const compiled = await executor.compile(plan, store.externals);
  const { feeds, counts } = packBatch(config, capacity, { ...packed, queries, candidates });
  const own = trained.map((objective) => objective.feeds?.({ ...given, capacity }));
  const { reads } = await compiled.run({
    feeds: Object.assign({ ...feeds, step: packStep({ counts, seed: dropoutSeed }) }, ...own),
    reads: objectiveResults(objectives),
  });
  const floats = Object.fromEntries(
    Object.entries(reads).map(([name, bytes]) => [name, new Float32Array(bytes)]),
  );
  const values = weighObjectives(objectives, (one) => one.value(floats, { queries, candidates }));
  const outcome = { ...values, gradients: await gradients(store) };
  compiled.destroy();
  store.destroy();
  return outcome;
}

/** The same by gradient caching, of batches one after the other; and the last one's values without dropout. */
export async function cachedGradients(
  executor: Executor,
  pooling: PoolingConfig,
  objectives: readonly TrainObjective[],
  batches: readonly CachedBatch[],
  size: { readonly cacheTokens: number; readonly lossTile: number; readonly recompute?: boolean },
  lossScale = 1,
): Promise<Outcome & { readonly evaluated: ObjectiveValues }> {
  const store = await openGradientStore(executor, pooling, objectives);
  const cache = new GradientCache({ executor, store, config, pooling, objectives, ...size });
  let last: ObjectiveValues = { loss: Number.NaN, values: {} };
  for (const batch of batches) last = await cache.accumulate(batch, dropoutSeed, lossScale);
  const found = await gradients(store);
  const evaluated = await cache.evaluate(batches.at(-1) as CachedBatch);
  // Evaluation must not have touched them.
  for (const [name, after] of await gradients(store)) {
    expect(bitsOf(after), name).toEqual(bitsOf(found.get(name) as Float32Array));
  }
  await cache.destroy();
  store.destroy();
  return { ...last, gradients: found, evaluated };
}

/** Differences relative to the largest gradient of the tensor; a key's bias has none but rounding. */
export function expectSameGradients(actual: Outcome, expected: Outcome): void {
  expect(actual.loss).toBeCloseTo(expected.loss, 5);
  for (const [name, value] of Object.entries(expected.values)) {
    expect(actual.values[name], name).toBeCloseTo(value, 5);
  }
  const largestOf = (values: Float32Array) =>
    values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const largest = Math.max(...[...expected.gradients.values()].map(largestOf));
  for (const [name, reference] of expected.gradients) {
    const found = actual.gradients.get(name) as Float32Array;
    const allowed = 1e-5 * (name.endsWith('key.bias') ? largest : largestOf(reference));
    if (!name.endsWith('key.bias')) expect(allowed, name).toBeGreaterThan(0);
    const worst = largestOf(reference.map((value, i) => value - (found[i] as number)));
    expect(worst, `${name}, of ${largestOf(reference)}`).toBeLessThanOrEqual(allowed);
  }
}

/** The executor of the same device, whose kernels are chosen as for a GPU. */
export function asGpu(executor: Executor): Executor {
  const device = { ...executor.device, type: 'discrete-gpu' as const };
  return new Proxy(executor, {
    get(target, name) {
      const value: unknown = name === 'device' ? device : Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
