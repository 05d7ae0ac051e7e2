/** Published figures to compare with, each with its source. Data only; a null means "not published". */

/** One published row: macro mAP in the three settings and rank distance. */
export interface PublishedRow {
  readonly task: 'xquad-r' | 'mlqa-r';
  /** How many languages questions and passages were in. */
  readonly langs: number;
  readonly model: string;
  /** The batches it was trained with, in the paper's terms. */
  readonly training: string;
  readonly map: {
    readonly monolingual: number | null;
    readonly cross_lingual: number | null;
    readonly multilingual: number | null;
  };
  readonly rank_distance: number | null;
  readonly source: string;
}

const hybridPaper = 'arXiv 2408.10536 (hybrid batch training), macro mAP; cut-off and ties not stated';
const lareqaPaper = 'arXiv 2004.05484 (LAReQA), mAP over the pool of 13,014 candidates';

/** The rows of arXiv 2408.10536 and LAReQA's mBERT baselines. */
export const publishedRows: readonly PublishedRow[] = [
  hybrid('xquad-r', 'XLM-R', 'X-X-mono', 0.7918, 0.6737, 0.5479, 410.2),
  hybrid('xquad-r', 'XLM-R', 'X-Y', 0.7554, 0.6997, 0.5934, 295.4),
  hybrid('xquad-r', 'XLM-R', 'hybrid', 0.7977, 0.7053, 0.5927, 286.6),
  hybrid('xquad-r', 'LaBSE', 'X-X-mono', 0.8083, 0.7519, 0.6517, 261.5),
  hybrid('xquad-r', 'LaBSE', 'X-Y', 0.8008, 0.7618, 0.6791, 225.2),
  hybrid('xquad-r', 'LaBSE', 'hybrid', 0.8167, 0.7672, 0.6817, 221.1),
  hybrid('mlqa-r', 'XLM-R', 'X-X-mono', 0.6475, 0.5843, 0.4731, 287.5),
  hybrid('mlqa-r', 'XLM-R', 'X-Y', 0.6256, 0.62, 0.5076, 226.7),
  hybrid('mlqa-r', 'XLM-R', 'hybrid', 0.6481, 0.6234, 0.5121, 227.1),
  hybrid('mlqa-r', 'LaBSE', 'X-X-mono', 0.6807, 0.6561, 0.5504, 225.3),
  hybrid('mlqa-r', 'LaBSE', 'X-Y', 0.671, 0.6767, 0.5755, 198.3),
  hybrid('mlqa-r', 'LaBSE', 'hybrid', 0.6864, 0.6811, 0.5785, 195.0),
  lareqa('En-En', 0.29),
  lareqa('X-X', 0.23),
  lareqa('X-X-mono', 0.52),
  lareqa('X-Y', 0.66),
];

function hybrid(
  task: PublishedRow['task'],
  model: string,
  training: string,
  monolingual: number,
  crossLingual: number,
  multilingual: number,
  rankDistance: number,
): PublishedRow {
  const map = { monolingual, cross_lingual: crossLingual, multilingual };
  return {
    task,
    langs: task === 'xquad-r' ? 11 : 7,
    model,
    training,
    map,
    rank_distance: rankDistance,
    source: hybridPaper,
  };
}

function lareqa(training: string, multilingual: number): PublishedRow {
  const map = { monolingual: null, cross_lingual: null, multilingual };
  return {
    task: 'xquad-r',
    langs: 11,
    model: 'mBERT',
    training,
    map,
    rank_distance: null,
    source: lareqaPaper,
  };
}
