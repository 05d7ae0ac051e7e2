/** Multi-head self-attention over packed sequences; sequences never see each other. */
import type { Tensor } from '@synglot/gpu';
import { kernelConstant } from '@synglot/kernels';
import { countSlots } from '../axis.js';
import { type Activation, type Graph, storedType } from '../graph.js';
import {
  type AttentionPass,
  type AttentionStrategy,
  attentionWorkgroups,
  pickAttention,
} from './attention-kernels.js';

/** Emitted attention; all matrices are [tokens, heads · head size]. */
export interface Attention {
  readonly output: Activation;
  /** Emits the gradients of queries, keys and values. */
  backward(dOutput: Activation): { dQ: Activation; dK: Activation; dV: Activation };
}

/** Attention whose queries, keys and values are the columns of one matrix. */
export interface JointAttention {
  readonly output: Activation;
  /** The gradient of all three, laid out as they are. */
  backward(dOutput: Activation): Activation;
}

/** Options of {@link attention}. */
export interface AttentionOptions {
  readonly heads: number;
  readonly dropoutRate: number;
  readonly label: string;
  /** By default the best one for the device. */
  readonly strategy?: AttentionStrategy;
}

/**
 * softmax(q · kᵀ / √d) · v within each sequence.
 *
 * @param bounds [tokens] of (first, end) token of the token's own sequence
 * @throws RangeError if the head size is not a multiple of 4
 */
export function attention(
  g: Graph,
  { q, k, v }: { q: Activation; k: Activation; v: Activation },
  bounds: Tensor,
  options: AttentionOptions,
): Attention {
  const { axis, columns } = q;
  const { label } = options;
  const slices = { q: { of: q, begin: 0 }, k: { of: k, begin: 0 }, v: { of: v, begin: 0 } };
  const { output, backward } = emitAttention(g, slices, columns, bounds, options);
  return {
    output,
    backward(dOutput) {
      const dQ = g.activation(`d ${label} q`, axis, columns);
      const dK = g.activation(`d ${label} k`, axis, columns);
      const dV = g.activation(`d ${label} v`, axis, columns);
      backward(dOutput, { dQ, dK, dV });
      return { dQ, dK, dV };
    },
  };
}

/**
 * The same with queries, keys and values side by side in one matrix, as a product with three stacked
 * weights leaves them.
 *
 * @param qkv [tokens, 3 · columns]: queries, then keys, then values
 */
export function jointAttention(
  g: Graph,
  qkv: Activation,
  bounds: Tensor,
  options: AttentionOptions,
): JointAttention {
  const columns = qkv.columns / 3;
  const slices = {
    q: { of: qkv, begin: 0 },
    k: { of: qkv, begin: columns },
    v: { of: qkv, begin: 2 * columns },
  };
  const { output, backward } = emitAttention(g, slices, columns, bounds, options);
  return {
    output,
    backward(dOutput) {
      const dQkv = g.activation(`d ${options.label} q, k and v`, qkv.axis, qkv.columns);
      backward(dOutput, { dQ: dQkv, dK: dQkv, dV: dQkv });
      return dQkv;
    },
  };
}

/** Columns of a matrix from `begin` on. */
interface Slice {
  readonly of: Activation;
  readonly begin: number;
}

/** Emits forward; `backward` writes the gradients, laid out as the inputs are. */
function emitAttention(
  g: Graph,
  { q, k, v }: { q: Slice; k: Slice; v: Slice },
  columns: number,
  bounds: Tensor,
  options: AttentionOptions,
) {
  const { axis } = q.of;
  const { heads, label } = options;
  const headSize = columns / heads;
  if (!Number.isInteger(headSize / 4)) {
    throw new RangeError(
      `${label}: expected a head size that is a multiple of 4 but received ${columns} / ${heads}`,
    );
  }
  const { active, params: dropoutParams } = g.dropout(options.dropoutRate);
  const size = { tokens: axis.capacity, tokens_count: countSlots[axis.slot], heads };
  const params = {
    ...size,
    scale: 1 / Math.sqrt(headSize),
    ...dropoutParams,
    q_stride: q.of.columns / 4,
    q_offset: q.begin / 4,
    k_stride: k.of.columns / 4,
    k_offset: k.begin / 4,
    v_stride: v.of.columns / 4,
    v_offset: v.begin / 4,
  };
  const headVectors = headSize / 4;
  const element = { Element: storedType(q.of.tensor) };
  // The kernel of a pass, typed as the portable one, with which all others share bindings and params.
  const choose = <Pass extends AttentionPass>(pass: Pass) => {
    const problem = { pass, headVectors, element: element.Element };
    g.device.onAttention?.(problem, axis.capacity, heads);
    const choice = pickAttention(g.device, problem, options.strategy);
    return {
      kernel: choice.kernel as Pass,
      constants: { ...choice.constants, ...element, HAS_DROPOUT: active },
      workgroups: attentionWorkgroups(choice, axis.capacity, heads),
    };
  };
  const tensors = { q: q.of.tensor, k: k.of.tensor, v: v.of.tensor };

  const output = g.activation(`${label} context`, axis, columns, g.frozen([q.of, k.of, v.of]));
  const logSumExp = g.statistics(`${label} log-sum-exp`, axis, heads);
  const forward = choose('attention_forward');
  g.plan.dispatch(forward.kernel, {
    label,
    constants: forward.constants,
    bindings: { ...tensors, bounds, context: output.tensor, log_sum_exp: logSumExp },
    params,
    workgroups: forward.workgroups,
  });
  return {
    output,
    backward(dOutput: Activation, into: { dQ: Activation; dK: Activation; dV: Activation }) {
      if (output.frozen) return;
      const statistics = g.statistics(`${label} statistics`, axis, heads * 2);
      g.plan.dispatch('attention_backward_statistics', {
        label: `d ${label} statistics`,
        constants: element,
        bindings: {
          d_context: dOutput.tensor,
          context: output.tensor,
          log_sum_exp: logSumExp,
          statistics,
        },
        params: { ...size, head_vectors: headVectors },
        workgroups: [
          Math.ceil(axis.capacity / kernelConstant('attention_backward_statistics', 'WORKGROUP_SIZE')),
          heads,
        ],
      });
      const inputs = { ...tensors, d_context: dOutput.tensor, statistics, bounds };
      if (!q.of.frozen) {
        const { kernel, constants, workgroups } = choose('attention_backward_query');
        g.plan.dispatch(kernel, {
          label: `d ${label} q`,
          constants,
          bindings: { ...inputs, d_q: into.dQ.tensor },
          params,
          workgroups,
        });
      }
      if (g.frozen([k.of, v.of])) return;
      const joint = into.dK === into.dV;
      const dV = joint ? g.plan.transient(`d ${label} v, not used`, [4], element.Element) : into.dV.tensor;
      const { kernel, constants, workgroups } = choose('attention_backward_key_value');
      g.plan.dispatch(kernel, {
        label: `d ${label} k and v`,
        constants: { ...constants, JOINT: joint },
        bindings: { ...inputs, d_k: into.dK.tensor, d_v: dV },
        params,
        workgroups,
      });
    },
  };
}
