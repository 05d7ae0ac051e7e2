/** The attention kernels against whole T×T matrices in float64: several head sizes, dropout on and off. */
import type { Executor } from '@synglot/gpu';
import type { ElementChoice } from '@synglot/kernels';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type AttentionChoice,
  type AttentionPass,
  type AttentionStrategy,
  attentionCandidates,
  attentionStrategies,
} from '../../packages/nn/src/ops/attention-kernels.js';
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
import { canStore, noHalf, storageTolerance } from '../support/half.js';
import {
  bitsOf,
  expectClose,
  expectRows,
  expectUntouched,
  type KernelRun,
  poison,
  runKernel,
  type Tolerance,
} from '../support/kernel-harness.js';
import { attentionReference, boundsOf } from '../support/kernel-references.js';
import { randomFloats } from '../support/random.js';

let executor: Executor;
beforeAll(async () => {
  executor = await openTestExecutor();
});
afterAll(() => executor?.destroy());

const tolerance = { absolute: 5e-6, relative: 2e-5 };
const long = { headVectors: 8, heads: 2, lengths: [3, 67, 1], capacity: 80 };
const wide = { headVectors: 16, heads: 1, lengths: [11, 4, 9], capacity: 25 };
const odd = { headVectors: 10, heads: 2, lengths: [2, 1, 1, 3, 17], capacity: 24 };
const passes = ['attention_forward', 'attention_backward_query', 'attention_backward_key_value'] as const;
const compileTimeoutMs = 300_000;

/** Matrix units have a test file of their own. */
const strategies = attentionStrategies.filter((strategy) => strategy !== 'subgroup_matrix');
const variants = strategies.flatMap((strategy) => [
  {
    strategy,
    hasDropout: false,
    element: 'f32' as const,
    cases:
      strategy === 'portable'
        ? [...shortProblems, long, odd]
        : [...shortProblems, long, odd, ...tiledProblems],
  },
  // lavapipe needs tens of seconds to compile the portable kernels for large heads, with and without.
  {
    strategy,
    hasDropout: true,
    element: 'f32' as const,
    cases: strategy === 'portable' ? [...shortProblems, wide] : [...shortProblems, long, wide, odd],
  },
  {
    strategy,
    hasDropout: true,
    element: 'f16' as const,
    cases: strategy === 'workgroup' ? [...shortProblems, ...tiledProblems] : shortProblems,
  },
]);

/** Skips a test whose strategy the device cannot run. */
function runs(strategy: AttentionStrategy): boolean {
  return strategy !== 'subgroup' || executor.device.subgroups.minSize >= 4;
}

/** Which of a strategy's tiles: the best guess, unless a test wants another. */
type Choose = (candidates: readonly AttentionChoice[]) => AttentionChoice | undefined;

interface Shape {
  readonly tokens: number;
  readonly heads: number;
  readonly headVectors: number;
}

/** Runs the kernel of a pass; bindings and params are those of the portable one, which all strategies share. */
function runPass<Pass extends AttentionPass>(
  strategy: AttentionStrategy,
  pass: Pass,
  { tokens, heads, headVectors }: Shape,
  run: Omit<KernelRun<Pass>, 'workgroups'>,
  choose: Choose = ([best]) => best,
) {
  const element = run.constants?.Element ?? 'f32';
  const choice = choose(attentionCandidates(executor.device, { pass, headVectors, element }, strategy));
  if (!choice) throw new Error(`${strategy} has no tile for ${pass} with heads of ${headVectors} vectors`);
  return runAttention(executor, choice, { tokens, heads }, run);
}

interface Variant {
  readonly strategy: AttentionStrategy;
  readonly hasDropout: boolean;
  readonly element: ElementChoice;
}

/** Compares forward and backward with the reference; returns what was computed. */
async function check(
  { strategy, hasDropout, element }: Variant,
  problem: PackedSequences,
  choose?: Choose,
): Promise<Float32Array[]> {
  // What is stored as f16 between the kernels is off by its rounding, and so is what follows from it.
  const within = (of: Tolerance) => {
    const { absolute, relative } = storageTolerance(of, element);
    return element === 'f32' ? of : { absolute: absolute + 2e-3, relative };
  };
  const made = attentionProblem(problem, { hasDropout, element });
  const { q, k, v, dContext, bounds, columns, size, dispatch, reference } = made;
  const { headVectors, heads, capacity } = problem;
  const shape = { tokens: capacity, heads, headVectors };

  const forwardRun = {
    ...dispatch,
    bindings: { q, k, v, bounds, context: capacity * columns, log_sum_exp: capacity * heads },
  };
  const forward = await runPass(strategy, 'attention_forward', shape, forwardRun, choose);
  expectRows(forward.context, reference.context, within(tolerance), 'context');
  expectRows(forward.log_sum_exp, reference.logSumExp, within(tolerance), 'log_sum_exp');

  const { statistics } = await runKernel(executor, 'attention_backward_statistics', {
    params: { ...size, head_vectors: headVectors },
    constants: { Element: element },
    workgroups: [Math.ceil(capacity / 64), heads],
    step: dispatch.step,
    bindings: {
      d_context: dContext,
      context: forward.context as Float32Array,
      log_sum_exp: forward.log_sum_exp as Float32Array,
      statistics: capacity * heads * 2,
    },
  });
  const pairs = Array.from(reference.logSumExp, (lse, i) => [lse, reference.common[i] as number]).flat();
  expectRows(statistics, pairs, within({ absolute: 2e-5, relative: 2e-5 }), 'statistics');

  const inputs = { q, k, v, d_context: dContext, statistics: statistics as Float32Array, bounds };
  const queryRun = { ...dispatch, bindings: { ...inputs, d_q: capacity * columns } };
  const query = await runPass(strategy, 'attention_backward_query', shape, queryRun, choose);
  expectRows(query.d_q, reference.dQ, within({ absolute: 2e-5, relative: 5e-5 }), 'd_q');
  const keyValueRun = {
    ...dispatch,
    bindings: { ...inputs, d_k: capacity * columns, d_v: capacity * columns },
  };
  const keyValue = await runPass(strategy, 'attention_backward_key_value', shape, keyValueRun, choose);
  expectRows(keyValue.d_k, reference.dK, within({ absolute: 2e-5, relative: 5e-5 }), 'd_k');
  expectRows(keyValue.d_v, reference.dV, within({ absolute: 2e-5, relative: 5e-5 }), 'd_v');
  return [forward.context, forward.log_sum_exp, query.d_q, keyValue.d_k, keyValue.d_v] as Float32Array[];
}

describe.each(variants)('$strategy, HAS_DROPOUT $hasDropout, $element', ({ cases, ...variant }) => {
  beforeEach(({ skip }) => skip(!runs(variant.strategy), 'this device has no subgroups'));
  beforeEach(({ skip }) => skip(!canStore(executor, variant.element), noHalf));
  test.each(cases)(
    'sequences $lengths of $capacity tokens, $heads heads of $headVectors vectors',
    async (problem) => {
      await check(variant, problem);
    },
    compileTimeoutMs,
  );
});

test(
  'every tile in workgroup memory, and the same bits each time',
  async () => {
    const problem = { headVectors: 2, heads: 2, lengths: [3, 63, 65, 1, 20], capacity: 160 };
    const variant = { strategy: 'workgroup', hasDropout: false, element: 'f32' } as const;
    const counts = passes.map(
      (pass) => attentionCandidates(executor.device, { ...variant, ...problem, pass }, 'workgroup').length,
    );
    expect(Math.min(...counts)).toBeGreaterThan(1);
    for (let tile = 0; tile < Math.max(...counts); tile++) {
      const choose: Choose = (candidates) => candidates[Math.min(tile, candidates.length - 1)];
      const first = await check(variant, problem, choose);
      // Once: they differ in constants, and lavapipe compiles them for seconds each time.
      if (tile > 0) continue;
      const second = await check(variant, problem, choose);
      second.forEach((values, index) => {
        expect(bitsOf(values)).toEqual(bitsOf(first[index] as Float32Array));
      });
    }
  },
  compileTimeoutMs,
);

test.for(strategies)('%s survives scores that differ by hundreds', async (strategy, { skip }) => {
  skip(!runs(strategy), 'this device has no subgroups');
  const headSize = 8;
  const lengths = [9];
  const q = randomFloats(9 * headSize, 5, 40);
  const k = randomFloats(9 * headSize, 6, 40);
  const v = randomFloats(9 * headSize, 7);
  const bounds = Uint32Array.from(boundsOf(lengths).flat());
  const reference = attentionReference({ lengths, heads: 1, headSize, q, k, v, dContext: v });
  const shape = { tokens: 9, heads: 1, headVectors: 2 };
  const { context, log_sum_exp } = await runPass(strategy, 'attention_forward', shape, {
    params: {
      tokens: 9,
      tokens_count: 0,
      heads: 1,
      scale: 1 / Math.sqrt(headSize),
      dropout_site: 0,
      dropout_threshold: 0,
      dropout_keep_scale: 1,
      ...separate(2),
    },
    bindings: { q, k, v, bounds, context: 9 * headSize, log_sum_exp: 9 },
  });
  // Scores of about 1,000 carry an absolute error of 1e-4, which the softmax passes on.
  expectClose(context, reference.context, { absolute: 1e-3, relative: 1e-3 }, 'context');
  expectClose(log_sum_exp, reference.logSumExp, { absolute: 0, relative: 1e-6 }, 'log_sum_exp');
});

test.for(strategies)('%s: one matrix, in any order, with columns to spare', async (strategy, { skip }) => {
  skip(!runs(strategy), 'this device has no subgroups');
  const problem = { headVectors: 2, heads: 3, lengths: [5, 1, 13], capacity: 23 };
  const made = jointAttentionProblem(problem, 'f32');
  const { inputs, reference, capacity, columns, width, dContext, dispatch: run } = made;
  const shape = { ...made.size, headVectors: problem.headVectors };
  const forward = await runPass(strategy, 'attention_forward', shape, {
    ...run,
    bindings: { ...inputs, context: capacity * columns, log_sum_exp: capacity * problem.heads },
  });
  expectRows(forward.context, reference.context, tolerance, 'context');

  const pairs = Array.from(reference.logSumExp, (lse, i) => [lse, reference.common[i] as number]).flat();
  const statistics = Float32Array.from(pairs);
  const backward = { ...inputs, d_context: dContext, statistics };
  const before = poison(capacity * width);
  const query = await runPass(strategy, 'attention_backward_query', shape, {
    ...run,
    bindings: { ...backward, d_q: before },
  });
  const keyValue = await runPass(strategy, 'attention_backward_key_value', shape, {
    ...run,
    constants: { JOINT: true },
    bindings: { ...backward, d_k: query.d_q as Float32Array, d_v: 4 },
  });
  const gradients = made.gradientsOf(keyValue.d_k as Float32Array);
  const backwardTolerance = { absolute: 2e-5, relative: 5e-5 };
  for (const name of ['dQ', 'dK', 'dV'] as const) {
    expectClose(gradients[name], reference[name], backwardTolerance, name);
  }
  expectUntouched(keyValue.d_v, 0, 'd_v');
});
