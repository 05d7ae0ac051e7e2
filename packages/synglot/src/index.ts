/** The umbrella library: every layer under one import, and the demo as a function. */
export * from '@synglot/data';
export * from '@synglot/data/files';
export * from '@synglot/eval';
export * from '@synglot/eval/files';
export * from '@synglot/gpu';
export * from '@synglot/gpu/node';
export * from '@synglot/kernels';
export * from '@synglot/models';
export * from '@synglot/nn';
// By name: two of its types share their names with types of eval's that describe other things.
export {
  type PrincipalPlane,
  principalPlane,
  ReportError,
  type ReportErrorCode,
  type ReportModel,
  type ReportOptions,
  readReport,
  reportHtml,
  writeReport,
} from '@synglot/report';
export * from '@synglot/train';
export * from './demo/demo.js';
export { mineForTraining } from './mining/mine-for-training.js';
export { type MineOptions, type MineResult, mineNegatives } from './mining/mine-negatives.js';
export { writeMined } from './mining/write-mined.js';
