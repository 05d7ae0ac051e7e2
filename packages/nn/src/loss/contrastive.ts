/** The contrastive objective: in-batch InfoNCE over the whole embeddings. The loss itself is info-nce.ts. */
import { columnLossResult, type InfoNceOptions, infoNce, meanLoss, rowLossResult } from './info-nce.js';
import type { Objective } from './objective.js';

/** InfoNCE of queries against candidates; `weight` scales its gradient, default 1. */
export function contrastive(options: InfoNceOptions): Objective {
  return {
    name: 'contrastive',
    weight: options.weight ?? 1,
    results: [rowLossResult, columnLossResult],
    tiles: options,
    emit: (g, { queries, candidates }) => infoNce(g, queries, candidates, options),
    value: (reads, counts) =>
      meanLoss(
        reads[rowLossResult] as Float32Array,
        reads[columnLossResult] as Float32Array,
        counts.queries,
        options.direction,
      ),
  };
}
