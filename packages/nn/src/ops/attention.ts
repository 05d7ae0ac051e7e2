/** Multi-head self-attention over packed sequences; sequences never see each other. */
import type { Tensor } from '@synglot/gpu';
import { countSlots } from '../axis.js';
import type { Activation, Graph } from '../graph.js';

export interface Attention {
  readonly output: Activation;
  backward(dOutput: Activation): { dQ: Activation; dK: Activation; dV: Activation };
}

const workgroupSize = 64;

/**
 * softmax(q · kᵀ / √d) · v within each sequence.
 *
 * @param bounds [tokens] of (first, end) token of the token's own sequence
 */
export function attention(
  g: Graph,
  { q, k, v }: { q: Activation; k: Activation; v: Activation },
  bounds: Tensor,
  options: { readonly heads: number; readonly dropoutRate: number; readonly label: string },
): Attention {
  const { axis, columns } = q;
  const { heads, label } = options;
  const headSize = columns / heads;
  if (!Number.isInteger(headSize / 4)) {
    throw new RangeError(
      `${label}: expected a head size that is a multiple of 4 but received ${columns} / ${heads}`,
    );
  }
  const { active, params: dropoutParams } = g.dropout(options.dropoutRate);
  const size = { tokens: axis.capacity, tokens_count: countSlots[axis.slot], heads };
  const params = { ...size, scale: 1 / Math.sqrt(headSize), ...dropoutParams };
  const constants = { HEAD_VECTORS: headSize / 4 };
  const workgroups = [Math.ceil(axis.capacity / workgroupSize), heads] as const;

  const output = g.activation(`${label} context`, axis, columns, g.frozen([q, k, v]));
  const logSumExp = g.activation(`${label} log-sum-exp`, axis, heads);
  g.plan.dispatch('attention_forward', {
    label,
    constants: { ...constants, HAS_DROPOUT: active },
    bindings: {
      q: q.tensor,
      k: k.tensor,
      v: v.tensor,
      bounds,
      context: output.tensor,
      log_sum_exp: logSumExp.tensor,
    },
    params,
    workgroups,
  });
  return {
    output,
    backward(dOutput) {
      const dQ = g.activation(`d ${label} q`, axis, columns);
      const dK = g.activation(`d ${label} k`, axis, columns);
      const dV = g.activation(`d ${label} v`, axis, columns);
      if (output.frozen) return { dQ, dK, dV };
      const statistics = g.activation(`${label} statistics`, axis, heads * 2);
      g.plan.dispatch('attention_backward_statistics', {
        label: `d ${label} statistics`,
        constants,
        bindings: {
          d_context: dOutput.tensor,
          context: output.tensor,
          log_sum_exp: logSumExp.tensor,
          statistics: statistics.tensor,
        },
        params: size,
        workgroups,
      });
      const inputs = {
        q: q.tensor,
        k: k.tensor,
        v: v.tensor,
        d_context: dOutput.tensor,
        statistics: statistics.tensor,
        bounds,
      };
      const shared = { constants: { ...constants, HAS_DROPOUT: active }, params, workgroups };
      if (!q.frozen) {
        g.plan.dispatch('attention_backward_query', {
          ...shared,
          label: `d ${label} q`,
          bindings: { ...inputs, d_q: dQ.tensor },
        });
      }
      if (!g.frozen([k, v])) {
        g.plan.dispatch('attention_backward_key_value', {
          ...shared,
          label: `d ${label} k and v`,
          bindings: { ...inputs, d_k: dK.tensor, d_v: dV.tensor },
        });
      }
      return { dQ, dK, dV };
    },
  };
}
