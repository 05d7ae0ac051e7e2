/** Objectives that a teacher's stored embeddings feed: distillation and MarginMSE. */
import type { Pair, Row } from '@synglot/data';
import {
  distillation,
  marginMse,
  marginWeightsFeed,
  negativeOffsetsFeed,
  rowWeightsFeed,
  teacherFeed,
  teacherMarginsFeed,
} from '@synglot/nn';
import type { ObjectiveContext, TrainObjective } from './objectives.js';
import type { Teacher } from './teacher.js';

/** A batch's rows as the encoder has them: questions; then positives and all negatives. */
function sidesOf(pairs: readonly Pair[]): { readonly queries: Row[]; readonly candidates: Row[] } {
  return {
    queries: pairs.map(({ query }) => query),
    candidates: [...pairs.map(({ passage }) => passage), ...pairs.flatMap(({ negatives }) => negatives)],
  };
}

/**
 * Pulls every row towards the teacher's embedding of the same text in the teacher's language. Rows that it
 * has not read count nothing; the others share the weight.
 */
export function distillationObjective(
  teacher: Teacher,
  options: { readonly measure: 'mse' | 'cosine'; readonly weight: number },
): TrainObjective {
  const unit = options.measure === 'cosine';
  return {
    objective: distillation(options),
    feeds({ batch }) {
      const { queries, candidates } = sidesOf(batch.pairs);
      const vectors = {
        queries: queries.map((row) => teacher.vector('query', row)),
        candidates: candidates.map((row) => teacher.vector('passage', row)),
      };
      const known = [...vectors.queries, ...vectors.candidates].filter(Boolean).length;
      const feeds: Record<string, Float32Array> = {};
      for (const side of ['queries', 'candidates'] as const) {
        const rows = vectors[side];
        const values = new Float32Array(rows.length * teacher.dimension);
        rows.forEach((vector, row) => {
          if (vector) values.set(unit ? unitVector(vector) : vector, row * teacher.dimension);
        });
        feeds[teacherFeed(side)] = values;
        feeds[rowWeightsFeed('distillation', side)] = Float32Array.from(rows, (vector) =>
          vector ? 1 / known : 0,
        );
      }
      return feeds;
    },
  };
}

function unitVector(vector: Float32Array): Float32Array {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return length > 0 ? vector.map((value) => value / length) : vector;
}

/** Makes a question's margins over its hard negatives those of the teacher's dot products. */
export function marginMseObjective(teacher: Teacher, options: { readonly weight: number }): TrainObjective {
  return {
    objective: marginMse(options),
    feeds: ({ batch, capacity }) => marginFeeds(teacher, batch.pairs, capacity.queries),
  };
}

function marginFeeds(
  teacher: Teacher,
  pairs: ObjectiveContext['batch']['pairs'],
  queryCapacity: number,
): Record<string, ArrayBufferView> {
  const margins: number[] = pairs.map(() => 0);
  const known: boolean[] = pairs.map(() => false);
  const offsets = new Uint32Array(queryCapacity + 1);
  pairs.forEach(({ query, passage, negatives }, index) => {
    offsets[index] = margins.length;
    const q = teacher.vector('query', query);
    const p = teacher.vector('passage', passage);
    for (const negative of negatives) {
      const n = teacher.vector('passage', negative);
      known.push(q !== undefined && p !== undefined && n !== undefined);
      margins.push(q && p && n ? dot(q, p) - dot(q, n) : 0);
    }
  });
  offsets.fill(margins.length, pairs.length);
  const count = known.filter(Boolean).length;
  return {
    [negativeOffsetsFeed]: offsets,
    [teacherMarginsFeed]: Float32Array.from(margins),
    [marginWeightsFeed]: Float32Array.from(known, (has) => (has ? 1 / count : 0)),
  };
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}
