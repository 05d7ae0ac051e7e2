/** MarginMSE: a query's positive is to be better than its hard negatives by as much as a teacher says. */
import { type Axis, countSlots } from '../axis.js';
import { matmulNn, matmulNt, matmulTn } from '../ops/matmul.js';
import type { Objective } from './objective.js';
import { sumOfRows } from './row-wise.js';

const name = 'margin_mse';
const result = 'margin error of queries';

/** Feeds: [queries + 1] where each query's negatives begin, as candidates; [candidates] margins and weights. */
export const negativeOffsetsFeed = 'offsets of negatives';
export const teacherMarginsFeed = 'teacher margins';
export const marginWeightsFeed = 'margin weights';

/**
 * Mean over all (query, hard negative) of ((q·p - q·n) - teacher's margin)². The weights of the negatives are
 * fed and add up to 1; one of weight 0 has no margin.
 *
 * Hofstätter et al. 2020 (arXiv 2010.02666); as sentence-transformers' MarginMSELoss, dot products.
 */
export function marginMse({ weight = 1 }: { readonly weight?: number } = {}): Objective {
  return {
    name,
    weight,
    results: [result],
    emit(g, { queries, candidates }) {
      const [q, c] = [queries.axis, candidates.axis];
      const d: Axis = { capacity: queries.columns, slot: 'all' };
      const similarity = g.plan.transient('similarity of triplets', [q.capacity, c.capacity]);
      matmulNt(g, queries.tensor, candidates.tensor, similarity, {
        m: q,
        n: c,
        k: d,
        label: 'similarity of triplets',
      });
      const bindings = {
        similarity,
        offsets: g.feed(negativeOffsetsFeed, [q.capacity + 1]),
        margins: g.feed(teacherMarginsFeed, [c.capacity], 'f32'),
        row_weights: g.feed(marginWeightsFeed, [c.capacity], 'f32'),
      };
      const params = { queries: q.capacity, queries_count: countSlots[q.slot], candidates: c.capacity };
      g.plan.dispatch('margin_mse_forward', {
        label: 'margins of queries',
        bindings: { ...bindings, loss: g.result(result, [q.capacity]) },
        params,
        workgroups: [Math.ceil(q.capacity / 64)],
      });
      return {
        backward(into) {
          const dSimilarity = g.plan.transient('d similarity of triplets', [q.capacity, c.capacity]);
          g.plan.dispatch('margin_mse_backward', {
            label: 'd margins',
            bindings: { ...bindings, d_similarity: dSimilarity },
            params: { ...params, candidates_count: countSlots[c.slot], factor: weight },
            workgroups: [Math.ceil(c.capacity / 64), q.capacity],
          });
          into.queries.write((dQueries, accumulate) =>
            matmulNn(g, dSimilarity, candidates.tensor, dQueries.tensor, {
              m: q,
              n: d,
              k: c,
              label: 'd queries of triplets',
              accumulate,
            }),
          );
          into.candidates.write((dCandidates, accumulate) =>
            matmulTn(g, dSimilarity, queries.tensor, dCandidates.tensor, {
              m: c,
              n: d,
              k: q,
              label: 'd candidates of triplets',
              accumulate,
            }),
          );
        },
      };
    },
    value: (reads, counts) => sumOfRows(reads[result], counts.queries),
  };
}
