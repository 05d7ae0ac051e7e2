/** The one table for several runs: mAP in the three settings beside language bias. */
import type { RetrievalSummary } from '../report.js';
import { decimal } from './decimal.js';
import { textTable } from './text-table.js';

/** A named row of a {@link settingsTable}; published rows have this shape too, without measures. */
export interface SettingsRow {
  readonly label: string;
  readonly summary: Pick<RetrievalSummary, 'map' | 'rank_distance'> &
    Partial<Pick<RetrievalSummary, 'measures'>>;
}

/**
 * Text of a table with one row per run: mAP and, where given, further `measures` in the monolingual,
 * cross-lingual and multilingual setting, and rank distance. A value that does not exist is a dash.
 */
export function settingsTable(rows: readonly SettingsRow[], measures: readonly string[] = []): string {
  const settings = [
    ['mono', 'monolingual'],
    ['cross', 'cross_lingual'],
    ['multi', 'multilingual'],
  ] as const;
  const header = ['run'];
  for (const name of ['mAP', ...measures]) for (const [short] of settings) header.push(`${name} ${short}`);
  header.push('rank distance');
  const body = rows.map(({ label, summary }) => {
    const cells = [label];
    for (const means of [summary.map, ...measures.map((name) => summary.measures?.[name])]) {
      for (const [, setting] of settings) cells.push(decimal(means?.[setting], 4));
    }
    cells.push(decimal(summary.rank_distance, 1));
    return cells;
  });
  return textTable(header, body);
}
