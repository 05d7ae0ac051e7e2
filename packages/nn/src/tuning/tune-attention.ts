/**
 * Measures which kernel, with which tile, computes each pass of attention fastest on a device.
 *
 * The candidates and the key of the table come from `ops/attention-kernels.ts`; how they are compared is in `trial.ts`.
 */
import { type Executor, PlanBuilder, type Tensor } from '@synglot/gpu';
import { countSlots } from '../axis.js';
import type { DeviceTraits } from '../graph.js';
import {
  type AttentionChoice,
  type AttentionPass,
  type AttentionProblem,
  attentionCandidates,
  attentionShapeClass,
  attentionWorkgroups,
} from '../ops/attention-kernels.js';
import { smallValues, type Trial, type TuneOptions, type TuningTable, tuneTasks } from './trial.js';

/** A pass of attention as it occurs in a plan. */
export interface AttentionTask extends AttentionProblem {
  readonly tokens: number;
  readonly heads: number;
}

/** What a pass reads besides queries, keys and values, and the outputs by which the candidates are compared. */
const bindings: Readonly<Record<AttentionPass, { inputs: readonly string[]; outputs: readonly string[] }>> = {
  attention_forward: { inputs: [], outputs: ['context', 'log_sum_exp'] },
  attention_backward_query: { inputs: ['d_context', 'statistics'], outputs: ['d_q'] },
  attention_backward_key_value: { inputs: ['d_context', 'statistics'], outputs: ['d_k', 'd_v'] },
};

/**
 * The distinct passes of attention in plans, in the order in which they first occur; the largest of each class.
 *
 * @param build makes the plans for the given traits
 */
export function collectAttention(
  device: DeviceTraits,
  build: (device: DeviceTraits) => void,
): AttentionTask[] {
  const found = new Map<string, AttentionTask>();
  build({
    ...device,
    onAttention(problem, tokens, heads) {
      const key = attentionShapeClass(problem);
      const known = found.get(key);
      if (!known || known.tokens * known.heads < tokens * heads)
        found.set(key, { ...problem, tokens, heads });
    },
  });
  return [...found.values()];
}

/**
 * Tries every candidate of every pass.
 *
 * @param textTokens length of the texts
 * @throws Error if the plainest candidate of one fails
 */
export function tuneAttention(
  executor: Executor,
  tasks: readonly AttentionTask[],
  textTokens: number,
  options: TuneOptions = {},
): Promise<TuningTable> {
  return tuneTasks(executor, tasks, (task) => attentionTrial(executor.device, task, textTokens), options);
}

function attentionTrial(device: DeviceTraits, task: AttentionTask, textTokens: number): Trial {
  const { pass, headVectors, element, tokens, heads } = task;
  const elements = tokens * heads * headVectors * 4;
  const backward = {
    d_context: smallValues(elements, element, 4),
    // The log-sum-exp of nearly equal scores, and 0 for the mean of the probabilities' gradients.
    statistics: Float32Array.from({ length: 2 * tokens * heads }, (_, i) =>
      i % 2 ? 0 : Math.log(textTokens),
    ),
  };
  const bounds = Uint32Array.from({ length: 2 * tokens }, (_, i) => {
    const first = Math.floor(i / 2 / textTokens) * textTokens;
    return i % 2 ? Math.min(first + textTokens, tokens) : first;
  });
  return {
    shapeClass: attentionShapeClass(task),
    candidates: attentionCandidates(device, task),
    inputs: {
      q: smallValues(elements, element, 1),
      k: smallValues(elements, element, 2),
      v: smallValues(elements, element, 3),
      ...(pass === 'attention_forward' ? {} : backward),
      bounds,
    },
    results: Object.fromEntries(
      bindings[pass].outputs.map((name) => [name, name === 'log_sum_exp' ? 'f32' : element]),
    ),
    counts: { tokens },
    // Means and weighted sums of values below 1/4 in another order, stored as f16 at worst.
    tolerance: element === 'f16' ? 2 ** -8 : 2 ** -14,
    plan: (choice) => attentionPlan(task, choice),
  };
}

/** One dispatch; all strategies have the bindings and params of the portable kernel. */
function attentionPlan(
  { pass, headVectors, element, tokens, heads }: AttentionTask,
  choice: AttentionChoice,
) {
  const plan = new PlanBuilder(`tune ${choice.kernel}`);
  const stride = heads * headVectors;
  const { inputs, outputs } = bindings[pass];
  const tensors: Record<string, Tensor> = {};
  for (const name of ['q', 'k', 'v', ...inputs]) {
    tensors[name] =
      name === 'statistics'
        ? plan.external(name, [tokens, heads, 2])
        : plan.external(name, [tokens, 4 * stride], element);
  }
  tensors.bounds = plan.external('bounds', [tokens, 2], 'u32');
  for (const name of outputs) {
    tensors[name] =
      name === 'log_sum_exp'
        ? plan.result(name, [tokens, heads])
        : plan.result(name, [tokens, 4 * stride], element);
  }
  plan.dispatch(choice.kernel as 'attention_forward', {
    label: choice.kernel,
    constants: { ...choice.constants, Element: element, HAS_DROPOUT: false },
    bindings: tensors as Readonly<Record<'q' | 'k' | 'v' | 'bounds' | 'context' | 'log_sum_exp', Tensor>>,
    params: {
      tokens,
      tokens_count: countSlots.tokens,
      heads,
      scale: 1 / Math.sqrt(4 * headVectors),
      dropout_site: 0,
      dropout_threshold: 0,
      dropout_keep_scale: 1,
      q_stride: stride,
      q_offset: 0,
      k_stride: stride,
      k_offset: 0,
      v_stride: stride,
      v_offset: 0,
    },
    workgroups: attentionWorkgroups(choice, tokens, heads),
  });
  return plan.build();
}
