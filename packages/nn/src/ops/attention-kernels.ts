/** Which attention kernels run on a device, with which constants and workgroups. The only file that knows. */
import type { DeviceTraits } from '../graph.js';

/**
 * - `portable`: one invocation a query, nothing shared; runs everywhere
 * - `subgroup`: the lanes of a subgroup share what they load; software devices, which load lane by lane
 */
export type AttentionStrategy = 'portable' | 'subgroup';

/** Names carry the strategy; bindings and params are those of the portable kernels. */
export interface AttentionKernels {
  readonly forward: 'attention_forward';
  readonly backwardQuery: 'attention_backward_query';
  readonly backwardKeyValue: 'attention_backward_key_value';
  readonly constants: { readonly HEAD_VECTORS: number };
  readonly workgroups: readonly [number, number];
}

/** The strategy that is best on `device`. */
export function attentionStrategy({ type, subgroups }: DeviceTraits): AttentionStrategy {
  return type === 'cpu' && subgroups.minSize >= 4 ? 'subgroup' : 'portable';
}

/** The kernels of a strategy for `tokens` tokens of `heads` heads of 4 · `headVectors` columns. */
export function attentionKernels(
  strategy: AttentionStrategy,
  device: DeviceTraits,
  { tokens, heads, headVectors }: { tokens: number; heads: number; headVectors: number },
): AttentionKernels {
  if (strategy === 'portable')
    return named('', { HEAD_VECTORS: headVectors }, [Math.ceil(tokens / 64), heads]);
  const lanes = device.subgroups.minSize >= 8 ? 8 : 4;
  const constants = { HEAD_VECTORS: headVectors, LANES: lanes, LOADS: Math.ceil(headVectors / lanes) };
  return named('_subgroup', constants, [Math.ceil(tokens / lanes), heads]);
}

function named(
  suffix: '' | '_subgroup',
  constants: { HEAD_VECTORS: number },
  workgroups: [number, number],
): AttentionKernels {
  return {
    forward: `attention_forward${suffix}` as 'attention_forward',
    backwardQuery: `attention_backward_query${suffix}` as 'attention_backward_query',
    backwardKeyValue: `attention_backward_key_value${suffix}` as 'attention_backward_key_value',
    constants,
    workgroups,
  };
}
