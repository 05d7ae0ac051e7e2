/** @synglot/report: one HTML page about runs. Needs Node; the page itself is in `page/`. */
export { ReportError, type ReportErrorCode } from './errors.js';
export { reportHtml } from './html.js';
export type * from './model.js';
export { type PrincipalPlane, principalPlane } from './pca.js';
export { type ReportOptions, readReport, writeReport } from './write-report.js';
