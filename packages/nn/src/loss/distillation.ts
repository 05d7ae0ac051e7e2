/**
 * Distillation: embeddings learn to lie where a teacher's lie. The teacher's embeddings are fed;
 * where they come from is not known here.
 */
import { type Activation, type Graph, rowParams } from '../graph.js';
import { GradientSum } from '../ops/gradient-sum.js';
import { normalize } from '../ops/pooling.js';
import { rowKernel } from '../ops/row-kernels.js';
import type { Objective } from './objective.js';
import { type RowSide, rowResult, rowWeightsFeed, rowWise } from './row-wise.js';

/** Options of {@link distillation}. */
export interface DistillationOptions {
  /**
   * `mse`: the squared difference, averaged over dimensions; `cosine`: 1 - cosine. Both are averaged over rows.
   */
  readonly measure: 'mse' | 'cosine';
  /** Default 1. */
  readonly weight?: number;
}

const name = 'distillation';

/** Feed with the teacher's embeddings of a side [rows, dimension]; for `cosine` they have unit length. */
export function teacherFeed(side: RowSide): string {
  return `teacher embeddings of ${side}`;
}

/**
 * Pulls every row towards its teacher embedding, in whichever language the row is.
 *
 * Reimers & Gurevych 2020 (Making Monolingual Sentence Embeddings Multilingual, arXiv 2004.09813): the mean
 * squared error of source and translation against the teacher's embedding of the source; mixed with the
 * contrastive loss as λ · contrast + (1 - λ) · distillation in arXiv 2605.31171. A row of weight 0 has no
 * teacher and no gradient.
 */
export function distillation({ measure, weight = 1 }: DistillationOptions): Objective {
  return rowWise({
    name,
    weight,
    emitRows(g, rows, side) {
      const unit = measure === 'cosine' ? normalize(g, rows, `${name}: unit ${side}`) : undefined;
      // Of unit vectors, 1 - cosine is half the squared distance.
      const distance = squaredDistance(g, unit?.output ?? rows, side, unit ? 0.5 : 1 / rows.columns);
      return {
        backward(into) {
          if (!unit) return distance(into, weight);
          const dUnit = new GradientSum(g, `d unit ${side}`, unit.output);
          distance(dUnit, weight);
          into.add(unit.backward(dUnit.finish()), `d ${name} of ${side}`);
        },
      };
    },
  });
}

/** Emits factor · ‖x - teacher‖² of each row; returns its backward. */
function squaredDistance(g: Graph, x: Activation, side: RowSide, factor: number) {
  const { axis, columns } = x;
  const bindings = {
    x: x.tensor,
    reference: g.feed(teacherFeed(side), [axis.capacity, columns], 'f32'),
    row_weights: g.feed(rowWeightsFeed(name, side), [axis.capacity], 'f32'),
  };
  const shape = { ...rowParams(axis), columns };
  const { kernel, ...forward } = rowKernel(g.device, 'squared_distance_forward', axis.capacity);
  g.plan.dispatch(kernel, {
    ...forward,
    label: `${name} of ${side}`,
    bindings: { ...bindings, loss: g.result(rowResult(name, side), [axis.capacity]) },
    params: { ...shape, factor },
  });
  const backward = rowKernel(g.device, 'squared_distance_backward', axis.capacity);
  return (into: GradientSum, weight: number): void =>
    into.write((dX, accumulate) =>
      g.plan.dispatch(backward.kernel, {
        label: `d ${name} of ${side}`,
        constants: { ...backward.constants, ACCUMULATE: accumulate },
        bindings: { ...bindings, d_x: dX.tensor },
        params: { ...shape, factor: factor * weight },
        workgroups: backward.workgroups,
      }),
    );
}
