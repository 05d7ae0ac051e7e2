/** One measure for every pair of languages: rows are query languages, columns languages of the pool. */
import type { RetrievalReport } from '../report.js';
import { decimal } from './decimal.js';
import { textTable } from './text-table.js';

/**
 * Text of the matrix of `measure` (the report's mAP by default). The diagonal is the monolingual setting;
 * the last column, `all`, the multilingual pool.
 */
export function pairMatrix(report: RetrievalReport, measure: string = report.map_measure): string {
  const { langs } = report;
  const rows = langs.map((queryLang) => [
    queryLang,
    ...langs.map((poolLang) => {
      const means =
        poolLang === queryLang ? report.monolingual[queryLang] : report.cross_lingual[queryLang]?.[poolLang];
      return decimal(means?.[measure], 4);
    }),
    decimal(report.multilingual[queryLang]?.[measure], 4),
  ]);
  return textTable([`${measure}: query\\pool`, ...langs, 'all'], rows);
}
