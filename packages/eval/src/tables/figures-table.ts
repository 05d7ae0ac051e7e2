/**
 * Several systems side by side with what their differences from the first are worth: as text, as CSV with every digit,
 * and as a LaTeX table for a paper.
 */
import { bootstrapInterval, type IntervalOptions } from '../significance/bootstrap.js';
import {
  type CompareOptions,
  type Comparison,
  compareSystems,
  type System,
} from '../significance/compare.js';
import { macroMean } from '../significance/sample.js';
import { decimal } from './decimal.js';
import { csvTable, latexTable } from './export-tables.js';
import { comparisonTable } from './run-table.js';
import { textTable } from './text-table.js';

/** What {@link figuresTable} can be printed as. */
export type FiguresFormat = 'table' | 'csv' | 'latex';

/**
 * Every figure of every system with its bootstrap interval, and every difference from the first system with its
 * p-value, corrected for all of them.
 *
 * As `table`, two tables. As `csv`, a line a system and figure. As `latex`, a row a system and a column a figure; a
 * dagger marks what differs from the first system by a corrected p below 0.05.
 *
 * @throws EvaluationError `INPUT_SIGNIFICANCE` when two systems were measured on different queries
 */
export function figuresTable(
  systems: readonly System[],
  format: FiguresFormat = 'table',
  options: CompareOptions = {},
): string {
  const comparisons = compareSystems(systems, options);
  const { correction = 'holm', test = 'randomisation', confidence = 0.95 } = options;
  const names = [...new Set(systems.flatMap(({ samples }) => [...samples.keys()]))];
  const figures = systems.map((system, index) => ({
    label: system.label,
    values: figuresOf(system, options),
    against: (figure: string) =>
      index === 0
        ? undefined
        : comparisons.find((one) => one.system === system.label && one.figure === figure),
  }));
  const share = `${Math.round(confidence * 100)}%`;
  if (format === 'csv') {
    return csvTable(
      ['system', 'figure', 'value', 'low', 'high', ...differenceColumns],
      figures.flatMap(({ label, values, against }) =>
        [...values].map(([figure, { value, low, high }]) => {
          const found = against(figure);
          return [label, figure, value, low, high, ...(found ? differenceCells(found) : none)];
        }),
      ),
    );
  }
  const cell = (
    { values, against }: (typeof figures)[number],
    figure: string,
    mark: (p: number) => string,
  ) => {
    const found = values.get(figure);
    if (found === undefined) return '-';
    const digits = figure.endsWith('rank distance') ? 1 : 4;
    const [value, low, high] = [found.value, found.low, found.high].map((each) => decimal(each, digits));
    return `${value} [${low}, ${high}]${mark(against(figure)?.p_adjusted ?? 1)}`;
  };
  const rows = (mark: (p: number) => string) =>
    figures.map((system) => [system.label, ...names.map((figure) => cell(system, figure, mark))]);
  if (format === 'latex') {
    const count = comparisons.length === 1 ? '1 comparison' : `${comparisons.length} comparisons`;
    const tested = `; † differs from ${systems[0]?.label}, p < 0.05: paired ${test}, ${count}, correction: ${correction}`;
    const note = `In brackets ${share} bootstrap intervals${comparisons.length > 0 ? tested : ''}. Needs \\usepackage{booktabs}.`;
    return latexTable(
      ['', ...names],
      rows((p) => (p < 0.05 ? '†' : '')),
      note,
    );
  }
  const table = textTable(
    [`${share} interval`, ...names],
    rows(() => ''),
  );
  return comparisons.length === 0 ? table : `${table}\n\n${comparisonTable(comparisons, correction)}`;
}

const differenceColumns = ['baseline', 'difference', 'difference_low', 'difference_high', 'p', 'p_adjusted'];
const none = differenceColumns.map(() => null);

function differenceCells({ baseline, difference, low, high, p, p_adjusted: adjusted }: Comparison) {
  return [baseline, difference, low, high, p, adjusted];
}

function figuresOf({ samples }: System, options: IntervalOptions) {
  const { confidence = 0.95, seed = 0 } = options;
  return new Map(
    [...samples].map(([figure, sample]) => {
      const value = macroMean(sample);
      return [figure, { value, ...bootstrapInterval(sample, { confidence, seed }) }] as const;
    }),
  );
}
