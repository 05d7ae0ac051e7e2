/**
 * A language discriminator on the embeddings, trained against the encoder through gradient reversal.
 *
 * The discriminator learns to tell the language of an embedding; the encoder receives its gradient with the
 * sign reversed. The discriminator's parameters belong to the objective, not to the model.
 */
import { type Activation, type Graph, rowParams, rowWorkgroups, stridedWorkgroups } from '../graph.js';
import { gelu } from '../ops/elementwise.js';
import { GradientSum } from '../ops/gradient-sum.js';
import { linear } from '../ops/linear.js';
import type { ParameterSpec } from '../parameters.js';
import type { Objective } from './objective.js';
import {
  type RowObjective,
  type RowSide,
  rowResult,
  rowWeightsFeed,
  rowWise,
  sumOfRows,
} from './row-wise.js';

/** Options of {@link languageDiscriminator}. */
export interface LanguageDiscriminatorOptions {
  readonly languages: number;
  /** Of the embeddings. */
  readonly dimension: number;
  /** Width of the hidden layer, a multiple of 4. */
  readonly hidden: number;
  /** Its learning rate divided by the run's. */
  readonly learningRateScale?: number;
}

const name = 'language_discriminator';
const accuracyName = `${name}_accuracy`;
const layer = (index: number) => `language_discriminator.${index}`;

/** Feed with the index of each row's language [rows]. */
export function languagesFeed(side: RowSide): string {
  return `languages of ${side}`;
}
/** Feed [4] whose first element is the reversal's λ. */
export const reversalFeed = 'gradient reversal';

/** Columns of the last layer: a multiple of 4, as products need; those beyond the languages are not classes. */
const outputColumns = (languages: number) => Math.ceil(languages / 4) * 4;

/** Parameters of the discriminator: dimension → hidden → languages. */
export function languageDiscriminatorParameters(options: LanguageDiscriminatorOptions): ParameterSpec[] {
  const { languages, dimension, hidden, learningRateScale = 1 } = options;
  const common = { auxiliary: true, learningRateScale };
  const columns = outputColumns(languages);
  return [
    { name: `${layer(0)}.weight`, shape: [hidden, dimension], ...common },
    { name: `${layer(0)}.bias`, shape: [hidden], ...common },
    { name: `${layer(1)}.weight`, shape: [columns, hidden], ...common },
    { name: `${layer(1)}.bias`, shape: [columns], ...common },
  ];
}

/**
 * Two objectives: the discriminator's cross-entropy and its accuracy. Neither is part of the loss (weight 0): the
 * discriminator lowers the cross-entropy, the encoder raises it with λ times the gradient.
 *
 * Ganin et al. 2016 (Domain-Adversarial Training of Neural Networks, arXiv 1505.07818), with languages for
 * domains.
 */
export function languageDiscriminator({
  languages,
}: LanguageDiscriminatorOptions): [entropy: Objective, accuracy: Objective] {
  const rows: RowObjective = {
    name,
    weight: 0,
    emitRows(g, x, side) {
      const { axis } = x;
      const strength = g.feed(reversalFeed, [4], 'f32');
      const first = linear(g, x, layer(0), `discriminator of ${side}, first layer`);
      const active = gelu(g, first.output, `discriminator of ${side}`);
      const last = linear(g, active.output, layer(1), `discriminator of ${side}, last layer`);
      const entropy = crossEntropy(g, last.output, languages, side);
      return {
        backward(into) {
          const dFirst = active.backward(last.backward(entropy()));
          const dX = first.backward(dFirst);
          into.write((target, accumulate) =>
            g.plan.dispatch('scale_reversed', {
              label: `gradient reversal of ${side}`,
              constants: { ACCUMULATE: accumulate },
              bindings: { x: dX.tensor, strength, y: target.tensor },
              params: { ...rowParams(axis), columns: x.columns },
              workgroups: stridedWorkgroups(g.device, axis, x.columns),
            }),
          );
        },
      };
    },
  };
  const sides = ['queries', 'candidates'] as const;
  const accuracy: Objective = {
    name: accuracyName,
    weight: 0,
    results: sides.map((side) => rowResult(accuracyName, side)),
    emit: () => ({ backward: () => undefined }),
    value: (reads, counts) =>
      sides.reduce((sum, side) => sum + sumOfRows(reads[rowResult(accuracyName, side)], counts[side]), 0),
  };
  return [rowWise(rows), accuracy];
}

/** Emits the cross-entropy of a side's rows; the returned function emits the gradient of the logits. */
function crossEntropy(g: Graph, logits: Activation, classes: number, side: RowSide): () => Activation {
  const { axis, columns } = logits;
  const bindings = {
    logits: logits.tensor,
    labels: g.feed(languagesFeed(side), [axis.capacity]),
    row_weights: g.feed(rowWeightsFeed(name, side), [axis.capacity], 'f32'),
  };
  const params = { ...rowParams(axis), columns, classes };
  const logSumExp = g.plan.transient(`discriminator log-sum-exp of ${side}`, [axis.capacity]);
  g.plan.dispatch('cross_entropy_forward', {
    label: `discriminator of ${side}, loss`,
    bindings: {
      ...bindings,
      log_sum_exp: logSumExp,
      loss: g.result(rowResult(name, side), [axis.capacity]),
      correct: g.result(rowResult(accuracyName, side), [axis.capacity]),
    },
    params,
    workgroups: rowWorkgroups(axis),
  });
  return () => {
    const dLogits = new GradientSum(g, `d discriminator logits of ${side}`, logits);
    dLogits.write((into) =>
      g.plan.dispatch('cross_entropy_backward', {
        label: `d discriminator of ${side}`,
        bindings: { ...bindings, log_sum_exp: logSumExp, d_logits: into.tensor },
        params,
        workgroups: stridedWorkgroups(g.device, axis, columns),
      }),
    );
    return dLogits.finish();
  };
}
