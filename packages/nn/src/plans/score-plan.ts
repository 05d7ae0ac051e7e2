/** The plan of exact search: dot products of queries and candidates in f32. */
import type { Plan } from '@synglot/gpu';
import { type DeviceTraits, Graph } from '../graph.js';
import { matmulNt } from '../ops/matmul.js';
import { ParameterLayout } from '../parameters.js';

/** External buffer with the candidates [candidates, dimension]. */
export const scoreCandidates = 'candidates';
/** Feed with the queries [queries, dimension]. */
export const scoreQueries = 'queries';
/** Result [queries, candidates]. */
export const scoreResult = 'scores';

/** Sizes are capacities; the step's `queries` and `candidates` counts are the live sizes. */
export function buildScorePlan(size: {
  readonly queries: number;
  readonly candidates: number;
  /** A multiple of 4. */
  readonly dimension: number;
  readonly device?: DeviceTraits;
}): Plan {
  const g = new Graph(
    `score ${size.queries} × ${size.candidates}`,
    new ParameterLayout([], 0),
    false,
    size.device,
  );
  const queries = g.plan.feed(scoreQueries, [size.queries, size.dimension], 'f32');
  const candidates = g.plan.external(scoreCandidates, [size.candidates, size.dimension]);
  const scores = g.plan.result(scoreResult, [size.queries, size.candidates]);
  matmulNt(g, queries, candidates, scores, {
    m: { capacity: size.queries, slot: 'queries' },
    n: { capacity: size.candidates, slot: 'candidates' },
    k: { capacity: size.dimension, slot: 'all' },
    label: 'scores',
  });
  return g.plan.build();
}
