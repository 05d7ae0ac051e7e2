/** The plans of a loss that is computed tile by tile over embeddings kept on the device. */
import type { Plan } from '@synglot/gpu';
import { type DeviceTraits, Graph } from '../graph.js';
import {
  type InfoNceTileOptions,
  infoNceTileBackward,
  infoNceTileStatistics,
} from '../loss/info-nce-tile.js';
import { ParameterLayout } from '../parameters.js';

/** Options of {@link buildLossTilePlans}. */
export interface LossTilePlanOptions extends InfoNceTileOptions {
  /** The device that kernels are chosen for; by default those that run everywhere. */
  readonly device?: DeviceTraits;
  /** Has the parameters of the objective's view, if any. */
  readonly layout?: ParameterLayout;
}

/**
 * Plans that run once for every tile, which the step names: first `statistics` for all tiles, then `backward` for all
 * tiles, each in ascending order of queries, then candidates. `backward` adds to the embeddings' gradients, which
 * `buildClearEmbeddingGradientsPlan` clears.
 */
export function buildLossTilePlans(options: LossTilePlanOptions): {
  readonly statistics: Plan;
  readonly backward: Plan;
} {
  const { tile, suffix, layout = new ParameterLayout([], 0) } = options;
  const graph = (label: string) =>
    new Graph(`${label}${suffix}, ${tile} × ${tile}`, layout, true, options.device);
  const statistics = graph('loss tile');
  infoNceTileStatistics(statistics, options);
  const backward = graph('d loss tile');
  infoNceTileBackward(backward, options);
  return {
    statistics: statistics.plan.build(),
    backward: backward.plan.build(),
  };
}

/** One tile of the batch: where its queries and candidates begin, and how many there are. */
export interface LossTile {
  readonly queryBegin: number;
  readonly queries: number;
  readonly candidateBegin: number;
  readonly candidates: number;
}

/** The tiles of a batch, in the order in which their plans must run. */
export function* lossTiles(queries: number, candidates: number, tile: number): Generator<LossTile> {
  for (let queryBegin = 0; queryBegin < queries; queryBegin += tile) {
    for (let candidateBegin = 0; candidateBegin < candidates; candidateBegin += tile) {
      yield {
        queryBegin,
        queries: Math.min(tile, queries - queryBegin),
        candidateBegin,
        candidates: Math.min(tile, candidates - candidateBegin),
      };
    }
  }
}
