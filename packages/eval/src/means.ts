/** Running means of measures over queries, and macro means over languages. */
import type { Measure } from './measures/index.js';
import type { JudgedRanking } from './measures/ranking.js';
import type { MeasureMeans } from './report.js';

/** Mean of several measures over the queries added so far. */
export class RunningMeans {
  private readonly sums: Float64Array;
  private count = 0;

  constructor(private readonly measures: readonly Measure[]) {
    this.sums = new Float64Array(measures.length);
  }

  /** @param onValue - called with each measure's value of this query */
  add(ranking: JudgedRanking, onValue?: (name: string, value: number) => void): void {
    for (let i = 0; i < this.measures.length; i++) {
      const measure = this.measures[i]!;
      const value = measure.evaluate(ranking);
      this.sums[i]! += value;
      onValue?.(measure.name, value);
    }
    this.count++;
  }

  /** Means by measure, or undefined before the first query. */
  means(): MeasureMeans | undefined {
    if (this.count === 0) return undefined;
    return Object.fromEntries(this.measures.map(({ name }, i) => [name, this.sums[i]! / this.count]));
  }
}

/** Arithmetic mean, or null of nothing. */
export function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
