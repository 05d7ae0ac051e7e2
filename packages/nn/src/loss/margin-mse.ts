/** MarginMSE: a query's positive should beat its hard negatives by as much as a teacher says. */
import { rowParams } from '../graph.js';
import type { Objective } from './objective.js';
import { sumOfRows } from './row-wise.js';

const name = 'margin_mse';
const result = 'margin error of candidates';

/** Feed [queries + 1]: the candidate at which each query's negatives begin. */
export const negativeOffsetsFeed = 'offsets of negatives';
/** Feed [candidates]: the teacher's margin over each negative. */
export const teacherMarginsFeed = 'teacher margins';
/** Feed [candidates]: the weight of each negative; they add up to 1, and 0 is a negative without a margin. */
export const marginWeightsFeed = 'margin weights';

/**
 * Mean over all (query, hard negative) of ((q·p - q·n) - teacher's margin)². The weights of the negatives are
 * fed and add up to 1; a weight of 0 means that there is no margin. A query is compared only with its own
 * passages: no similarity matrix is made.
 *
 * Hofstätter et al. 2020 (arXiv 2010.02666); as sentence-transformers' MarginMSELoss, dot products.
 */
export function marginMse({ weight = 1 }: { readonly weight?: number } = {}): Objective {
  return {
    name,
    weight,
    results: [result],
    emit(g, { queries, candidates }) {
      const [q, c] = [queries.axis.capacity, candidates.axis.capacity];
      const bindings = {
        queries: queries.tensor,
        candidates: candidates.tensor,
        offsets: g.feed(negativeOffsetsFeed, [q + 1]),
        row_weights: g.feed(marginWeightsFeed, [c], 'f32'),
        errors: g.plan.transient('margin errors', [c]),
      };
      const params = { ...rowParams(queries.axis), columns: queries.columns };
      const workgroups = [Math.min(65_535, q)] as const;
      g.plan.dispatch('margin_mse_forward', {
        label: 'margins of queries',
        bindings: {
          ...bindings,
          margins: g.feed(teacherMarginsFeed, [c], 'f32'),
          loss: g.result(result, [c]),
        },
        params,
        workgroups,
      });
      return {
        backward(into) {
          into.queries.write((dQueries, accumulateQueries) =>
            into.candidates.write((dCandidates, accumulateCandidates) =>
              g.plan.dispatch('margin_mse_backward', {
                label: 'd margins of queries',
                constants: {
                  ACCUMULATE_QUERIES: accumulateQueries,
                  ACCUMULATE_CANDIDATES: accumulateCandidates,
                },
                bindings: { ...bindings, d_queries: dQueries.tensor, d_candidates: dCandidates.tensor },
                params: { ...params, factor: weight },
                workgroups,
              }),
            ),
          );
        },
      };
    },
    value: (reads, counts) => sumOfRows(reads[result], counts.candidates),
  };
}
