/** Every differentiable op, mid-graph, against central differences: inputs and parameters. */
import type { Executor } from '@synglot/gpu';
import {
  type Axis,
  addInto,
  attention,
  attentionCandidates,
  attentionStrategies,
  dropout,
  feedForward,
  gelu,
  jointAttention,
  linear,
  normalize,
  pool,
  residualLayerNorm,
  sortRows,
  tanh,
} from '@synglot/nn';
import { afterAll, beforeAll, beforeEach, describe, test } from 'vitest';
import { tokenEmbeddings } from '../../packages/nn/src/ops/embedding.js';
import { openTestExecutor } from '../support/executor.js';
import { checkGradients } from '../support/kernel-gradients.js';
import { opProblem } from '../support/kernel-op-problem.js';
import { boundsOf } from '../support/kernel-references.js';

let executor: Executor;
beforeAll(async () => {
  executor = await openTestExecutor();
});
afterAll(() => executor?.destroy());

const rows: Axis = { capacity: 7, slot: 'tokens' };
const counts = { tokens: 5 };
const columns = 12;
const x = { axis: rows, columns };
/** Kernels for software devices and for GPUs. */
const types = ['cpu', 'discrete-gpu'] as const;

describe('elementwise', () => {
  test.each([
    ['gelu', gelu],
    ['tanh', tanh],
  ] as const)('%s', async (_, op) => {
    const problem = opProblem(executor.device, {
      inputs: { x },
      counts,
      scale: 1.5,
      emit(g, input) {
        const result = op(g, input.x!, 'op');
        return { output: result.output, backward: (dOutput) => ({ x: result.backward(dOutput) }) };
      },
    });
    await checkGradients(executor, problem);
  });

  test('dropout', async () => {
    const problem = opProblem(executor.device, {
      inputs: { x },
      counts,
      emit(g, input) {
        const result = dropout(g, input.x!, 0.3, 'op');
        return { output: result.output, backward: (dOutput) => ({ x: result.backward(dOutput) }) };
      },
    });
    await checkGradients(executor, problem);
  });

  test('addInto: both summands have the gradient of the sum', async () => {
    const problem = opProblem(executor.device, {
      inputs: { x, y: x },
      counts,
      emit(g, input) {
        const activated = tanh(g, input.y!, 'tanh');
        // tanh's backward reads its output, which is therefore not the tensor to add to.
        const sum = gelu(g, activated.output, 'gelu');
        addInto(g, input.x!, sum.output, 'sum');
        return {
          output: sum.output,
          backward: (dOutput) => ({ x: dOutput, y: activated.backward(sum.backward(dOutput)) }),
        };
      },
    });
    await checkGradients(executor, problem);
  });
});

describe('feed-forward block with the GELU in its products', () => {
  const parameters = [
    { name: 'up.weight', shape: [24, columns] },
    { name: 'up.bias', shape: [24] },
    { name: 'down.weight', shape: [columns, 24] },
    { name: 'down.bias', shape: [columns] },
  ];

  test.each(types)('%s', async (type) => {
    const problem = opProblem(
      { ...executor.device, type },
      {
        inputs: { x },
        parameters,
        counts,
        emit(g, input) {
          const block = feedForward(g, input.x!, { up: 'up', down: 'down' }, 'block');
          return { output: block.output, backward: (dOutput) => ({ x: block.backward(dOutput) }) };
        },
      },
    );
    await checkGradients(executor, problem);
  });
});

describe.each(types)('linear, %s', (type) => {
  const out = 20;
  const weight = { name: 'dense.weight', shape: [out, columns] };
  const bias = { name: 'dense.bias', shape: [out] };

  test.each([true, false])('bias %s', async (hasBias) => {
    const problem = opProblem(
      { ...executor.device, type },
      {
        inputs: { x },
        parameters: hasBias ? [weight, bias] : [weight],
        counts,
        emit(g, input) {
          const result = linear(g, input.x!, 'dense', 'dense', { bias: hasBias });
          return { output: result.output, backward: (dOutput) => ({ x: result.backward(dOutput) }) };
        },
      },
    );
    await checkGradients(executor, problem);
  });

  test('adds its input gradient to one that is there', async () => {
    const problem = opProblem(
      { ...executor.device, type },
      {
        inputs: { x },
        parameters: [
          { name: 'first.weight', shape: [columns, columns] },
          { name: 'first.bias', shape: [columns] },
          { name: 'second.weight', shape: [columns, columns] },
          { name: 'second.bias', shape: [columns] },
        ],
        counts,
        emit(g, input) {
          const first = linear(g, input.x!, 'first', 'first');
          const second = linear(g, input.x!, 'second', 'second');
          addInto(g, second.output, first.output, 'sum');
          return {
            output: first.output,
            backward: (dOutput) => ({ x: first.backward(dOutput, second.backward(dOutput)) }),
          };
        },
      },
    );
    await checkGradients(executor, problem);
  });
});

describe.each(types)('residualLayerNorm, %s', (type) => {
  test.each([0, 0.25])('dropout %f', async (dropoutRate) => {
    const problem = opProblem(
      { ...executor.device, type },
      {
        inputs: { x, residual: x },
        parameters: [
          { name: 'norm.weight', shape: [columns] },
          { name: 'norm.bias', shape: [columns] },
        ],
        counts,
        emit(g, input) {
          const options = { name: 'norm', epsilon: 1e-5, dropoutRate, label: 'norm' };
          const result = residualLayerNorm(g, input.x!, input.residual!, options);
          return {
            output: result.output,
            backward(dOutput) {
              const { dX, dResidual } = result.backward(dOutput);
              return { x: dX, residual: dResidual };
            },
          };
        },
      },
    );
    await checkGradients(executor, problem);
  });
});

describe.each(attentionStrategies)('attention, %s', (strategy) => {
  const lengths = [4, 1, 8];
  const live = 13;
  const axis: Axis = { capacity: 15, slot: 'tokens' };
  const matrix = { axis, columns: 16 };

  beforeEach(({ skip }) => {
    const problem = { pass: 'attention_forward', headVectors: 2, element: 'f32' } as const;
    const [choice] = attentionCandidates(executor.device, problem, strategy);
    skip(!choice, 'this device has no subgroups, or no matrix units for f32');
  });

  test.each([0, 0.25])('dropout %f', async (dropoutRate) => {
    const problem = opProblem(executor.device, {
      inputs: { q: matrix, k: matrix, v: matrix },
      counts: { tokens: live },
      scale: 1.5,
      feeds: { bounds: Uint32Array.from(boundsOf(lengths).flat()) },
      emit(g, { q, k, v }) {
        const bounds = g.plan.feed('bounds', [axis.capacity, 2]);
        const options = { heads: 2, dropoutRate, strategy, label: 'attention' };
        const result = attention(g, { q: q!, k: k!, v: v! }, bounds, options);
        return {
          output: result.output,
          backward(dOutput) {
            const { dQ, dK, dV } = result.backward(dOutput);
            return { q: dQ, k: dK, v: dV };
          },
        };
      },
    });
    await checkGradients(executor, problem);
  });

  test.each([0, 0.25])('queries, keys and values in one matrix, dropout %f', async (dropoutRate) => {
    const problem = opProblem(executor.device, {
      inputs: { qkv: { axis, columns: 48 } },
      counts: { tokens: live },
      scale: 1.5,
      feeds: { bounds: Uint32Array.from(boundsOf(lengths).flat()) },
      emit(g, { qkv }) {
        const bounds = g.plan.feed('bounds', [axis.capacity, 2]);
        const options = { heads: 2, dropoutRate, strategy, label: 'attention' };
        const result = jointAttention(g, qkv!, bounds, options);
        return { output: result.output, backward: (dOutput) => ({ qkv: result.backward(dOutput) }) };
      },
    });
    await checkGradients(executor, problem);
  });
});

describe('tokenEmbeddings', () => {
  const ids = [3, 0, 3, 28, 10, 11, 3, 9, 28];
  const positions = [0, 1, 2, 3, 0, 1, 0, 1, 2];
  const types = [0, 0, 1, 1, 0, 1, 0, 0, 0];
  const width = 8;
  const axis: Axis = { capacity: 10, slot: 'tokens' };

  test.each([
    { name: 'whole', bindingLimitBytes: 2 ** 27 },
    { name: 'split', bindingLimitBytes: 10 * width * 4 },
  ])('word table $name', async ({ bindingLimitBytes }) => {
    const words = sortRows(Uint32Array.from(ids));
    const rowsByPosition = sortRows(Uint32Array.from(positions));
    const sortedFeeds = (name: string, { rows: distinct, offsets, order }: ReturnType<typeof sortRows>) => ({
      [`${name} rows`]: distinct,
      [`${name} offsets`]: offsets,
      [`${name} order`]: order,
    });
    const problem = opProblem(executor.device, {
      inputs: {},
      parameters: [
        { name: 'embeddings.word_embeddings.weight', shape: [29, width] },
        { name: 'embeddings.position_embeddings.weight', shape: [6, width] },
        { name: 'embeddings.token_type_embeddings.weight', shape: [2, width] },
      ],
      bindingLimitBytes,
      counts: {
        tokens: ids.length,
        distinctWords: words.rows.length,
        distinctPositions: rowsByPosition.rows.length,
      },
      feeds: {
        tokens: Uint32Array.from(ids.flatMap((id, i) => [id, positions[i] as number, types[i] as number, 0])),
        ...sortedFeeds('word', words),
        ...sortedFeeds('position', rowsByPosition),
      },
      emit(g) {
        const sorted = (name: string, capacity: number, slot: Axis['slot']) => ({
          axis: { capacity, slot },
          rows: g.plan.feed(`${name} rows`, [capacity]),
          offsets: g.plan.feed(`${name} offsets`, [capacity + 1]),
          order: g.plan.feed(`${name} order`, [axis.capacity]),
        });
        const embedded = tokenEmbeddings(
          g,
          {
            tokens: g.plan.feed('tokens', [axis.capacity, 4]),
            words: sorted('word', 10, 'distinctWords'),
            positions: sorted('position', 6, 'distinctPositions'),
          },
          axis,
        );
        addInto(g, embedded.words, embedded.positionsAndTypes, 'sum');
        return {
          output: embedded.positionsAndTypes,
          backward(dOutput) {
            embedded.backward(dOutput);
            return {};
          },
        };
      },
    });
    await checkGradients(executor, problem);
  });
});

describe('pool', () => {
  const lengths = [3, 1, 5, 2];
  const axis: Axis = { capacity: 13, slot: 'tokens' };
  const bounds = boundsOf(lengths);
  const slotOf = lengths.flatMap((length, slot) => Array.from({ length }, () => slot));
  const ranges = lengths.map((_, slot) => bounds[slotOf.indexOf(slot)] as [number, number]);

  test.each(['mean', 'cls'] as const)(
    '%s: two ranges of sequences share one hidden gradient',
    async (mode) => {
      const problem = opProblem(executor.device, {
        inputs: { hidden: { axis, columns } },
        counts: { tokens: bounds.length, queries: 2 },
        feeds: {
          tokens: Uint32Array.from(slotOf.flatMap((slot) => [0, 0, 0, slot])),
          bounds: Uint32Array.from(bounds.flat()),
          slots: Uint32Array.from(ranges.flat()),
        },
        emit(g, { hidden }) {
          const feeds = {
            tokens: g.plan.feed('tokens', [axis.capacity, 4]),
            bounds: g.plan.feed('bounds', [axis.capacity, 2]),
            slots: g.plan.feed('slots', [4, 2]),
          };
          const pooled = [0, 2].map((slotBegin) =>
            pool(g, hidden!, feeds, {
              mode,
              rows: { capacity: 2, slot: 'queries' },
              slotBegin,
              label: `pool ${slotBegin}`,
            }),
          );
          const [first, second] = pooled as [(typeof pooled)[0], (typeof pooled)[0]];
          addInto(g, second!.output, first!.output, 'sum');
          return {
            output: first!.output,
            backward(dOutput) {
              const dHidden = g.activation('d hidden', axis, columns);
              for (const half of pooled) half.backward(dOutput, dHidden);
              return { hidden: dHidden };
            },
          };
        },
      });
      await checkGradients(executor, problem);
    },
  );
});

test.each(types)('normalize, %s', async (type) => {
  const problem = opProblem(
    { ...executor.device, type },
    {
      inputs: { x },
      counts,
      emit(g, input) {
        const result = normalize(g, input.x!, 'op');
        return { output: result.output, backward: (dOutput) => ({ x: result.backward(dOutput) }) };
      },
    },
  );
  await checkGradients(executor, problem);
});
