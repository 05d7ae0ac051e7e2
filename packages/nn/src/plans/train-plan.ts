/** The plans of training: gradients of one packed batch, the update, and both in one. */
import type { Plan } from '@synglot/gpu';
import { type BatchCapacity, declareFeeds, type EncoderFeeds } from '../encoder/batch.js';
import type { EncoderConfig, PoolingConfig } from '../encoder/config.js';
import { type EmbeddingAttack, encoder, sentenceEmbeddings } from '../encoder/encoder.js';
import { type Activation, type DeviceTraits, Graph, type Precision } from '../graph.js';
import { emitObjectives, type Objective } from '../loss/objective.js';
import { gradientPerturbation } from '../ops/perturbation.js';
import { castWeights, clearGradients, emitUpdate, type OptimizerOptions } from '../optim/optimizer.js';
import type { ParameterLayout } from '../parameters.js';

/** Options of {@link buildTrainPlan}. */
export interface TrainPlanOptions {
  readonly config: EncoderConfig;
  readonly pooling: PoolingConfig;
  readonly layout: ParameterLayout;
  /** The device that kernels are chosen for; by default those that run everywhere. */
  readonly device?: DeviceTraits;
  /** `mixed` needs a device with `shader-f16` and the weights' copies (`buildCastPlan`). Default `f32`. */
  readonly precision?: Precision;
  readonly capacity: BatchCapacity;
  /** What is minimised. Their gradients add up in the given order. */
  readonly objectives: readonly Objective[];
  /**
   * - `step`: clear the gradients, forward, backward, update
   * - `accumulate`: forward and backward, adding to the gradients
   * - `evaluate`: forward only, no dropout: the validation loss
   */
  readonly mode: 'step' | 'accumulate' | 'evaluate';
  /** Keeps only the inputs of layers for backward: less memory, one more forward pass, the same bits. */
  readonly recompute?: boolean;
  /** Needed by `step`. */
  readonly optimizer?: OptimizerOptions;
  /**
   * Length ε of an adversarial perturbation of each sequence's word embeddings (FGM): the gradients are then
   * those of the clean batch plus those of the perturbed one. See `gradientPerturbation`.
   */
  readonly perturbation?: number;
}

/** Suffix of the objectives' results for the perturbed batch. */
export const perturbedPass = ' (perturbed)';

/** One plan for batches up to `capacity`. Results: those of the objectives, and for `step` also `clip`. */
export function buildTrainPlan(options: TrainPlanOptions): Plan {
  const { config, layout, capacity, mode } = options;
  const label = `${mode} ${capacity.tokens} tokens, ${capacity.queries} × ${capacity.candidates}`;
  const g = new Graph(label, layout, mode !== 'evaluate', options.device, options.precision);
  if (mode === 'step') clearGradients(g);

  const feeds = declareFeeds(g, config, capacity);
  const attacks = mode !== 'evaluate' && options.perturbation !== undefined;
  const gradient = emitPass(g, options, feeds, attacks ? 'gradient' : undefined);
  if (attacks) {
    const attack = gradientPerturbation(g, gradient as Activation, feeds.pooling, options.perturbation ?? 0);
    g.pass = perturbedPass;
    emitPass(g, options, feeds, attack);
  }
  if (mode === 'step') {
    if (!options.optimizer) throw new TypeError("A plan with mode 'step' needs an optimizer");
    emitUpdate(g, options.optimizer);
  }
  return g.plan.build();
}

/** Forward and, unless evaluating, backward; returns the gradient of the word embeddings. */
function emitPass(
  g: Graph,
  options: TrainPlanOptions,
  feeds: EncoderFeeds,
  attack: EmbeddingAttack | undefined,
): Activation | undefined {
  const { config, pooling, capacity, recompute = false } = options;
  const encoded = encoder(g, config, feeds, { attack, recompute });
  const { hidden } = encoded;
  const queries = sentenceEmbeddings(g, hidden, pooling, feeds, {
    rows: feeds.queryAxis,
    slotBegin: 0,
    label: 'query',
  });
  const candidates = sentenceEmbeddings(g, hidden, pooling, feeds, {
    rows: feeds.candidateAxis,
    slotBegin: capacity.queries,
    label: 'candidate',
  });
  const embeddings = { queries: queries.output, candidates: candidates.output };
  const objectives = emitObjectives(g, options.objectives, embeddings);
  if (options.mode === 'evaluate') return undefined;
  const { dQueries, dCandidates } = objectives.backward();
  const dHidden = g.activation('d hidden', hidden.axis, hidden.columns);
  queries.backward(dQueries, dHidden);
  candidates.backward(dCandidates, dHidden);
  return encoded.backward(dHidden);
}

/**
 * The update alone, for gradients accumulated over several batches. Result: `clip`. Clearing, `accumulate` of one batch
 * and this leave the bits of a `step` when all are built for the same device.
 */
export function buildUpdatePlan(
  layout: ParameterLayout,
  optimizer: OptimizerOptions,
  { device, precision }: Pick<TrainPlanOptions, 'device' | 'precision'> = {},
): Plan {
  const g = new Graph('update', layout, true, device, precision);
  emitUpdate(g, optimizer);
  return g.plan.build();
}

/** Makes the f16 copies of weights that mixed precision multiplies with; updates keep them up to date. */
export function buildCastPlan(layout: ParameterLayout): Plan {
  const g = new Graph('copies of weights', layout, false, undefined, 'mixed');
  castWeights(g);
  return g.plan.build();
}

/** Sets every gradient to zero; frozen parameters have none. */
export function buildClearPlan(layout: ParameterLayout): Plan {
  const g = new Graph('clear gradients', layout, true);
  clearGradients(g);
  return g.plan.build();
}
