/**
 * The plan of exact search for the first k: scores in f32, and of them only those that may still be among
 * the k best. A few pairs per query are read back instead of every score.
 */
import type { Plan } from '@synglot/gpu';
import {
  countSlots,
  type DeviceTraits,
  Graph,
  matmulNt,
  ParameterLayout,
  scoreCandidates,
  scoreQueries,
  scoreResult,
} from '@synglot/nn';

/** Feed with the queries' thresholds [queries]; finite. */
export const thresholdFeed = 'thresholds';
/** Result [queries, 1 + 2 · capacity], as kernels/wgsl/top_k_candidates.wgsl says. */
export const foundResult = 'found';

/** As `buildScorePlan` of @synglot/nn, with the pairs beside the scores. */
export function buildTopKPlan(size: {
  readonly queries: number;
  readonly candidates: number;
  /** A multiple of 4. */
  readonly dimension: number;
  /** Pairs per query. */
  readonly capacity: number;
  readonly device?: DeviceTraits;
}): Plan {
  const { queries: queryCapacity, candidates: candidateCapacity, dimension, capacity } = size;
  const label = `top k ${queryCapacity} × ${candidateCapacity}`;
  const g = new Graph(label, new ParameterLayout([], 0), false, size.device);
  const queries = g.plan.feed(scoreQueries, [queryCapacity, dimension], 'f32');
  const thresholds = g.plan.feed(thresholdFeed, [queryCapacity], 'f32');
  const candidates = g.plan.external(scoreCandidates, [candidateCapacity, dimension]);
  const scores = g.plan.result(scoreResult, [queryCapacity, candidateCapacity]);
  const found = g.plan.result(foundResult, [queryCapacity, 1 + 2 * capacity], 'u32');
  matmulNt(g, queries, candidates, scores, {
    m: { capacity: queryCapacity, slot: 'queries' },
    n: { capacity: candidateCapacity, slot: 'candidates' },
    k: { capacity: dimension, slot: 'all' },
    label: 'scores',
  });
  g.plan.dispatch('top_k_candidates', {
    label: 'scores above the threshold',
    bindings: { scores, thresholds, found },
    params: {
      queries: queryCapacity,
      queries_count: countSlots.queries,
      candidates: candidateCapacity,
      candidates_count: countSlots.candidates,
      capacity,
    },
    workgroups: [queryCapacity],
  });
  return g.plan.build();
}
