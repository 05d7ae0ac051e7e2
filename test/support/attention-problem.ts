/**
 * Attention over packed sequences as the kernels are given it: seeded inputs with poison beyond the live tokens,
 * params, and the float64 reference. Which kernel runs is the test's.
 */
import type { Executor } from '@synglot/gpu';
import type { ElementChoice } from '@synglot/kernels';
import {
  type AttentionChoice,
  type AttentionPass,
  attentionWorkgroups,
} from '../../packages/nn/src/ops/attention-kernels.js';
import { stored } from './half.js';
import { expectUntouched, type KernelRun, poisonFrom, runKernel } from './kernel-harness.js';
import { attentionReference, boundsOf } from './kernel-references.js';
import { randomFloats } from './random.js';

/** Sequences of `lengths` tokens in room for `capacity`; a head has 4 · headVectors columns. */
export interface PackedSequences {
  readonly headVectors: number;
  readonly heads: number;
  readonly lengths: readonly number[];
  readonly capacity: number;
}

/** One token, primes, more tokens than a small tile, no live token, a head of 12. */
export const shortProblems: readonly PackedSequences[] = [
  { headVectors: 2, heads: 1, lengths: [1], capacity: 1 },
  { headVectors: 2, heads: 3, lengths: [5, 1, 13], capacity: 23 },
  { headVectors: 2, heads: 2, lengths: [], capacity: 3 },
  { headVectors: 3, heads: 2, lengths: [7, 2], capacity: 9 },
];

/** Around a tile of 32 rows, several of them, many texts in one, and a text that begins at a tile's last key. */
export const tiledProblems: readonly PackedSequences[] = [
  { headVectors: 2, heads: 1, lengths: [20, 31, 20], capacity: 71 },
  { headVectors: 2, heads: 2, lengths: [31, 32, 33, 1, 64], capacity: 170 },
  { headVectors: 8, heads: 1, lengths: [1, 2, 1, 3, 1, 1, 4, 2, 1, 9, 1], capacity: 26 },
  { headVectors: 16, heads: 1, lengths: [5, 301, 2], capacity: 320 },
];

const attentionMask = { seed: 0xdead_beef, site: 3, rate: 0.2 };

/** Strides and offsets, in vectors, of three matrices of their own. */
export function separate(vectors: number) {
  return {
    q_stride: vectors,
    q_offset: 0,
    k_stride: vectors,
    k_offset: 0,
    v_stride: vectors,
    v_offset: 0,
  };
}

/** Inputs, params and reference; `element` is how q, k, v, d_context and what is made of them are stored. */
export function attentionProblem(
  { headVectors, heads, lengths, capacity }: PackedSequences,
  { hasDropout, element }: { readonly hasDropout: boolean; readonly element: ElementChoice },
) {
  const headSize = headVectors * 4;
  const columns = heads * headSize;
  const live = lengths.reduce((sum, length) => sum + length, 0);
  const random = (seed: number) =>
    stored(poisonFrom(randomFloats(capacity * columns, seed, 1.5), live * columns), element);
  const [q, k, v, dContext] = [random(1), random(2), random(3), random(4)];
  const drawn = hasDropout ? { mask: attentionMask } : {};
  const bounds = new Uint32Array(capacity * 2).fill(0xffff_ffff);
  bounds.set(boundsOf(lengths).flat());
  const size = { tokens: capacity, tokens_count: 1, heads };
  return {
    q,
    k,
    v,
    dContext,
    bounds,
    columns,
    size,
    reference: attentionReference({ lengths, heads, headSize, q, k, v, dContext, ...drawn }),
    dispatch: {
      params: {
        ...size,
        scale: 1 / Math.sqrt(headSize),
        dropout_site: attentionMask.site,
        dropout_threshold: Math.round(attentionMask.rate * 2 ** 32),
        dropout_keep_scale: 1 / (1 - attentionMask.rate),
        ...separate(columns / 4),
      },
      constants: { Element: element, HAS_DROPOUT: hasDropout },
      step: { counts: { tokens: live }, seed: attentionMask.seed },
    },
  };
}

/**
 * The same without dropout, with q, k and v in one matrix: in another order, and with four columns to spare after the
 * first and after the second. `width` is its columns.
 */
export function jointAttentionProblem(
  { headVectors, heads, lengths, capacity }: PackedSequences,
  element: ElementChoice,
) {
  const headSize = headVectors * 4;
  const columns = heads * headSize;
  const live = lengths.reduce((sum, length) => sum + length, 0);
  const width = 3 * columns + 8;
  const begins = { v: 0, q: columns + 4, k: 2 * columns + 8 };
  const draw = (length: number, seed: number, from: number) =>
    stored(poisonFrom(randomFloats(length, seed, 1.5), from), element);
  const joint = draw(capacity * width, 11, live * width);
  const dContext = draw(capacity * columns, 4, live * columns);
  const take = (matrix: Float32Array, begin: number) =>
    Float32Array.from(
      { length: live * columns },
      (_, i) => matrix[Math.floor(i / columns) * width + begin + (i % columns)] as number,
    );
  const [q, k, v] = [take(joint, begins.q), take(joint, begins.k), take(joint, begins.v)];
  const bounds = new Uint32Array(capacity * 2).fill(0xffff_ffff);
  bounds.set(boundsOf(lengths).flat());
  const size = { tokens: capacity, heads };
  return {
    capacity,
    columns,
    width,
    size,
    dContext,
    inputs: { q: joint, k: joint, v: joint, bounds },
    reference: attentionReference({ lengths, heads, headSize, q, k, v, dContext }),
    dispatch: {
      params: {
        ...size,
        tokens_count: 1,
        scale: 1 / Math.sqrt(headSize),
        dropout_site: 0,
        dropout_threshold: 0,
        dropout_keep_scale: 1,
        q_stride: width / 4,
        q_offset: begins.q / 4,
        k_stride: width / 4,
        k_offset: begins.k / 4,
        v_stride: width / 4,
        v_offset: begins.v / 4,
      },
      step: { counts: { tokens: live } },
    },
    /** The live rows of the three gradients in a matrix laid out like the inputs; fails where the rest was written. */
    gradientsOf(matrix: Float32Array) {
      expectUntouched(matrix, live * width, 'joint gradient');
      for (const begin of [columns, 2 * columns + 4]) {
        for (let token = 0; token < live; token++) {
          const spare = matrix.slice(token * width + begin, token * width + begin + 4);
          expectUntouched(spare, 0, `columns ${begin} and on of token ${token}`);
        }
      }
      return { dQ: take(matrix, begins.q), dK: take(matrix, begins.k), dV: take(matrix, begins.v) };
    },
  };
}

/** Runs a choice for a pass; bindings and params are those of the portable kernel, which all strategies share. */
export function runAttention<Pass extends AttentionPass>(
  executor: Executor,
  choice: AttentionChoice,
  { tokens, heads }: { readonly tokens: number; readonly heads: number },
  { constants, ...run }: Omit<KernelRun<Pass>, 'workgroups'>,
) {
  return runKernel<AttentionPass>(executor, choice.kernel as Pass, {
    ...(run as Omit<KernelRun<AttentionPass>, 'workgroups'>),
    constants: { ...choice.constants, ...constants },
    workgroups: attentionWorkgroups(choice, tokens, heads),
  });
}
