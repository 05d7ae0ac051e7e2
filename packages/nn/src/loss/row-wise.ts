/**
 * Objectives over single embeddings: each row's value depends on that row alone.
 * The rows' weights are fed and add up to 1.
 */
import type { Activation, Graph } from '../graph.js';
import type { GradientSum } from '../ops/gradient-sum.js';
import type { Objective } from './objective.js';

/** One of the two sides of a batch. */
export type RowSide = 'queries' | 'candidates';

/** An objective over single rows, as {@link rowWise} takes it. */
export interface RowObjective {
  readonly name: string;
  readonly weight: number;
  /**
   * Emits the forward for the rows of one side; puts each row's share of the value, unweighted, into
   * `rowResult(name, side)`. `backward` adds the gradient, times `weight`.
   */
  emitRows(g: Graph, rows: Activation, side: RowSide): { backward(into: GradientSum): void };
}

/** Result [rows] with each row's share of an objective's value. */
export function rowResult(name: string, side: RowSide): string {
  return `${name} of ${side}`;
}

/** Feed with the weights of a side's rows [rows]; over a batch they add up to 1. */
export function rowWeightsFeed(name: string, side: RowSide): string {
  return `${name} weights of ${side}`;
}

/** The objective over both sides of a batch. */
export function rowWise(objective: RowObjective): Objective {
  const { name, weight } = objective;
  const sides = ['queries', 'candidates'] as const;
  return {
    name,
    weight,
    results: sides.map((side) => rowResult(name, side)),
    emit(g, embeddings) {
      const emitted = sides.map((side) => objective.emitRows(g, embeddings[side], side));
      return {
        backward: (into) => {
          sides.forEach((side, index) => {
            emitted[index]?.backward(into[side]);
          });
        },
      };
    },
    value: (reads, counts) =>
      sides.reduce((sum, side) => sum + sumOfRows(reads[rowResult(name, side)], counts[side]), 0),
  };
}

/** Sum of the first `count` values, in double precision. */
export function sumOfRows(values: Float32Array | undefined, count: number): number {
  let sum = 0;
  for (let row = 0; row < count; row++) sum += values?.[row] as number;
  return sum;
}
