/**
 * The rankings of a parallel collection as TREC runs with their judgments: for each language of questions one against
 * the passages of every language, and one against all of them. It measures nothing.
 */
import { join } from 'node:path';
import type { ParallelCollection } from '@synglot/data';
import { BestK, type Profile, type Scorer } from '@synglot/eval';
import { type RunRanking, writeQrels, writeRun } from '@synglot/eval/files';
import { makeFolders } from '@synglot/models';

export interface SaveRunsOptions {
  /** Made where it is not there. */
  readonly folder: string;
  readonly collection: ParallelCollection;
  readonly queryEmbeddings: Float32Array;
  readonly candidateEmbeddings: Float32Array;
  readonly dimension: number;
  readonly scorer: Scorer;
  readonly ties: Profile['ties'];
  /** Passages kept of each ranking; default 100, since all of them are many gigabytes for large benchmarks. */
  readonly depth?: number;
}

/** The pool of all languages, as files name it. */
const mixed = 'all';
/** Scores held at once. */
const blockBytes = 16 * 1024 * 1024;

/**
 * Writes `en-de.run` and `en-de.qrels` (questions in English, passages in German) for each pair, and `en-all.run`.
 *
 * @returns how many runs there are
 */
export async function saveParallelRuns(options: SaveRunsOptions): Promise<number> {
  const { folder, collection, depth = 100 } = options;
  const { langs, queries, candidates, relevant } = collection;
  await makeFolders(folder);
  const idOf = (candidate: number) => candidates[candidate]!.id;
  const every = [...candidates.keys()];
  const pools = new Map(langs.map((lang) => [lang, every.filter((c) => candidates[c]!.lang === lang)]));
  pools.set(mixed, every);
  for (const lang of langs) {
    const own = [...queries.keys()].filter((query) => queries[query]!.lang === lang);
    const rankings = new Map([...pools.keys()].map((pool): [string, RunRanking[]] => [pool, []]));
    for await (const [query, scores] of scored(own, options)) {
      for (const [pool, members] of pools) {
        const best = new BestK(1, Math.min(depth, members.length), idOf, options.ties);
        for (const c of members) if (scores[c]! >= best.thresholds[0]!) best.push(0, scores[c]!, c);
        const ranked = best.hits(0);
        rankings.get(pool)!.push({
          query: queries[query]!.id,
          ids: Array.from(ranked.rows, idOf),
          scores: ranked.scores,
        });
      }
    }
    for (const [pool, members] of pools) {
      const known = new Set(members);
      const grades = own.map((query): [string, Map<string, number>] => {
        const found = Array.from(relevant[query]!).filter((c) => known.has(c));
        return [queries[query]!.id, new Map(found.map((c) => [candidates[c]!.id, 1]))];
      });
      const name = join(folder, `${lang}-${pool}`);
      await writeRun(`${name}.run`, rankings.get(pool)!);
      await writeQrels(`${name}.qrels`, new Map(grades));
    }
  }
  return langs.length * pools.size;
}

/** Each query with its scores of all candidates. */
async function* scored(
  own: readonly number[],
  { collection, queryEmbeddings, candidateEmbeddings, dimension, scorer }: SaveRunsOptions,
): AsyncGenerator<readonly [query: number, scores: Float32Array]> {
  const width = collection.candidates.length;
  const block = Math.max(1, Math.floor(blockBytes / Float32Array.BYTES_PER_ELEMENT / width));
  for (let begin = 0; begin < own.length; begin += block) {
    const asked = own.slice(begin, begin + block);
    const vectors = new Float32Array(asked.length * dimension);
    for (const [row, query] of asked.entries()) {
      vectors.set(queryEmbeddings.subarray(query * dimension, (query + 1) * dimension), row * dimension);
    }
    const scores = await scorer.score(vectors, candidateEmbeddings, dimension);
    for (const [row, query] of asked.entries()) {
      yield [query, scores.subarray(row * width, (row + 1) * width)];
    }
  }
}
