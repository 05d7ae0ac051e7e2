/**
 * In-batch InfoNCE over embeddings that are kept on the device, one tile of the similarity matrix at a
 * time: neither that matrix nor its gradient is ever whole in memory. Plans that encode the whole batch
 * use info-nce.ts instead.
 */
import type { Tensor } from '@synglot/gpu';
import { type Axis, countSlots } from '../axis.js';
import type { Activation, Graph } from '../graph.js';
import { type Begin, readRows, writeRows } from '../ops/copy-rows.js';
import { matmulNn, matmulNt, matmulTn } from '../ops/matmul.js';
import { tileStatisticsKernel } from '../ops/row-kernels.js';
import { directionWeights, type InfoNceOptions } from './info-nce.js';
import { EmbeddingGradients, type EmbeddingView, type TiledObjective } from './objective.js';

/** External [rows, dimension]: embeddings of queries, then of candidates. */
export const embeddingsExternal = 'embeddings';
/** External [rows, dimension]: the loss's gradient with respect to the embeddings. */
export const embeddingGradientsExternal = 'd embeddings';
/** External [rows]: mask groups of the candidates, as in the feed of info-nce.ts. */
export const groupsExternal = 'groups of candidates';
/**
 * Externals [rows, 4] with (largest similarity, Σ exp((similarity - largest) / temperature), own similarity, 0) of each
 * query, or of each positive.
 *
 * @param suffix of the objective
 */
export function statisticsExternals({ suffix }: Pick<TiledObjective, 'suffix'>) {
  return { row: `row statistics${suffix}`, column: `column statistics${suffix}` } as const;
}

/** A tiled loss and the sizes of its tiles and batches. */
export interface InfoNceTileOptions extends TiledObjective {
  /** Queries and candidates of a tile; a multiple of 4. */
  readonly tile: number;
  /** Capacity of the whole batch: queries and candidates together. */
  readonly rows: number;
  readonly dimension: number;
}

interface Tile {
  /** Of the embeddings. */
  readonly queries: Activation;
  readonly candidates: Activation;
  /** What is compared. */
  readonly view: EmbeddingView;
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
  const view = options.view(g, { queries, candidates });
  const compared = view.output;
  const similarity = g.plan.transient('similarity tile', [tile, tile]);
  const k: Axis = { capacity: compared.queries.columns, slot: 'all' };
  matmulNt(g, compared.queries.tensor, compared.candidates.tensor, similarity, {
    m: q,
    n: c,
    k,
    label: 'similarity tile',
  });
  const groups = g.plan.external(groupsExternal, [rows], 'u32');
  return { queries, candidates, view, similarity, groups, params: tileParams(options) };
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
  const names = statisticsExternals(options);
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
  if (weights.row > 0) add(false, names.row);
  if (weights.column > 0) add(true, names.column);
}

/** Adds a tile's share to the gradients of its queries' and candidates' embeddings. */
export function infoNceTileBackward(g: Graph, options: InfoNceTileOptions): void {
  const { tile, rows, dimension } = options;
  const { queries, candidates, view, similarity, groups, params } = similarityTile(g, options);
  const weights = directionWeights(options.direction);
  const names = statisticsExternals(options);
  const { weight: scale = 1 } = options;
  const dSimilarity = g.plan.transient('d similarity tile', [tile, tile]);
  g.plan.dispatch('info_nce_tile_backward', {
    label: 'd similarity tile',
    bindings: {
      similarity,
      groups,
      row_statistics: g.plan.external(names.row, [rows, 4]),
      column_statistics: g.plan.external(names.column, [rows, 4]),
      d_similarity: dSimilarity,
    },
    params: { ...params, row_weight: scale * weights.row, column_weight: scale * weights.column },
    workgroups: [Math.ceil(tile / 64), tile],
  });
  // The products go to tensors of their own, which are then added: tuned products add only to whole tensors.
  const gradients = new EmbeddingGradients(g, { queries, candidates });
  view.backward(gradients, (into) => {
    const compared = view.output;
    const n: Axis = { capacity: compared.queries.columns, slot: 'all' };
    const [q, c] = [queries.axis, candidates.axis];
    into.queries.write((dQueries, accumulate) =>
      matmulNn(g, dSimilarity, compared.candidates.tensor, dQueries.tensor, {
        m: q,
        n,
        k: c,
        accumulate,
        label: 'd tile of queries',
      }),
    );
    into.candidates.write((dCandidates, accumulate) =>
      matmulTn(g, dSimilarity, compared.queries.tensor, dCandidates.tensor, {
        m: c,
        n,
        k: q,
        accumulate,
        label: 'd tile of candidates',
      }),
    );
  });
  const whole = g.plan.external(embeddingGradientsExternal, [rows, dimension]);
  const add = (part: Activation, begin: Begin, label: string): void =>
    writeRows(g, part, whole, begin, { accumulate: true, label });
  add(gradients.queries.finish(), 'first', 'd query embeddings');
  add(gradients.candidates.finish(), 'second', 'd candidate embeddings');
}

/** The batch's loss from the statistics of all its tiles, averaged in double precision. */
export function lossOfStatistics(
  rowStatistics: Float32Array,
  columnStatistics: Float32Array,
  queries: number,
  { temperature, direction }: Pick<InfoNceOptions, 'temperature' | 'direction'>,
): number {
  const weights = directionWeights(direction);
  const total = (statistics: Float32Array): number => {
    let sum = 0;
    for (let i = 0; i < queries * 4; i += 4) {
      const [largest, others, own] = statistics.subarray(i, i + 3) as unknown as [number, number, number];
      sum += (largest - own) / temperature + Math.log(others);
    }
    return sum;
  };
  const row = weights.row > 0 ? weights.row * total(rowStatistics) : 0;
  const column = weights.column > 0 ? weights.column * total(columnStatistics) : 0;
  return (row + column) / queries;
}
