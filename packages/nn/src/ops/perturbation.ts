/** Adversarial perturbation of word embeddings: a step of fixed length up a loss's gradient. */
import type { Tensor } from '@synglot/gpu';
import { countSlots } from '../axis.js';
import { type Activation, type Graph, storedType, stridedWorkgroups } from '../graph.js';

/** Feeds that say which tokens belong to one sequence. */
export interface SequenceFeeds {
  /** [tokens] of (id, position, type, slot). */
  readonly tokens: Tensor;
  /** [all slots] of (first, end) token. */
  readonly slots: Tensor;
}

/** A direction for every token, and the factors that give each sequence's direction length 1. */
export interface Perturbation {
  readonly direction: Activation;
  readonly scales: Tensor;
  readonly epsilon: number;
}

/**
 * r = ε · g / ‖g‖ over the word embeddings of each sequence, g being the loss's gradient [tokens, hidden].
 *
 * Miyato et al. 2017 (Adversarial Training Methods for Semi-Supervised Text Classification, arXiv 1605.07725,
 * equation 8); known as FGM. The perturbation counts as a constant: no gradient flows through it.
 */
export function gradientPerturbation(
  g: Graph,
  gradient: Activation,
  feeds: SequenceFeeds,
  epsilon: number,
): Perturbation {
  const slots = feeds.slots.shape[0] as number;
  const scales = g.plan.transient('inverse norms of sequences', [slots]);
  g.plan.dispatch('sequence_inverse_norms', {
    label: 'norms of the gradients of sequences',
    constants: { Element: storedType(gradient.tensor) },
    bindings: { x: gradient.tensor, slots: feeds.slots, inverse_norms: scales },
    params: { columns: gradient.columns },
    workgroups: [slots],
  });
  return { direction: gradient, scales, epsilon };
}

/** x + r, token by token. */
export function perturb(
  g: Graph,
  x: Activation,
  feeds: SequenceFeeds,
  { direction, scales, epsilon }: Perturbation,
): Activation {
  const { axis, columns } = x;
  const output = g.activation('perturbed word embeddings', axis, columns, x.frozen);
  g.plan.dispatch('add_scaled_sequences', {
    label: 'perturbed word embeddings',
    constants: { Element: storedType(x.tensor) },
    bindings: {
      x: x.tensor,
      direction: direction.tensor,
      tokens_info: feeds.tokens,
      scales,
      y: output.tensor,
    },
    params: { tokens: axis.capacity, tokens_count: countSlots[axis.slot], columns, factor: epsilon },
    workgroups: stridedWorkgroups(g.device, axis, columns),
  });
  return output;
}
