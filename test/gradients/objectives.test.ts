/**
 * Training objectives beside plain InfoNCE: values and gradients against sentence-transformers and PyTorch
 * (fixtures/make_torch_objectives.py), and gradients against central differences.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pair } from '@synglot/data';
import { openTrainingData } from '@synglot/data/files';
import type { Executor } from '@synglot/gpu';
import {
  contrastive,
  distillation,
  emitObjectives,
  Graph,
  groupsFeed,
  languageDiscriminator,
  languageDiscriminatorParameters,
  languagesFeed,
  learnedTemperature,
  marginMse,
  marginWeightsFeed,
  matryoshka,
  negativeOffsetsFeed,
  type Objective,
  objectiveResults,
  ParameterLayout,
  type ParameterSpec,
  ParameterStore,
  packStep,
  reversalFeed,
  rowWeightsFeed,
  teacherFeed,
  teacherMarginsFeed,
  temperatureParameter,
  weighObjectives,
} from '@synglot/nn';
import { marginMseObjective, type ObjectiveContext, scoredMargins } from '@synglot/train';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestExecutor } from '../support/executor.js';
import { checkGradients, type GradientProblem } from '../support/kernel-gradients.js';
import { poisonFrom } from '../support/kernel-harness.js';
import {
  compareTensors,
  describeWorst,
  expectedTensor,
  readTorchFixture,
} from '../support/safetensors-fixture.js';

let executor: Executor;
beforeAll(async () => {
  executor = await openTestExecutor();
});
afterAll(() => executor?.destroy());

interface ObjectivesFixture {
  readonly queries: number;
  readonly candidates: number;
  readonly dimension: number;
  readonly temperature: number;
  readonly dimensions: readonly number[];
  readonly weights: readonly number[];
  readonly logScale: number;
  readonly languages: readonly number[];
  readonly languageCount: number;
  readonly hidden: number;
  readonly reversal: number;
  readonly expected: Readonly<Record<string, number>>;
}
const fixture = readTorchFixture<ObjectivesFixture>('objectives');
const { queries, candidates, dimension, temperature, tensors, expected } = fixture;
const capacity = { queries: 8, candidates: 20 };
const negatives = (candidates - queries) / queries;
const sideRows = { queries, candidates } as const;

/** A tensor of the fixture in a larger one, the rest poison: nothing there may be read. */
function padded(name: string, rows: number, columns = dimension): Float32Array {
  const values = expectedTensor(tensors, name);
  const whole = new Float32Array(rows * columns);
  whole.set(values);
  return poisonFrom(whole, values.length);
}

const mean = (count: number, rows: number) => new Float32Array(rows).fill(1 / count);
/** Feeds of every objective; a plan takes those that it declares. */
const feeds: Readonly<Record<string, ArrayBufferView>> = {
  [groupsFeed]: Uint32Array.from({ length: capacity.candidates }, (_, index) => index),
  [teacherFeed('queries')]: padded('teacher queries', capacity.queries),
  [teacherFeed('candidates')]: padded('teacher candidates', capacity.candidates),
  [rowWeightsFeed('distillation', 'queries')]: mean(queries + candidates, capacity.queries),
  [rowWeightsFeed('distillation', 'candidates')]: mean(queries + candidates, capacity.candidates),
  [negativeOffsetsFeed]: Uint32Array.from(
    { length: capacity.queries + 1 },
    (_, query) => queries + query * negatives,
  ),
  [teacherMarginsFeed]: Float32Array.from([
    ...new Array(queries).fill(Number.NaN),
    ...expectedTensor(tensors, 'margins'),
    ...new Array(capacity.candidates - candidates).fill(Number.NaN),
  ]),
  [marginWeightsFeed]: mean(queries * negatives, capacity.candidates),
  [languagesFeed('queries')]: Uint32Array.from(fixture.languages.slice(0, queries)),
  [languagesFeed('candidates')]: Uint32Array.from(fixture.languages.slice(queries)),
  [rowWeightsFeed('language_discriminator', 'queries')]: mean(queries + candidates, capacity.queries),
  [rowWeightsFeed('language_discriminator', 'candidates')]: mean(queries + candidates, capacity.candidates),
  [reversalFeed]: Float32Array.of(fixture.reversal, 0, 0, 0),
};

const discriminator = {
  languages: fixture.languageCount,
  dimension,
  hidden: fixture.hidden,
} as const;

/** The discriminator's parameters, with columns of zero where no language is. */
function discriminatorValues(spec: ParameterSpec): Float32Array {
  const values = new Float32Array(spec.shape.reduce((product, size) => product * size, 1));
  values.set(expectedTensor(tensors, `parameter ${spec.name}`));
  return values;
}

interface Case {
  readonly objectives: readonly Objective[];
  /** Parameters beside the embeddings. */
  readonly parameters?: readonly { readonly spec: ParameterSpec; readonly values: Float32Array }[];
  /** Live candidates; all of the fixture's when absent. */
  readonly candidates?: number;
  /** Feeds that take the place of the common ones. */
  readonly feeds?: Readonly<Record<string, ArrayBufferView>>;
  /** The scalar whose gradient is taken; the weighted loss when absent. */
  readonly value?: string;
}

function problemOf(given: Case): GradientProblem {
  const { objectives, parameters = [] } = given;
  const live = { queries, candidates: given.candidates ?? candidates };
  const layout = new ParameterLayout(
    [
      { name: 'queries', shape: [capacity.queries, dimension] },
      { name: 'candidates', shape: [capacity.candidates, dimension] },
      ...parameters.map(({ spec }) => spec),
    ],
    2 ** 27,
  );
  const g = new Graph('objectives', layout, true, executor.device);
  const side = (slot: 'queries' | 'candidates') => ({
    tensor: g.parameter(slot),
    axis: { capacity: capacity[slot], slot },
    columns: dimension,
    frozen: false,
  });
  const { backward } = emitObjectives(g, objectives, {
    queries: side('queries'),
    candidates: side('candidates'),
  });
  const { dQueries, dCandidates } = backward();
  g.plan.copy(dQueries.tensor, g.plan.result('d queries', [capacity.queries, dimension]));
  g.plan.copy(dCandidates.tensor, g.plan.result('d candidates', [capacity.candidates, dimension]));
  const plan = g.plan.build();
  const declared = new Set(plan.buffers.filter(({ role }) => role === 'feed').map(({ name }) => name));
  const own = Object.entries({ ...feeds, ...given.feeds }).filter(([name]) => declared.has(name));
  return {
    plan,
    layout,
    values: new Map([
      ['queries', padded('queries', capacity.queries)],
      ['candidates', padded('candidates', capacity.candidates)],
      ...parameters.map(({ spec, values }) => [spec.name, values] as const),
    ]),
    feeds: { ...Object.fromEntries(own), step: packStep({ counts: live }) },
    poisonFeeds: { ...Object.fromEntries(own), step: packStep({ counts: live }) },
    reads: objectiveResults(objectives),
    loss: (reads) => {
      const found = weighObjectives(objectives, (objective) => objective.value(reads, live));
      return given.value ? (found.values[given.value] as number) : found.loss;
    },
    gradientResults: { queries: 'd queries', candidates: 'd candidates' },
    live: { queries: live.queries * dimension, candidates: live.candidates * dimension },
  };
}

const learned = learnedTemperature({ initial: Math.exp(-fixture.logScale), least: 0.001, most: 1 });
const withTemperature = (objectives: readonly Objective[]): Case => ({
  objectives: [...objectives, learned.objective],
  parameters: [{ spec: learned.spec, values: learned.initial }],
});
const adversarial = (strength: number): Case => ({
  objectives: languageDiscriminator(discriminator),
  parameters: languageDiscriminatorParameters(discriminator).map((spec) => ({
    spec,
    values: discriminatorValues(spec),
  })),
  feeds: { [reversalFeed]: Float32Array.of(strength, 0, 0, 0) },
  value: 'language_discriminator',
});

/** Unit vectors, as sentence-transformers' losses take cosines of what they are given. */
const nestedIn = { dimensions: fixture.dimensions, weights: fixture.weights };
const nested = matryoshka(nestedIn, { temperature, direction: 'query-to-passage' });

const scored = marginMseObjective(scoredMargins, { weight: 1 });

const cases: Readonly<Record<string, Case>> = {
  matryoshka: { objectives: nested },
  temperature: {
    ...withTemperature([
      contrastive({
        temperature: Number.NaN,
        direction: 'both',
        learnedTemperature: temperatureParameter,
        // CLIP normalises.
        normalize: true,
      }),
    ]),
    candidates: queries,
  },
  mse: { objectives: [distillation({ measure: 'mse' })] },
  cosine: {
    objectives: [distillation({ measure: 'cosine' })],
    feeds: {
      [teacherFeed('queries')]: unitRows(padded('teacher queries', capacity.queries)),
      [teacherFeed('candidates')]: unitRows(padded('teacher candidates', capacity.candidates)),
    },
  },
  'margin mse': { objectives: [marginMse()] },
  'margin mse of scores': { objectives: [scored.objective], feeds: await scoreFeeds() },
  adversarial: adversarial(fixture.reversal),
};

/** The feeds of triplets that lie in a file with a cross-encoder's scores, as a run reads them. */
async function scoreFeeds(): Promise<Readonly<Record<string, ArrayBufferView>>> {
  const folder = await mkdtemp(join(tmpdir(), 'synglot-scores-'));
  const path = join(folder, 'triplets.jsonl');
  const scores = expectedTensor(tensors, 'scores');
  const rows = Array.from({ length: queries }, (_, query) => ({
    query: `question ${query}`,
    passage: `passage ${query}`,
    negatives: Array.from({ length: negatives }, (__, i) => `negative ${query} ${i}`),
    scores: [...scores.slice(query * (1 + negatives), (query + 1) * (1 + negatives))],
  }));
  await writeFile(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const pairs: Pair[] = [];
  const source = { format: 'pairs-jsonl', path, lang: 'en', scores: true } as const;
  for await (const pair of openTrainingData(source)) pairs.push(pair);
  await rm(folder, { recursive: true });
  const context = { batch: { pairs }, capacity: { tokens: 0, ...capacity } } as unknown as ObjectiveContext;
  return scored.feeds?.(context) ?? {};
}

function unitRows(values: Float32Array): Float32Array {
  return values.map((value, i) => {
    const begin = i - (i % dimension);
    return value / Math.hypot(...values.subarray(begin, begin + dimension));
  });
}

/** One run: reads, and the gradients of embeddings and parameters. */
async function run(problem: GradientProblem) {
  const store = new ParameterStore(executor, problem.layout.specs);
  await store.load('parameter', async (name, begin, end) => {
    const values = problem.values.get(name) as Float32Array;
    const columns = values.length / (store.layout.shape(name)[0] as number);
    return values.slice(begin * columns, end * columns);
  });
  store.allocate('gradient');
  const compiled = await executor.compile(problem.plan, store.externals);
  const { reads } = await compiled.run({
    feeds: problem.feeds,
    reads: [...problem.reads, 'd queries', 'd candidates'],
  });
  const floats = Object.fromEntries(
    Object.entries(reads).map(([name, bytes]) => [name, new Float32Array(bytes)]),
  );
  const gradients = new Map<string, Float32Array>();
  for (const name of problem.values.keys()) {
    const own = floats[`d ${name}`] ?? (await store.read('gradient', name));
    gradients.set(name, own);
  }
  compiled.destroy();
  store.destroy();
  return { floats, gradients, loss: problem.loss(floats) };
}

describe.each(Object.entries(cases))('%s', (name, given) => {
  test('has the value and every gradient of the reference', async () => {
    const problem = problemOf(given);
    const { floats, gradients, loss } = await run(problem);
    const differences = [compareTensors('loss', [loss], [expected[name] as number], 0)];
    for (const [parameter, gradient] of gradients) {
      const key = parameter === temperatureParameter ? 'log_scale' : parameter;
      const reference = expectedTensor(tensors, `${name} d ${key}`);
      const own = gradient.slice(0, reference.length);
      const live = problem.live?.[parameter] ?? own.length;
      differences.push(compareTensors(`d ${parameter}`, own.slice(0, live), reference.slice(0, live), 0));
    }
    const worst = describeWorst(differences);
    expect(worst.relative, worst.line).toBeLessThanOrEqual(1e-5);
    if (name === 'matryoshka') {
      for (const objective of given.objectives) {
        const reference = expected[objective.name.replace('_', ' ')] as number;
        expect(objective.value(floats, sideRows)).toBeCloseTo(reference, 4);
      }
    }
  });

  test('has the gradients of central differences', async () => {
    // A reversal of -1 reverses nothing: what flows on is then the gradient itself.
    const plain = name === 'adversarial' ? adversarial(-1) : given;
    await checkGradients(executor, problemOf(plain), {
      relative: 2e-3,
      groups: [...problemOf(plain).values.keys()].map((key) => [key]),
    });
  });
});

describe('composition', () => {
  const common = { temperature: 0.2, direction: 'both' } as const;
  const parts = [
    contrastive({ ...common, weight: 0.3 }),
    distillation({ measure: 'mse', weight: 0.7 }),
    marginMse(),
  ];

  test('the gradients of several objectives add up, by weight', async () => {
    const whole = await run(problemOf({ objectives: parts }));
    const alone = await Promise.all(parts.map((objective) => run(problemOf({ objectives: [objective] }))));
    for (const side of ['queries', 'candidates'] as const) {
      const total = new Float32Array(sideRows[side] * dimension);
      for (const { gradients } of alone)
        total.forEach((value, i) => {
          total[i] = value + ((gradients.get(side) as Float32Array)[i] as number);
        });
      const found = (whole.gradients.get(side) as Float32Array).slice(0, total.length);
      const worst = describeWorst([compareTensors(`d ${side}`, found, total, 0)]);
      expect(worst.relative, worst.line).toBeLessThanOrEqual(1e-6);
    }
    expect(whole.loss).toBeCloseTo(
      alone.reduce((sum, { loss }) => sum + loss, 0),
      5,
    );
  });

  test.each<[string, (weight: number) => readonly Objective[]]>([
    ['contrastive', (weight) => [contrastive({ ...common, weight })]],
    ['matryoshka', (weight) => matryoshka(nestedIn, { ...common, weight })],
    ['mse', (weight) => [distillation({ measure: 'mse', weight })]],
    ['cosine', (weight) => [distillation({ measure: 'cosine', weight })]],
    ['margin mse', (weight) => [marginMse({ weight })]],
  ])('the weight of %s multiplies its loss and every gradient', async (_, make) => {
    const [once, four] = [
      await run(problemOf({ objectives: make(1) })),
      await run(problemOf({ objectives: make(4) })),
    ];
    expect(four.loss).toBeCloseTo(4 * once.loss, 4);
    for (const side of ['queries', 'candidates'] as const) {
      const live = sideRows[side] * dimension;
      const expected = (once.gradients.get(side) as Float32Array).slice(0, live).map((value) => 4 * value);
      const found = (four.gradients.get(side) as Float32Array).slice(0, live);
      const worst = describeWorst([compareTensors(`d ${side}`, found, expected, 0)]);
      expect(worst.relative, worst.line).toBeLessThanOrEqual(1e-6);
    }
  });

  test('a row without a teacher has no gradient', async () => {
    const weights = mean(queries, capacity.queries);
    weights[1] = 0;
    const teachers = padded('teacher queries', capacity.queries).fill(Number.NaN, dimension, 2 * dimension);
    for (const measure of ['mse', 'cosine'] as const) {
      const { gradients, loss } = await run(
        problemOf({
          objectives: [distillation({ measure })],
          feeds: {
            [rowWeightsFeed('distillation', 'queries')]: weights,
            [teacherFeed('queries')]: teachers,
          },
        }),
      );
      expect(Number.isFinite(loss)).toBe(true);
      const rows = gradients.get('queries') as Float32Array;
      expect([...rows.slice(dimension, 2 * dimension)]).toEqual(new Array(dimension).fill(0));
      expect(rows.slice(0, dimension).some((value) => value !== 0)).toBe(true);
    }
  });
});
