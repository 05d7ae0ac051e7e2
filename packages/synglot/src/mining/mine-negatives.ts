/**
 * Mines hard negatives: embeds the questions and passages of a training set, searches exactly on the device
 * and applies the rules of `NegativeSelector`. Knows no file and no command.
 */
import {
  type MinedQuestion,
  type MiningOptions,
  MiningPools,
  type MiningQuestion,
  type MiningStatistics,
  NegativeSelector,
  resolveMining,
  type TrainingSet,
} from '@synglot/data';
import { type Hits, memoryVectors, searchTopK } from '@synglot/eval';
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
  /** Called while the passages are searched: so many of the questions' searches are done. */
  readonly onSearch?: (done: number, questions: number) => void;
  /** Stops between blocks of a search. */
  readonly signal?: AbortSignal;
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
  const { executor, set, signal } = options;
  const { languages, rangeMax } = resolveMining(options);
  const data = new MiningPools(set, languages);
  const selector = new NegativeSelector(data, options, options.salt);
  const passages = await embedRows(set, [...data.passageOf.keys()], options.embedPassages);
  const queryRows = [...new Set(data.questions.map(({ query }) => query))];
  const queries = await embedRows(set, queryRows, options.embedQueries);
  const { dimension } = passages;
  let searched = 0;

  for (const [pool, { rows }] of data.pools.entries()) {
    const questions = data.questions.filter((question) => question.pool === pool);
    if (questions.length === 0) continue;
    // The same passages in the same order, whatever else is in the set: ties are broken by row.
    const ids = rows.map((row) => String(row).padStart(10, '0'));
    const source = memoryVectors(concatenated(rows.map(passages.vector)), dimension, ids);
    const found = new Map<MiningQuestion, Hits>();
    for (const { depth, asked } of byDepth(questions, selector, rangeMax)) {
      // What is asked in the same words is searched for once.
      const places = [...new Set(asked.map(({ query }) => queries.place(query)))];
      const hits = await searchTopK({
        executor,
        queries: concatenated(places.map(queries.at)),
        source,
        k: depth,
        ties: 'id-ascending',
        ...(signal ? { signal } : {}),
        onProgress: (done, rows) =>
          options.onSearch?.(searched + Math.floor((asked.length * done) / rows), data.questions.length),
      });
      searched += asked.length;
      const hitsOf = new Map(places.map((place, index) => [place, hits[index]!]));
      for (const question of asked) found.set(question, hitsOf.get(queries.place(question.query))!);
    }
    for (const question of questions) {
      const query = queries.vector(question.query);
      const scores = question.positives.map((row) => dot(query, passages.vector(row)));
      selector.take(question, scores, found.get(question)!);
    }
  }
  return { data, ...selector.finish() };
}

/** Questions that are searched together: one with thousands of answers must not set the depth of all. */
function byDepth(questions: readonly MiningQuestion[], selector: NegativeSelector, rangeMax: number) {
  const groups = new Map<number, { depth: number; asked: MiningQuestion[] }>();
  for (const question of questions) {
    const depth = selector.depth(question);
    // Four times the window is no matter: most questions are in one group.
    const size = Math.max(2, Math.ceil(Math.log2(depth / rangeMax)));
    const group = groups.get(size) ?? { depth, asked: [] };
    groups.set(size, group);
    group.depth = Math.max(group.depth, depth);
    group.asked.push(question);
  }
  return groups.values();
}

interface EmbeddedRows {
  readonly dimension: number;
  /** Where a row's text stands among the different texts. */
  readonly place: (row: number) => number;
  readonly at: (place: number) => Float32Array;
  readonly vector: (row: number) => Float32Array;
}

/** Embeds the text of each row; rows with the same text share an embedding. */
async function embedRows(
  set: TrainingSet,
  rows: readonly number[],
  embed: MineOptions['embedQueries'],
): Promise<EmbeddedRows> {
  const texts = [...new Set(rows.map((row) => set.rows[row]!.text))];
  const vectors = await embed(texts);
  const dimension = vectors.length / texts.length;
  const places = new Map(texts.map((text, place) => [text, place]));
  const place = (row: number) => places.get(set.rows[row]!.text)!;
  const at = (place: number) => vectors.subarray(place * dimension, (place + 1) * dimension);
  return { dimension, place, at, vector: (row) => at(place(row)) };
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
