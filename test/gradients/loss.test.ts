/** InfoNCE's gradients, through normalisation, against central differences: directions, masks, negatives. */
import type { Executor } from '@synglot/gpu';
import {
  type Axis,
  columnLossResult,
  type DeviceTraits,
  EmbeddingGradients,
  Graph,
  infoNce,
  type LossDirection,
  meanLoss,
  normalize,
  ParameterLayout,
  packStep,
  rowLossResult,
} from '@synglot/nn';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { openTestExecutor } from '../support/executor.js';
import { checkGradients, type GradientProblem } from '../support/kernel-gradients.js';
import { poisonFrom } from '../support/kernel-harness.js';
import { randomFloats } from '../support/random.js';

let executor: Executor;
beforeAll(async () => {
  executor = await openTestExecutor();
});
afterAll(() => executor?.destroy());

const dimension = 12;

interface Sizes {
  readonly queries: Axis;
  readonly candidates: Axis;
  readonly liveQueries: number;
  readonly liveCandidates: number;
  /** Mask groups of the live candidates. */
  readonly groups: readonly number[];
}

function lossProblem(device: DeviceTraits, sizes: Sizes, direction: LossDirection): GradientProblem {
  const { queries, candidates, liveQueries, liveCandidates } = sizes;
  const specs = [
    { name: 'queries', shape: [queries.capacity, dimension] },
    { name: 'candidates', shape: [candidates.capacity, dimension] },
  ];
  const layout = new ParameterLayout(specs, 2 ** 27);
  const g = new Graph('loss', layout, true, device);
  const input = (name: string, axis: Axis) => ({ tensor: g.parameter(name), axis, columns: dimension });
  const queryOp = normalize(g, input('queries', queries), 'queries');
  const candidateOp = normalize(g, input('candidates', candidates), 'candidates');
  const loss = infoNce(g, queryOp.output, candidateOp.output, { temperature: 0.2, direction });
  const into = new EmbeddingGradients(g, { queries: queryOp.output, candidates: candidateOp.output });
  loss.backward(into);
  const gradients = {
    queries: queryOp.backward(into.queries.finish()),
    candidates: candidateOp.backward(into.candidates.finish()),
  };
  for (const [name, gradient] of Object.entries(gradients)) {
    g.plan.copy(gradient.tensor, g.plan.result(`d ${name}`, g.shape(name)));
  }
  const live = { queries: liveQueries * dimension, candidates: liveCandidates * dimension };
  const counts = { queries: liveQueries, candidates: liveCandidates };
  const feeds = { groups: Uint32Array.from(sizes.groups) };
  return {
    plan: g.plan.build(),
    layout,
    values: new Map([
      ['queries', poisonFrom(randomFloats(queries.capacity * dimension, 1), live.queries)],
      ['candidates', poisonFrom(randomFloats(candidates.capacity * dimension, 2), live.candidates)],
    ]),
    feeds: { ...feeds, step: packStep({ counts }) },
    poisonFeeds: {
      ...feeds,
      step: packStep({ counts: { queries: queries.capacity, candidates: candidates.capacity } }),
    },
    reads: [rowLossResult, columnLossResult],
    loss: (reads) => {
      const [row, column] = [reads[rowLossResult], reads[columnLossResult]] as [Float32Array, Float32Array];
      return meanLoss(row, column, liveQueries, direction);
    },
    gradientResults: { queries: 'd queries', candidates: 'd candidates' },
    live,
  };
}

const problems: Readonly<Record<string, Sizes>> = {
  'pairs alone': {
    queries: { capacity: 4, slot: 'queries' },
    candidates: { capacity: 4, slot: 'candidates' },
    liveQueries: 4,
    liveCandidates: 4,
    groups: [0, 1, 2, 3],
  },
  'hard negatives, masks, live sizes below capacity': {
    queries: { capacity: 7, slot: 'queries' },
    candidates: { capacity: 16, slot: 'candidates' },
    liveQueries: 5,
    liveCandidates: 11,
    groups: [0, 1, 0, 3, 4, 1, 6, 7, 0, 9, 4],
  },
};

describe.each(['cpu', 'discrete-gpu'] as const)('kernels for %s', (type) => {
  describe.each(Object.entries(problems))('%s', (_, sizes) => {
    test.each(['query-to-passage', 'passage-to-query', 'both'] as const)('%s', async (direction) => {
      await checkGradients(executor, lossProblem({ ...executor.device, type }, sizes, direction));
    });
  });
});
