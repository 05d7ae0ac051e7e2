/** In-batch InfoNCE with temperature, directions and masks, and its gradient. */
import type { Tensor } from '@synglot/gpu';
import { type Axis, countSlots } from '../axis.js';
import type { Activation, Graph } from '../graph.js';
import { matmulNn, matmulNt, matmulTn } from '../ops/matmul.js';
import { columnStatisticsKernel, rowKernel } from '../ops/row-kernels.js';
import type { Gradients } from './objective.js';

/** `both` is the mean of the two directions. */
export type LossDirection = 'query-to-passage' | 'passage-to-query' | 'both';

/** How InfoNCE compares embeddings. */
export interface InfoNceOptions {
  /** Cosine similarities are divided by it; sentence-transformers' scale 20 is 0.05. */
  readonly temperature: number;
  readonly direction: LossDirection;
  /** Multiplies the gradient, not the values. Default 1. */
  readonly weight?: number;
}

/**
 * Feed with the mask groups [candidates]: `candidateGroups` of @synglot/data, or numbers that are all different to mask
 * none. Candidates of one number are no negatives of each other's queries: unfed all have 0, and the loss is 0.
 */
export const groupsFeed = 'groups';
/**
 * Result [queries]: the loss of each query against the candidates; 0 with direction `passage-to-query`. The batch's loss:
 * `meanLoss`.
 */
export const rowLossResult = 'row loss';
/** Result [queries]: the loss of each query's positive against all queries; 0 with direction `query-to-passage`. */
export const columnLossResult = 'column loss';

/** An emitted loss; its gradients, times `weight`, go into those of the embeddings. */
export interface InfoNce {
  /** Emits the gradients of queries and candidates. */
  backward(this: void, into: Gradients): void;
}

/** Weights of the two directions. */
export function directionWeights(direction: LossDirection): { row: number; column: number } {
  if (direction === 'both') return { row: 0.5, column: 0.5 };
  return direction === 'query-to-passage' ? { row: 1, column: 0 } : { row: 0, column: 1 };
}

/**
 * Emits the loss of `queries` [Q, D] against `candidates` [C, D], whose first Q rows are the queries'
 * positives. For cosine similarity the rows must be normalised.
 *
 * @param suffix ends the results' names
 */
export function infoNce(
  g: Graph,
  queries: Activation,
  candidates: Activation,
  options: InfoNceOptions,
  suffix = '',
): InfoNce {
  const q = queries.axis;
  const c = candidates.axis;
  const d: Axis = { capacity: queries.columns, slot: 'all' };
  const weights = directionWeights(options.direction);
  const { weight: scale = 1 } = options;
  const groups = g.feed(groupsFeed, [c.capacity]);
  const similarity = g.plan.transient('similarity', [q.capacity, c.capacity]);
  matmulNt(g, queries.tensor, candidates.tensor, similarity, { m: q, n: c, k: d, label: 'similarity' });

  const shared = {
    queries: q.capacity,
    queries_count: countSlots[q.slot],
    candidates: c.capacity,
    candidates_count: countSlots[c.slot],
    inverse_temperature: 1 / options.temperature,
  };
  const rowLoss = g.result(rowLossResult + suffix, [q.capacity]);
  const columnLoss = g.result(columnLossResult + suffix, [q.capacity]);
  const statistics = (name: string): Tensor => g.plan.transient(name, [q.capacity, 2]);
  const rowStatistics = weights.row > 0 ? statistics('row statistics') : undefined;
  const columnStatistics = weights.column > 0 ? statistics('column statistics') : undefined;
  if (rowStatistics) {
    const { kernel, constants, workgroups } = rowKernel(g.device, 'info_nce_row_statistics', q.capacity);
    g.plan.dispatch(kernel, {
      label: 'loss of queries',
      bindings: { similarity, groups, statistics: rowStatistics, loss: rowLoss },
      params: shared,
      constants,
      workgroups,
    });
  }
  if (columnStatistics) {
    const { candidates_count: _, ...params } = shared;
    const { kernel, constants, workgroups } = columnStatisticsKernel(g.device, q.capacity);
    g.plan.dispatch(kernel, {
      label: 'loss of positives',
      bindings: { similarity, groups, statistics: columnStatistics, loss: columnLoss },
      params,
      constants,
      workgroups,
    });
  }
  return {
    backward(into) {
      const dSimilarity = g.plan.transient('d similarity', [q.capacity, c.capacity]);
      g.plan.dispatch('info_nce_backward', {
        label: 'd similarity',
        bindings: {
          similarity,
          groups,
          // Of a direction without weight nothing is read, but something is bound.
          row_statistics: (rowStatistics ?? columnStatistics) as Tensor,
          column_statistics: (columnStatistics ?? rowStatistics) as Tensor,
          d_similarity: dSimilarity,
        },
        params: { ...shared, row_weight: scale * weights.row, column_weight: scale * weights.column },
        workgroups: [Math.ceil(c.capacity / 64), q.capacity],
      });
      into.queries.write((dQueries, accumulate) =>
        matmulNn(g, dSimilarity, candidates.tensor, dQueries.tensor, {
          m: q,
          n: d,
          k: c,
          label: 'd query embeddings',
          accumulate,
        }),
      );
      into.candidates.write((dCandidates, accumulate) =>
        matmulTn(g, dSimilarity, queries.tensor, dCandidates.tensor, {
          m: c,
          n: d,
          k: q,
          label: 'd candidate embeddings',
          accumulate,
        }),
      );
    },
  };
}

/** The batch's loss from the two results, averaged in double precision. */
export function meanLoss(
  rowLoss: Float32Array,
  columnLoss: Float32Array,
  queries: number,
  direction: LossDirection,
): number {
  const weights = directionWeights(direction);
  let total = 0;
  for (let i = 0; i < queries; i++) {
    total += weights.row * (rowLoss[i] as number) + weights.column * (columnLoss[i] as number);
  }
  return total / queries;
}
