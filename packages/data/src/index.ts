/** Public entry of `@synglot/data`. Imports nothing of Node; file readers are in `@synglot/data/files`. */
export * from './ad-hoc.js';
export { type CodeSwitchingOptions, codeSwitching } from './code-switching/code-switcher.js';
export { type Lexicon, LexiconBuilder } from './code-switching/lexicon.js';
export * from './collate.js';
export * from './collection.js';
export * from './errors.js';
export * from './groups.js';
export * from './hash.js';
export * from './hold-out.js';
export * from './languages.js';
export { type MiningOptions, type ResolvedMining, resolveMining } from './mining/options.js';
export { type MiningPool, MiningPools, type MiningQuestion } from './mining/questions.js';
export * from './mining/select.js';
export * from './nearest.js';
export * from './permutation.js';
export * from './random.js';
export * from './rows.js';
export type {
  BatchMode,
  LanguageWeighting,
  ModeWeights,
  NamedWeights,
  SamplerOptions,
  Scheduled,
  SourceWeighting,
} from './sampling/options.js';
export { batchModes, resolveSampling } from './sampling/options.js';
export { type Batch, BatchSampler } from './sampling/sampler.js';
export type { SamplerState } from './sampling/state.js';
export * from './training-set.js';
