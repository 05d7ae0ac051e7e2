/**
 * Attention on matrix units against whole T×T matrices in float64, in every configuration of f16 that the device
 * reports. Skipped where a device has no matrix units; REQUIRE_SUBGROUP_MATRIX=1 makes that a failure
 * (CONTRIBUTING.md says how to run it on a software device that has them).
 *
 * What is allowed is what the units' f16 costs. A product's terms are weight × row, each weight (a probability, or the
 * gradient of a score) rounded to f16, to either neighbour: off by at most 2⁻¹⁰ of itself, so the sum by at most
 * 2⁻¹⁰ of the sum of the terms' magnitudes; and below 2⁻¹⁴, where f16 has fixed steps, by 2⁻²⁴ a term. Inputs are
 * f16 as they are. The rest is f32, and the rounding of what is stored.
 */
import type { Executor } from '@synglot/gpu';
import type { ElementChoice } from '@synglot/kernels';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { AttentionChoice, AttentionPass } from '../../packages/nn/src/ops/attention-kernels.js';
import { attentionMatrixShapes } from '../../packages/nn/src/ops/attention-matrix-tiles.js';
import { type MatrixUnits, matrixUnits } from '../../packages/nn/src/ops/matrix-units.js';
import {
  attentionProblem,
  jointAttentionProblem,
  type PackedSequences,
  runAttention,
  separate,
  shortProblems,
  tiledProblems,
} from '../support/attention-problem.js';
import { openTestExecutor } from '../support/executor.js';
import { storageTolerance, stored } from '../support/half.js';
import { bitsOf, expectClose, expectUntouched, poison } from '../support/kernel-harness.js';
import { attentionReference, boundsOf } from '../support/kernel-references.js';
import { randomFloats } from '../support/random.js';

// A software device takes seconds to compile one tile.
vi.setConfig({ testTimeout: 900_000 });

let executor: Executor;
beforeAll(async () => {
  executor = await openTestExecutor();
  if (process.env.REQUIRE_SUBGROUP_MATRIX === '1') expect(configurations()).not.toEqual([]);
});
afterAll(() => executor?.destroy());

const noMatrices = 'this device reports no matrix units for f16 with sums in f32';
/** Configurations, with every size of subgroups that the device has. */
const configurations = () => matrixUnits(executor.device, 'f16');

const kernels = {
  attention_forward: 'attention_forward_subgroup_matrix',
  attention_backward_query: 'attention_backward_query_subgroup_matrix',
  attention_backward_key_value: 'attention_backward_key_value_subgroup_matrix',
} as const satisfies Record<AttentionPass, string>;
const passes = Object.keys(kernels) as AttentionPass[];

/** A configuration's tiles for a pass, as choices. */
function tilesOf(
  { config, subgroupSize, pin }: MatrixUnits,
  pass: AttentionPass,
  headVectors: number,
): AttentionChoice[] {
  const problem = { pass, headVectors, element: 'f16' } as const;
  const tiles = attentionMatrixShapes(executor.device, problem, config, subgroupSize);
  return tiles.map((constants) => ({ kernel: kernels[pass], constants: { ...constants, ...pin } }));
}

/** The tile of a configuration by its place among those of each pass, the last one where there are fewer. */
const tileAt =
  (config: MatrixUnits, index: number) =>
  (pass: AttentionPass, headVectors: number): AttentionChoice => {
    const tiles = tilesOf(config, pass, headVectors);
    const tile = tiles[Math.min(index, tiles.length - 1)];
    if (!tile) throw new Error(`no tile for ${pass} with heads of ${headVectors} vectors`);
    return tile;
  };

/** Pairs of log-sum-exp and what the gradients of a query's probabilities have in common. */
const statisticsOf = ({ logSumExp, common }: ReturnType<typeof attentionReference>) =>
  Float32Array.from({ length: 2 * logSumExp.length }, (_, i) =>
    i % 2 ? (common[i >> 1] as number) : (logSumExp[i >> 1] as number),
  );

/** Compares what was summed with the reference, each element within what its own terms may be off by. */
function expectSums(
  actual: Float32Array | undefined,
  expected: Float64Array,
  magnitudes: Float64Array,
  element: ElementChoice,
  terms: number,
  what: string,
): void {
  const { absolute, relative } = storageTolerance({ absolute: 2e-5, relative: 5e-5 }, element);
  expected.forEach((value, index) => {
    const error = Math.abs((actual?.[index] as number) - value);
    const rounding = 2 ** -10 * (magnitudes[index] as number) + 2 * terms * 2 ** -24;
    const allowed = absolute + relative * Math.abs(value) + rounding;
    if (error <= allowed) return;
    throw new Error(`${what} [${index}]: expected ${value} ± ${allowed} but received ${actual?.[index]}`);
  });
  expectUntouched(actual, expected.length, what);
}

/** Compares forward and backward with the reference; returns what was computed. */
async function check(
  choose: (pass: AttentionPass, headVectors: number) => AttentionChoice,
  problem: PackedSequences,
  { hasDropout, element }: { readonly hasDropout: boolean; readonly element: ElementChoice },
): Promise<Float32Array[]> {
  // Rounded to f16 whatever they are stored as.
  const made = attentionProblem(problem, { hasDropout, element: 'f16' });
  const { q, k, v, dContext, bounds, columns, reference } = made;
  const { headVectors, heads, capacity, lengths } = problem;
  const longest = Math.max(0, ...lengths);
  const size = { tokens: capacity, heads };
  const dispatch = { ...made.dispatch, constants: { Element: element, HAS_DROPOUT: hasDropout } };
  const expectAll = (actual: Float32Array | undefined, name: 'context' | 'dQ' | 'dK' | 'dV') =>
    expectSums(actual, reference[name], reference.magnitudes[name], element, longest, name);

  const forward = await runAttention<'attention_forward'>(
    executor,
    choose('attention_forward', headVectors),
    size,
    {
      ...dispatch,
      bindings: { q, k, v, bounds, context: capacity * columns, log_sum_exp: capacity * heads },
    },
  );
  expectAll(forward.context, 'context');
  expectClose(forward.log_sum_exp, reference.logSumExp, { absolute: 5e-6, relative: 2e-5 }, 'log_sum_exp');
  expectUntouched(forward.log_sum_exp, reference.logSumExp.length, 'log_sum_exp');

  const statistics = poison(capacity * heads * 2);
  statistics.set(statisticsOf(reference));
  const inputs = { q, k, v, d_context: dContext, statistics, bounds };
  const query = await runAttention<'attention_backward_query'>(
    executor,
    choose('attention_backward_query', headVectors),
    size,
    { ...dispatch, bindings: { ...inputs, d_q: capacity * columns } },
  );
  expectAll(query.d_q, 'dQ');
  const keyValue = await runAttention<'attention_backward_key_value'>(
    executor,
    choose('attention_backward_key_value', headVectors),
    size,
    { ...dispatch, bindings: { ...inputs, d_k: capacity * columns, d_v: capacity * columns } },
  );
  expectAll(keyValue.d_k, 'dK');
  expectAll(keyValue.d_v, 'dV');
  return [forward.context, forward.log_sum_exp, query.d_q, keyValue.d_k, keyValue.d_v] as Float32Array[];
}

const long = { headVectors: 8, heads: 2, lengths: [3, 67, 1], capacity: 80 };
/** A head of 40 columns: no multiple of a matrix of 16. */
const odd = { headVectors: 10, heads: 2, lengths: [2, 1, 1, 3, 17], capacity: 24 };

describe.each([false, true])('HAS_DROPOUT %s', (hasDropout) => {
  test.for([...shortProblems, ...tiledProblems, long, odd])(
    'every configuration, sequences $lengths of $capacity tokens, $heads heads of $headVectors vectors',
    async (problem, context) => {
      if (configurations().length === 0) return context.skip(noMatrices);
      for (const config of configurations()) {
        await check(tileAt(config, 0), problem, { hasDropout, element: 'f16' });
      }
    },
  );
});

test('stored as f32, every tile, and the same bits each time', async (context) => {
  if (configurations().length === 0) return context.skip(noMatrices);
  const problem = { headVectors: 3, heads: 2, lengths: [3, 63, 65, 1, 20], capacity: 160 };
  const variant = { hasDropout: false, element: 'f32' } as const;
  for (const config of configurations()) {
    const counts = passes.map((pass) => tilesOf(config, pass, problem.headVectors).length);
    expect(Math.min(...counts)).toBeGreaterThan(1);
    for (let tile = 0; tile < Math.max(...counts); tile++) {
      const first = await check(tileAt(config, tile), problem, variant);
      const second = await check(tileAt(config, tile), problem, variant);
      second.forEach((values, index) => {
        expect(bitsOf(values)).toEqual(bitsOf(first[index] as Float32Array));
      });
    }
  }
});

test('survives scores that differ by hundreds', async (context) => {
  if (configurations().length === 0) return context.skip(noMatrices);
  const [headVectors, headSize, lengths] = [2, 8, [9, 70]];
  const tokens = 79;
  const draw = (seed: number, scale: number) => stored(randomFloats(tokens * headSize, seed, scale), 'f16');
  const [q, k, v] = [draw(5, 40), draw(6, 40), draw(7, 1)];
  const bounds = Uint32Array.from(boundsOf(lengths).flat());
  const reference = attentionReference({ lengths, heads: 1, headSize, q, k, v, dContext: v });
  for (const config of configurations()) {
    const choice = tileAt(config, 0)('attention_forward', headVectors);
    const { context: actual, log_sum_exp } = await runAttention<'attention_forward'>(
      executor,
      choice,
      { tokens, heads: 1 },
      {
        params: {
          tokens,
          tokens_count: 0,
          heads: 1,
          scale: 1 / Math.sqrt(headSize),
          dropout_site: 0,
          dropout_threshold: 0,
          dropout_keep_scale: 1,
          ...separate(headVectors),
        },
        bindings: { q, k, v, bounds, context: tokens * headSize, log_sum_exp: tokens },
      },
    );
    // Scores of about 1,000 carry an absolute error of 1e-4, which the softmax passes on; probabilities are f16.
    expectClose(actual, reference.context, { absolute: 2e-3, relative: 1e-3 }, 'context');
    expectClose(log_sum_exp, reference.logSumExp, { absolute: 0, relative: 1e-6 }, 'log_sum_exp');
  }
});

test('one matrix, in any order, with columns to spare', async (context) => {
  if (configurations().length === 0) return context.skip(noMatrices);
  const problem = { headVectors: 2, heads: 3, lengths: [5, 1, 33], capacity: 45 };
  const made = jointAttentionProblem(problem, 'f16');
  const { inputs, reference, size, capacity, columns, width, dContext, dispatch: run } = made;
  const { magnitudes } = reference;
  for (const config of configurations()) {
    const choose = (pass: AttentionPass) => tileAt(config, 0)(pass, problem.headVectors);
    const forward = await runAttention<'attention_forward'>(executor, choose('attention_forward'), size, {
      ...run,
      bindings: { ...inputs, context: capacity * columns, log_sum_exp: capacity * problem.heads },
    });
    expectSums(forward.context, reference.context, magnitudes.context, 'f32', 33, 'context');
    const backward = { ...inputs, d_context: dContext, statistics: statisticsOf(reference) };
    const query = await runAttention<'attention_backward_query'>(
      executor,
      choose('attention_backward_query'),
      size,
      { ...run, bindings: { ...backward, d_q: poison(capacity * width) } },
    );
    const keyValue = await runAttention<'attention_backward_key_value'>(
      executor,
      choose('attention_backward_key_value'),
      size,
      { ...run, constants: { JOINT: true }, bindings: { ...backward, d_k: query.d_q!, d_v: 4 } },
    );
    const gradients = made.gradientsOf(keyValue.d_k as Float32Array);
    for (const name of ['dQ', 'dK', 'dV'] as const) {
      expectSums(gradients[name], reference[name], magnitudes[name], 'f32', 33, name);
    }
    expectUntouched(keyValue.d_v, 0, 'd_v');
  }
});
