/** Tables of evaluated runs: figures with intervals, and differences with their significance. Plain text. */
import { bootstrapInterval, type IntervalOptions } from '../significance/bootstrap.js';
import type { Comparison } from '../significance/compare.js';
import { plainSample } from '../significance/sample.js';
import type { RunEvaluation } from '../trec/evaluate-run.js';
import { decimal } from './decimal.js';
import { textTable } from './text-table.js';

/** A run with the name of its column. */
export interface LabelledRun {
  readonly label: string;
  readonly evaluation: RunEvaluation;
}

/** Measures in rows, runs in columns; beside each mean its bootstrap interval over topics. */
export function runTable(runs: readonly LabelledRun[], options: IntervalOptions = {}): string {
  const share = Math.round((options.confidence ?? 0.95) * 100);
  const header = ['measure', ...runs.flatMap(({ label }) => [label, `${share}% interval`])];
  const columns = runs[0]?.evaluation.columns ?? [];
  const rows = columns.flatMap(({ name, summary }, index) => {
    if (summary === 'none') return [];
    const cells = runs.flatMap(({ evaluation }) => {
      const value = evaluation.summary[index];
      if (summary !== 'mean')
        return [typeof value === 'number' && summary === 'geometric' ? decimal(value, 4) : String(value), ''];
      const sample = plainSample(evaluation.topics.map(({ values }) => values[index] as number));
      const { low, high } = bootstrapInterval(sample, options);
      return [decimal(value as number, 4), `${decimal(low, 4)} to ${decimal(high, 4)}`];
    });
    return [[name, ...cells]];
  });
  return textTable(header, rows);
}

/** One comparison per line; `p` as found and corrected. */
export function comparisonTable(comparisons: readonly Comparison[], correction: string): string {
  return textTable(
    ['system - baseline', 'figure', 'difference', 'interval', 'p', `p (${correction})`],
    comparisons.map(({ system, baseline, figure, difference, low, high, p, p_adjusted }) => [
      `${system} - ${baseline}`,
      figure,
      decimal(difference, 4),
      `${decimal(low, 4)} to ${decimal(high, 4)}`,
      decimal(p, 4),
      decimal(p_adjusted, 4),
    ]),
  );
}
