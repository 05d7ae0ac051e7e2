/** The macro figures of a retrieval report with their intervals. Plain text. */
import type { RetrievalReport } from '../report.js';
import { settings } from '../significance/report-samples.js';
import { decimal } from './decimal.js';
import { textTable } from './text-table.js';

/** Measures in rows, settings in columns, each as `value (low to high)`; rank distance below its setting. */
export function intervalsTable({ summary, intervals, measures }: RetrievalReport): string {
  const cell = (
    value: number | null | undefined,
    range: [number, number] | null | undefined,
    digits: number,
  ) =>
    range
      ? `${decimal(value, digits)} (${decimal(range[0], digits)} to ${decimal(range[1], digits)})`
      : decimal(value, digits);
  const rows = measures.map((measure) => [
    measure,
    ...settings.map((setting) =>
      cell(summary.measures[measure]?.[setting], intervals?.measures[measure]?.[setting], 4),
    ),
  ]);
  rows.push(['rank distance', '', '', cell(summary.rank_distance, intervals?.rank_distance, 1)]);
  const share = Math.round((intervals?.confidence ?? 0.95) * 100);
  return textTable([`figure (${share}% interval)`, 'monolingual', 'cross-lingual', 'multilingual'], rows);
}
