/** Tables of suites: one line per collection or benchmark, and means. Plain text. */
import type { RetrievalReport } from '../report.js';
import { decimal } from '../tables/decimal.js';
import { textTable } from '../tables/text-table.js';
import { type AdHocReport, meansOf } from './ad-hoc.js';
import type { BitextReport } from './bitext.js';

/** Collections by line, measures by column; with several of them a last line for their mean. */
export function adHocTable(reports: readonly AdHocReport[]): string {
  const names = reports[0]?.measures ?? [];
  const rows = reports.map((report) => [
    report.collection,
    String(report.queries),
    String(report.documents),
    ...names.map((name) => decimal(report.means[name], 4)),
  ]);
  const [only] = reports;
  if (reports.length === 1 && only && Object.keys(only.by_query_lang).length > 1) {
    for (const [lang, means] of Object.entries(only.by_query_lang)) {
      rows.push([`  ${lang}`, '', '', ...names.map((name) => decimal(means[name], 4))]);
    }
  }
  if (reports.length > 1) {
    const means = meansOf(reports.map((report) => report.means));
    rows.push(['mean', '', '', ...names.map((name) => decimal(means[name], 4))]);
  }
  return textTable(['collection', 'queries', 'documents', ...names], rows);
}

/** Pairs of languages by line, accuracy of both directions by column, their mean last. */
export function bitextTable(reports: readonly BitextReport[]): string {
  const line = (name: string, sentences: string, forward: number, backward: number) => [
    name,
    sentences,
    decimal(forward, 4),
    decimal(backward, 4),
    decimal((forward + backward) / 2, 4),
  ];
  const rows = reports.map((report) =>
    line(report.collection, String(report.sentences), report.accuracy_forward, report.accuracy_backward),
  );
  if (reports.length > 1) {
    const mean = (of: (report: BitextReport) => number) =>
      reports.reduce((sum, report) => sum + of(report), 0) / reports.length;
    rows.push(
      line(
        'mean',
        '',
        mean((r) => r.accuracy_forward),
        mean((r) => r.accuracy_backward),
      ),
    );
  }
  return textTable(['bitext', 'sentences', 'to English', 'from English', 'mean'], rows);
}

/**
 * The suite `mmm`: one model over the parallel benchmarks, in one table: monolingual, cross-lingual and
 * multilingual, and rank distance.
 */
export function mmmTable(reports: readonly RetrievalReport[]): string {
  const rows = reports.map(({ collection, langs, map_measure, summary, counts }) => {
    const total = (of: Record<string, number>) => Object.values(of).reduce((sum, count) => sum + count, 0);
    return [
      collection,
      String(langs.length),
      String(total(counts.queries)),
      String(total(counts.candidates)),
      map_measure,
      decimal(summary.map.monolingual, 4),
      decimal(summary.map.cross_lingual, 4),
      decimal(summary.map.multilingual, 4),
      decimal(summary.rank_distance, 1),
    ];
  });
  return textTable(
    [
      'benchmark',
      'languages',
      'questions',
      'candidates',
      'measure',
      'mono',
      'cross',
      'multi',
      'rank distance',
    ],
    rows,
  );
}
