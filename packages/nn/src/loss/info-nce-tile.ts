/**
 * In-batch InfoNCE over embeddings that are kept on the device, one tile of the similarity matrix at a
 * time: neither that matrix nor its gradient is ever whole in memory. Not the loss of plans that encode
 * the whole batch: that is info-nce.ts.
 */
import type { Tensor } from '@synglot/gpu';
import { type Axis, countSlots } from '../axis.js';
import type { Activation, Graph } from '../graph.js';
import { readRows, writeRows } from '../ops/copy-rows.js';
import { matmulNn, matmulNt, matmulTn } from '../ops/matmul.js';
import { tileStatisticsKernel } from '../ops/row-kernels.js';
import { directionWeights, type InfoNceOptions } from './info-nce.js';

/** External [rows, dimension]: embeddings of queries, then of candidates. */
export const embeddingsExternal = 'embeddings';
/** External [rows, dimension]: the loss's gradient with respect to the embeddings. */
export const embeddingGradientsExternal = 'd embeddings';
/** External [rows]: mask groups of the candidates, as the feed of info-nce.ts. */
export const groupsExternal = 'groups of candidates';
/** Externals [rows, 4] with a query's, or a positive's, (largest logit, Σ exp(logit - largest), own logit, 0). */
export const rowStatisticsExternal = 'row statistics';
export const columnStatisticsExternal = 'column statistics';

export interface InfoNceTileOptions extends InfoNceOptions {
  /** Queries and candidates of a tile; a multiple of 4. */
  readonly tile: number;
  /** Capacity of the whole batch: queries and candidates together. */
  readonly rows: number;
  readonly dimension: number;
}

interface Tile {
  readonly queries: Activation;
  readonly candidates: Activation;
  readonly similarity: Tensor;
  readonly groups: Tensor;
  readonly params: ReturnType<typeof tileParams>;
}

/** Emits the similarities of the tile that the step's `begins` and tile counts name. */
function similarityTile(g: Graph, options: InfoNceTileOptions): Tile {
  const { tile, rows, dimension } = options;
  const q: Axis = { capacity: tile, slot: 'tileQueries' };
  const c: Axis = { capacity: tile, slot: 'tileCandidates' };
  const whole = g.plan.external(embeddingsExternal, [rows, dimension]);
  const queries = g.activation('tile of queries', q, dimension);
  readRows(g, whole, 'first', queries, 'tile of queries');
  const candidates = g.activation('tile of candidates', c, dimension);
  readRows(g, whole, 'second', candidates, 'tile of candidates');
  const similarity = g.plan.transient('similarity tile', [tile, tile]);
  const k: Axis = { capacity: dimension, slot: 'all' };
  matmulNt(g, queries.tensor, candidates.tensor, similarity, { m: q, n: c, k, label: 'similarity tile' });
  const groups = g.plan.external(groupsExternal, [rows], 'u32');
  return { queries, candidates, similarity, groups, params: tileParams(options) };
}

function tileParams({ tile, rows, temperature }: InfoNceTileOptions) {
  return {
    tile_queries: tile,
    tile_queries_count: countSlots.tileQueries,
    tile_candidates: tile,
    tile_candidates_count: countSlots.tileCandidates,
    queries: rows,
    queries_count: countSlots.queries,
    inverse_temperature: 1 / temperature,
  };
}

/** Adds a tile to the statistics of its queries and positives; tiles in ascending order. */
export function infoNceTileStatistics(g: Graph, options: InfoNceTileOptions): void {
  const { similarity, groups, params } = similarityTile(g, options);
  const weights = directionWeights(options.direction);
  const add = (columns: boolean, name: string): void => {
    const { kernel, constants, workgroups } = tileStatisticsKernel(g.device, { tile: options.tile, columns });
    g.plan.dispatch(kernel, {
      label: name,
      constants: { ...constants, COLUMNS: columns },
      bindings: { similarity, groups, statistics: g.plan.external(name, [options.rows, 4]) },
      params,
      workgroups,
    });
  };
  if (weights.row > 0) add(false, rowStatisticsExternal);
  if (weights.column > 0) add(true, columnStatisticsExternal);
}

/** Adds a tile's share to the gradients of its queries' and candidates' embeddings. */
export function infoNceTileBackward(g: Graph, options: InfoNceTileOptions): void {
  const { tile, rows, dimension } = options;
  const { queries, candidates, similarity, groups, params } = similarityTile(g, options);
  const weights = directionWeights(options.direction);
  const { weight: scale = 1 } = options;
  const dSimilarity = g.plan.transient('d similarity tile', [tile, tile]);
  g.plan.dispatch('info_nce_tile_backward', {
    label: 'd similarity tile',
    bindings: {
      similarity,
      groups,
      row_statistics: g.plan.external(rowStatisticsExternal, [rows, 4]),
      column_statistics: g.plan.external(columnStatisticsExternal, [rows, 4]),
      d_similarity: dSimilarity,
    },
    params: { ...params, row_weight: scale * weights.row, column_weight: scale * weights.column },
    workgroups: [Math.ceil(tile / 64), tile],
  });
  const whole = g.plan.external(embeddingGradientsExternal, [rows, dimension]);
  const n: Axis = { capacity: dimension, slot: 'all' };
  const [q, c] = [queries.axis, candidates.axis];
  // A product first, then a sum: the tuned products add to whole tensors only.
  const product = { n, accumulate: false };
  const dQueries = g.activation('d tile of queries', q, dimension);
  matmulNn(g, dSimilarity, candidates.tensor, dQueries.tensor, {
    ...product,
    m: q,
    k: c,
    label: 'd tile of queries',
  });
  writeRows(g, dQueries, whole, 'first', { accumulate: true, label: 'd query embeddings' });
  const dCandidates = g.activation('d tile of candidates', c, dimension);
  matmulTn(g, dSimilarity, queries.tensor, dCandidates.tensor, {
    ...product,
    m: c,
    k: q,
    label: 'd tile of candidates',
  });
  writeRows(g, dCandidates, whole, 'second', { accumulate: true, label: 'd candidate embeddings' });
}

/** The batch's loss from the statistics of all its tiles, averaged in double precision. */
export function lossOfStatistics(
  rowStatistics: Float32Array,
  columnStatistics: Float32Array,
  queries: number,
  direction: InfoNceOptions['direction'],
): number {
  const weights = directionWeights(direction);
  const total = (statistics: Float32Array): number => {
    let sum = 0;
    for (let i = 0; i < queries * 4; i += 4) {
      const [largest, others, own] = statistics.subarray(i, i + 3) as unknown as [number, number, number];
      sum += largest + Math.log(others) - own;
    }
    return sum;
  };
  const row = weights.row > 0 ? weights.row * total(rowStatistics) : 0;
  const column = weights.column > 0 ? weights.column * total(columnStatistics) : 0;
  return (row + column) / queries;
}
