/** Benchmarks in their publishers' layouts, by name, in the three shapes that an evaluation takes. */

import type { AdHocCollection, Bitext } from '../../ad-hoc.js';
import type { ParallelCollection } from '../../collection.js';
import { DataError } from '../../errors.js';
import { didYouMean } from '../../nearest.js';
import { readXquadR } from '../xquad-r.js';
import { readBeirCollection, readTrecCollection } from './beir.js';
import { readMewsliX } from './mewsli-x.js';
import { readMiraclCollections, readMrTydiCollections } from './miracl.js';
import { readMmarcoCollections } from './mmarco.js';
import { readLareqa, readMlqa, readMlqaR } from './parallel.js';
import { readTatoeba } from './tatoeba.js';

export { type BeirCollectionOptions, readBeirCollection, readTrecCollection } from './beir.js';
export { type MewsliXOptions, readMewsliX, readMewsliXPredictions } from './mewsli-x.js';
export { type PerLanguageOptions, readMiraclCollections, readMrTydiCollections } from './miracl.js';
export { type MmarcoOptions, readMmarcoCollections } from './mmarco.js';
export { lareqaCounts, type ParallelOptions, readLareqa, readMlqa, readMlqaR } from './parallel.js';
export { readCorpus, readJudgments, readQueries } from './parts.js';
export { readTatoeba, xtremeTatoebaLanguages } from './tatoeba.js';

/** A benchmark's data. */
export type Benchmark =
  | { readonly kind: 'parallel'; readonly collection: ParallelCollection }
  | { readonly kind: 'ad-hoc'; readonly collections: readonly AdHocCollection[] }
  | { readonly kind: 'bitext'; readonly bitexts: readonly Bitext[] };

/** What a benchmark may be asked for; each takes those that mean something to it. */
export interface BenchmarkOptions {
  readonly langs?: readonly string[];
  readonly split?: string;
  /** mMARCO: the language of the passages, where it is not the questions'. */
  readonly corpusLang?: string;
}

type Reader = (folder: string, options: BenchmarkOptions) => Promise<Benchmark>;

const parallel =
  (read: (folder: string, options: BenchmarkOptions) => Promise<ParallelCollection>): Reader =>
  async (folder, options) => ({ kind: 'parallel', collection: await read(folder, options) });

const adHoc =
  (
    read: (folder: string, options: BenchmarkOptions) => Promise<AdHocCollection | AdHocCollection[]>,
  ): Reader =>
  async (folder, options) => ({ kind: 'ad-hoc', collections: [await read(folder, options)].flat() });

/** A collection of one language, which `langs` names. */
const single = ({ langs, split }: BenchmarkOptions) => ({
  ...(langs ? { lang: langs[0]! } : {}),
  ...(split ? { split } : {}),
});

/** The readers by the benchmark's name. */
export const benchmarks = {
  'xquad-r': parallel((folder, { langs }) => readXquadR(folder, langs ? { langs } : {})),
  lareqa: parallel((folder) => readLareqa(folder)),
  'mlqa-r': parallel(readMlqaR),
  mlqa: parallel(readMlqa),
  miracl: adHoc(readMiraclCollections),
  'mr-tydi': adHoc(readMrTydiCollections),
  mmarco: adHoc(readMmarcoCollections),
  beir: adHoc((folder, options) => readBeirCollection(folder, single(options))),
  trec: adHoc((folder, options) => readTrecCollection(folder, single(options))),
  'mewsli-x': adHoc(readMewsliX),
  tatoeba: async (folder, { langs }) => ({
    kind: 'bitext',
    bitexts: await readTatoeba(folder, langs ? { langs } : {}),
  }),
} as const satisfies Record<string, Reader>;

/** A benchmark's name. */
export type BenchmarkName = keyof typeof benchmarks;

/** What means nothing to a benchmark: it would have no effect. */
const idle: Readonly<Record<BenchmarkName, readonly (keyof BenchmarkOptions)[]>> = {
  'xquad-r': ['split', 'corpusLang'],
  lareqa: ['langs', 'split', 'corpusLang'],
  'mlqa-r': ['corpusLang'],
  mlqa: ['corpusLang'],
  miracl: ['corpusLang'],
  'mr-tydi': ['corpusLang'],
  mmarco: [],
  beir: ['corpusLang'],
  trec: ['corpusLang'],
  'mewsli-x': ['corpusLang'],
  tatoeba: ['split', 'corpusLang'],
};

/**
 * Reads a benchmark.
 *
 * @throws DataError `INPUT_FORMAT` for an unknown name, `INPUT_OPTION` for an option that means nothing to it, and what
 *   its reader throws
 * @example
 * const miracl = await readBenchmark('miracl', 'data/miracl', { langs: ['sw'] });
 */
export function readBenchmark(
  name: string,
  folder: string,
  options: BenchmarkOptions = {},
): Promise<Benchmark> {
  if (!Object.hasOwn(benchmarks, name)) {
    const names = Object.keys(benchmarks);
    throw new DataError(
      'INPUT_FORMAT',
      `unknown benchmark '${name}'${didYouMean(name, names)}; there are ${names.join(', ')}`,
    );
  }
  const given = idle[name as BenchmarkName].find((option) => options[option] !== undefined);
  if (given !== undefined) {
    throw new DataError('INPUT_OPTION', `${name}: \`${given}\` means nothing to it; leave it out`);
  }
  return benchmarks[name as BenchmarkName](folder, options);
}
