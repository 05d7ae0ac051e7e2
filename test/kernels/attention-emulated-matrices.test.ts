/**
 * Attention on matrix units of shapes, and with subgroups of sizes, that no device at hand has: modules with their
 * matrices emulated (test/support/emulated-matrices.ts), everything f32, against float64 and central differences.
 *
 * Not a check of any device, of its compiler or of its speed: what runs is plain WGSL. Real units, which multiply
 * f16, are in attention-subgroup-matrix.test.ts.
 */
import type { Executor, SubgroupMatrixConfig } from '@synglot/gpu';
import { attention } from '@synglot/nn';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  type AttentionChoice,
  type AttentionPass,
  attentionCandidates,
} from '../../packages/nn/src/ops/attention-kernels.js';
import { attentionProblem, type PackedSequences, runAttention } from '../support/attention-problem.js';
import { withEmulatedMatrices } from '../support/emulated-matrices.js';
import { openTestExecutor } from '../support/executor.js';
import { checkGradients } from '../support/kernel-gradients.js';
import { expectRows } from '../support/kernel-harness.js';
import { opProblem } from '../support/kernel-op-problem.js';
import { boundsOf } from '../support/kernel-references.js';

vi.setConfig({ testTimeout: 600_000 });

let executor: Executor;
beforeAll(async () => {
  executor = await openTestExecutor();
});
afterAll(() => executor?.destroy());

/** Shapes as GPUs of several makers report them for f16, and the size of subgroups. */
const units = [
  { M: 16, N: 16, K: 16, size: 32 },
  { M: 16, N: 8, K: 16, size: 32 },
  { M: 16, N: 8, K: 8, size: 32 },
  { M: 8, N: 16, K: 16, size: 16 },
  { M: 8, N: 8, K: 8, size: 32 },
] as const;
type Units = (typeof units)[number];

/** The device as if it had these units, for f32. */
function emulated({ M, N, K, size }: Units): Executor {
  const configs: SubgroupMatrixConfig[] = [{ component: 'f32', result: 'f32', M, N, K }];
  return withEmulatedMatrices(executor, { subgroups: { minSize: size, maxSize: size }, configs });
}

function choicesOf({ device }: Executor, pass: AttentionPass, headVectors: number): AttentionChoice[] {
  const choices = attentionCandidates(device, { pass, headVectors, element: 'f32' }, 'subgroup_matrix');
  expect(choices).not.toEqual([]);
  return choices;
}

/** Compares forward and backward with the reference, dropout on, by the tile that `choose` takes of each pass. */
async function check(
  on: Executor,
  problem: PackedSequences,
  choose: (choices: readonly AttentionChoice[]) => AttentionChoice,
): Promise<void> {
  const { headVectors, heads, capacity } = problem;
  const made = attentionProblem(problem, { hasDropout: true, element: 'f32' });
  const { q, k, v, dContext, bounds, columns, dispatch, reference } = made;
  const size = { tokens: capacity, heads };
  const of = (pass: AttentionPass) => choose(choicesOf(on, pass, headVectors));
  const forward = await runAttention<'attention_forward'>(on, of('attention_forward'), size, {
    ...dispatch,
    bindings: { q, k, v, bounds, context: capacity * columns, log_sum_exp: capacity * heads },
  });
  expectRows(forward.context, reference.context, { absolute: 5e-6, relative: 2e-5 }, 'context');
  expectRows(forward.log_sum_exp, reference.logSumExp, { absolute: 5e-6, relative: 2e-5 }, 'log_sum_exp');

  const pairs = Array.from(reference.logSumExp, (lse, i) => [lse, reference.common[i] as number]).flat();
  const inputs = { q, k, v, d_context: dContext, statistics: Float32Array.from(pairs), bounds };
  const tolerance = { absolute: 2e-5, relative: 5e-5 };
  const query = await runAttention<'attention_backward_query'>(on, of('attention_backward_query'), size, {
    ...dispatch,
    bindings: { ...inputs, d_q: capacity * columns },
  });
  expectRows(query.d_q, reference.dQ, tolerance, 'd_q');
  const keyValue = await runAttention<'attention_backward_key_value'>(
    on,
    of('attention_backward_key_value'),
    size,
    { ...dispatch, bindings: { ...inputs, d_k: capacity * columns, d_v: capacity * columns } },
  );
  expectRows(keyValue.d_k, reference.dK, tolerance, 'd_k');
  expectRows(keyValue.d_v, reference.dV, tolerance, 'd_v');
}

describe.each(units)('$M × $N × $K, subgroups of $size', (unit) => {
  /** Heads of 12: no multiple of a matrix; several sequences in a tile, of one token, and across tiles. */
  test('the smallest tile', async () => {
    const problem = { headVectors: 3, heads: 2, lengths: [5, 1, 20, 9], capacity: 40 };
    await check(emulated(unit), problem, (choices) => choices.at(-1) as AttentionChoice);
  });
});

test('the first tile, heads of 32, asking a device of several sizes for its subgroups', async () => {
  const on = withEmulatedMatrices(executor, {
    subgroups: { minSize: 8, maxSize: 32, chosenSize: 16 },
    configs: emulated(units[0]).device.subgroupMatrixConfigs,
  });
  const problem = { headVectors: 8, heads: 1, lengths: [3, 33, 1], capacity: 40 };
  await check(on, problem, ([first]) => {
    expect(first?.constants).toMatchObject({ SUBGROUP_SIZE: 32, PIN_SUBGROUP_SIZE: true });
    return first as AttentionChoice;
  });
});

test('central differences, with dropout', async () => {
  const lengths = [4, 1, 8];
  const axis = { capacity: 15, slot: 'tokens' } as const;
  const matrix = { axis, columns: 16 };
  const on = emulated(units[0]);
  const problem = opProblem(on.device, {
    inputs: { q: matrix, k: matrix, v: matrix },
    counts: { tokens: 13 },
    scale: 1.5,
    feeds: { bounds: Uint32Array.from(boundsOf(lengths).flat()) },
    emit(g, { q, k, v }) {
      const bounds = g.plan.feed('bounds', [axis.capacity, 2]);
      const options = {
        heads: 2,
        dropoutRate: 0.25,
        strategy: 'subgroup_matrix',
        label: 'attention',
      } as const;
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
  choicesOf(on, 'attention_forward', 2);
  await checkGradients(on, problem);
});
