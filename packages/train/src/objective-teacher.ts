/** Distillation, fed with a teacher's stored embeddings. MarginMSE is in objective-margins.ts. */
import { candidatesOf, type Row, type TextKind } from '@synglot/data';
import { distillation, rowWeightsFeed, teacherFeed } from '@synglot/nn';
import type { TrainObjective } from './objectives.js';

/** Embeddings of a teacher: stored ones (`Teacher`), or any that can be looked up. */
export interface TeacherVectors {
  readonly dimension: number;
  /** The embedding [dimension] of a text, or undefined if the teacher has not read it. */
  vector(kind: TextKind, row: Row): Float32Array | undefined;
}

/**
 * Pulls every row towards the teacher's embedding of the same text in the teacher's language. Rows without
 * one do not count; the others share the weight.
 */
export function distillationObjective(
  teacher: TeacherVectors,
  options: { readonly measure: 'mse' | 'cosine'; readonly weight: number },
): TrainObjective {
  const unit = options.measure === 'cosine';
  return {
    objective: distillation(options),
    feeds({ batch }) {
      const vectors = {
        queries: batch.pairs.map(({ query }) => teacher.vector('query', query)),
        candidates: candidatesOf(batch.pairs).map((row) => teacher.vector('passage', row)),
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
