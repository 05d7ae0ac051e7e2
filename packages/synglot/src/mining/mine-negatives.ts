/**
 * Mines hard negatives: embeds the questions and passages of a training set, searches exactly on the device
 * and applies the rules of `NegativeSelector`. Knows no file and no command.
 */
import {
  type MinedQuestion,
  type MiningOptions,
  MiningPools,
  type MiningStatistics,
  NegativeSelector,
  resolveMining,
  type TrainingSet,
} from '@synglot/data';
import { memoryVectors, searchTopK } from '@synglot/eval';
import type { Executor } from '@synglot/gpu';

/** What {@link mineNegatives} takes. */
export interface MineOptions extends MiningOptions {
  readonly executor: Executor;
  readonly set: TrainingSet;
  /** Embeddings [texts, dimension] of questions. */
  readonly embedQueries: (texts: readonly string[]) => Promise<Float32Array>;
  /** Embeddings [texts, dimension] of passages. */
  readonly embedPassages: (texts: readonly string[]) => Promise<Float32Array>;
  /** Makes random sampling choose anew in each round, such as the training step. */
  readonly salt?: number;
}

/** What {@link mineNegatives} gives. */
export interface MineResult {
  readonly data: MiningPools;
  readonly mined: readonly MinedQuestion[];
  readonly statistics: MiningStatistics;
}

/**
 * Hard negatives for every question of a training set in each of its languages.
 *
 * @throws DataError `INPUT_OPTION`; `INPUT_MINING` where the rules leave none
 *
 * @example
 * const model = await EmbeddingModel.load(executor, await openCheckpoint('my-model'));
 * const embed = (texts) => model.embed(texts);
 * const { mined } = await mineNegatives({ executor, set, embedQueries: embed, embedPassages: embed });
 */
export async function mineNegatives(options: MineOptions): Promise<MineResult> {
  const { executor, set } = options;
  const data = new MiningPools(set, resolveMining(options).languages);
  const selector = new NegativeSelector(data, options, options.salt);
  const passages = await embedRows(set, [...data.passageOf.keys()], options.embedPassages);
  const queryRows = [...new Set(data.questions.map(({ query }) => query))];
  const queries = await embedRows(set, queryRows, options.embedQueries);
  const { dimension } = passages;

  for (const [pool, { rows }] of data.pools.entries()) {
    const questions = data.questions.filter((question) => question.pool === pool);
    if (questions.length === 0) continue;
    // The same passages in the same order, whatever else is in the set: ties are broken by row.
    const ids = rows.map((row) => String(row).padStart(10, '0'));
    const hits = await searchTopK({
      executor,
      queries: concatenated(questions.map(({ query }) => queries.vector(query))),
      source: memoryVectors(concatenated(rows.map(passages.vector)), dimension, ids),
      k: selector.depth(pool),
      ties: 'id-ascending',
    });
    questions.forEach((question, index) => {
      const query = queries.vector(question.query);
      const scores = question.positives.map((row) => dot(query, passages.vector(row)));
      selector.take(question, scores, hits[index]!);
    });
  }
  return { data, ...selector.finish() };
}

interface EmbeddedRows {
  readonly dimension: number;
  readonly vector: (row: number) => Float32Array;
}

async function embedRows(
  set: TrainingSet,
  rows: readonly number[],
  embed: MineOptions['embedQueries'],
): Promise<EmbeddedRows> {
  const vectors = await embed(rows.map((row) => set.rows[row]!.text));
  const dimension = vectors.length / rows.length;
  const places = new Map(rows.map((row, place) => [row, place]));
  return {
    dimension,
    vector: (row) => {
      const place = places.get(row)!;
      return vectors.subarray(place * dimension, (place + 1) * dimension);
    },
  };
}

function concatenated(vectors: readonly Float32Array[]): Float32Array {
  const dimension = vectors[0]?.length ?? 0;
  const result = new Float32Array(vectors.length * dimension);
  for (const [index, vector] of vectors.entries()) result.set(vector, index * dimension);
  return result;
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
