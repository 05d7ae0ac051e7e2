/** MarginMSE, fed with a teacher's stored embeddings or with scores that came with the data. */
import type { Pair } from '@synglot/data';
import { marginMse, marginWeightsFeed, negativeOffsetsFeed, teacherMarginsFeed } from '@synglot/nn';
import type { TeacherVectors } from './objective-teacher.js';
import type { TrainObjective } from './objectives.js';

/** A pair's margins over its negatives, in their order; NaN if the teacher has none. */
export type Margins = (pair: Pair) => readonly number[];

/** Differences of a bi-encoder's dot products. */
export function teacherMargins(teacher: TeacherVectors): Margins {
  return ({ query, passage, negatives }) => {
    const q = teacher.vector('query', query);
    const p = teacher.vector('passage', passage);
    return negatives.map((negative) => {
      const n = teacher.vector('passage', negative);
      return q && p && n ? dot(q, p) - dot(q, n) : Number.NaN;
    });
  };
}

/** Differences of scores in the data, a cross-encoder's for example. */
export const scoredMargins: Margins = ({ negatives, margins }) => margins ?? negatives.map(() => Number.NaN);

/** Options of {@link marginMseObjective}. */
export interface MarginMseObjectiveOptions {
  readonly weight: number;
  /** Multiplies the teacher's margins. Default 1. */
  readonly scale?: number;
}

/**
 * Pulls a question's margins over its hard negatives towards a teacher's. Negatives without one do not count;
 * the others share the weight.
 *
 * Hofstätter et al. 2020 (arXiv 2010.02666), where the teacher is a cross-encoder.
 */
export function marginMseObjective(
  margins: Margins,
  { weight, scale = 1 }: MarginMseObjectiveOptions,
): TrainObjective {
  return {
    objective: marginMse({ weight }),
    feeds({ batch: { pairs }, capacity }) {
      // Positives come first among the candidates and have no margin.
      const values: number[] = pairs.map(() => Number.NaN);
      const offsets = new Uint32Array(capacity.queries + 1);
      pairs.forEach((pair, index) => {
        offsets[index] = values.length;
        values.push(...margins(pair));
      });
      offsets.fill(values.length, pairs.length);
      const count = values.filter((value) => !Number.isNaN(value)).length;
      return {
        [negativeOffsetsFeed]: offsets,
        [teacherMarginsFeed]: Float32Array.from(values, (value) => (Number.isNaN(value) ? 0 : scale * value)),
        [marginWeightsFeed]: Float32Array.from(values, (value) => (Number.isNaN(value) ? 0 : 1 / count)),
      };
    },
  };
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}
