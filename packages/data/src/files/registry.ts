/**
 * All readers of training pairs by the name that a configuration gives, and the call that opens one.
 */
import { existsSync } from 'node:fs';
import { DataError } from '../errors.js';
import { didYouMean } from '../nearest.js';
import type { Pair } from '../rows.js';
import { checkOptions } from './check-options.js';
import { readDebianFaq } from './debian-faq.js';
import { refusePacked } from './foreign-bytes.js';
import { readLibreofficeHelp } from './libreoffice-help.js';
import { readMonoQa } from './mono-qa.js';
import type { ReadOptions } from './options.js';
import { readFlagEmbedding, readTevatron } from './other-tools.js';
import { readPairs } from './pairs.js';
import { readParallelFaq } from './parallel-faq.js';
import { readRawText } from './raw-text.js';
import { readBeir, readMiracl } from './retrieval.js';
import { readSentenceTransformers } from './sentence-transformers.js';
import { isGlob, type Paths, refuseFolder, shownPaths } from './shards.js';
import { readSquad } from './squad.js';
import { readSquad2FiEn } from './squad2-fi-en.js';

/** Every reader by its format's name. */
export const readers = {
  'pairs-jsonl': readPairs,
  'pairs-tsv': readPairs,
  'pairs-csv': readPairs,
  parquet: readPairs,
  'sentence-transformers': readSentenceTransformers,
  'flag-embedding': readFlagEmbedding,
  tevatron: readTevatron,
  squad: readSquad,
  'debian-faq': readDebianFaq,
  'libreoffice-help': readLibreofficeHelp,
  'mono-qa': readMonoQa,
  'parallel-faq': readParallelFaq,
  'squad2-fi-en': readSquad2FiEn,
  miracl: readMiracl,
  beir: readBeir,
  'raw-text': readRawText,
} as const;

/** A format's name. */
export type TrainingFormat = keyof typeof readers;

/** The options that the reader of a format takes. */
export type OptionsOf<F extends TrainingFormat> = NonNullable<Parameters<(typeof readers)[F]>[1]>;

/** What a reader takes for a path: a file or folder, or files where it reads rows or lines. */
type PathOf<F extends TrainingFormat> = Parameters<(typeof readers)[F]>[0];

/** What to read: a format, a file or folder (or files: a list, or a glob), and the reader's own options. */
export type TrainingSource = {
  [F in TrainingFormat]: { readonly format: F; readonly path: PathOf<F> } & OptionsOf<F>;
}[TrainingFormat];

const common = { langs: true, limit: true, dataset: true, domain: true } as const;
const oneLanguage = { ...common, lang: true, queryLang: true, passageLang: true } as const;
const pairFile = { ...oneLanguage, header: true, columns: true, scores: true } as const;

/** Every option of every reader; the type makes a new option an error here until it is listed. */
const optionNames: { [F in TrainingFormat]: { [K in keyof Required<OptionsOf<F>>]: true } } = {
  'pairs-jsonl': pairFile,
  'pairs-tsv': pairFile,
  'pairs-csv': pairFile,
  parquet: pairFile,
  'sentence-transformers': pairFile,
  'flag-embedding': { ...oneLanguage, scores: true },
  tevatron: { ...oneLanguage, corpus: true },
  squad: { ...common, lang: true },
  'debian-faq': { ...common, keepUntranslated: true },
  'libreoffice-help': common,
  'mono-qa': { ...common, sets: true, splits: true },
  'parallel-faq': common,
  'squad2-fi-en': { ...common, questionsPerParagraph: true },
  miracl: { ...common, split: true },
  beir: { ...common, split: true, lang: true },
  'raw-text': { ...common, lang: true, task: true, keep: true, words: true, seed: true },
};

/** Formats whose source may be several files. */
const fromSeveralFiles: {
  [F in TrainingFormat as readonly string[] extends PathOf<F> ? F : never]: true;
} = {
  'pairs-jsonl': true,
  'pairs-tsv': true,
  'pairs-csv': true,
  parquet: true,
  'sentence-transformers': true,
  'flag-embedding': true,
  tevatron: true,
  'raw-text': true,
};

/** Whether the path of a format's source may be several files: a list, or a glob. */
export function readsSeveralFiles(format: TrainingFormat): boolean {
  return Object.hasOwn(fromSeveralFiles, format);
}

/** Names of the options that the reader of a format takes, beside `format` and `path`. */
export function readerOptions(format: TrainingFormat): string[] {
  return Object.keys(optionNames[format]);
}

/** File endings of the formats whose readers tell the kind of file by its name. */
const endings: Partial<Record<TrainingFormat, { readonly pattern: RegExp; readonly text: string }>> = {
  'pairs-jsonl': { pattern: /\.(jsonl|ndjson|json)(\.gz)?$/i, text: '.jsonl or .jsonl.gz' },
  'pairs-tsv': { pattern: /\.tsv(\.gz)?$/i, text: '.tsv or .tsv.gz' },
  'pairs-csv': { pattern: /\.csv(\.gz)?$/i, text: '.csv or .csv.gz' },
  parquet: { pattern: /\.parquet$/i, text: '.parquet' },
};

/**
 * Opens training data. Nothing is read before the first pair is asked for.
 *
 * @throws DataError `INPUT_FORMAT` for an unknown format, `INPUT_OPTION` for an option that it does not have, `INPUT_FILE`
 *   for a file name that does not end as its format's do, and for several paths if the format takes one; the readers'
 *   errors come with the pairs
 *
 * @example
 * const set = await TrainingSet.read(openTrainingData({ format: 'squad2-fi-en', path, limit: 1000 }));
 */
export function openTrainingData(source: TrainingSource): AsyncGenerator<Pair> {
  const { format, path: paths, ...options } = source;
  const path = shownPaths(paths);
  if (!Object.hasOwn(readers, format)) {
    const names = Object.keys(readers);
    throw new DataError(
      'INPUT_FORMAT',
      `${path}: unknown data format '${format}'${didYouMean(format, names)}; there are ${names.join(', ')}`,
    );
  }
  const known = readerOptions(format);
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new DataError(
      'INPUT_OPTION',
      `${path}: format '${format}' has no option \`${unknown}\`${didYouMean(unknown, known)}; it has ${known.join(', ')}`,
    );
  }
  checkOptions(format, path, options);
  checkPaths(format, paths);
  // The type of `source` has already tied the options to the format.
  const reader = readers[format] as (path: Paths, options: ReadOptions) => AsyncGenerator<Pair>;
  return reader(paths, options);
}

/** Refuses several files where a format reads one file or folder, and names that do not end as the format's do. */
function checkPaths(format: TrainingFormat, paths: Paths): void {
  const several = typeof paths !== 'string' || (isGlob(paths) && !existsSync(paths));
  if (several && !readsSeveralFiles(format)) {
    throw new DataError(
      'INPUT_FILE',
      `${shownPaths(paths)}: format '${format}' takes one path, no list or glob; make each a data source of its own`,
    );
  }
  const ending = endings[format];
  const path = [paths].flat().find((name) => ending?.pattern.test(name) === false);
  if (ending === undefined || path === undefined) return;
  refuseFolder(path);
  refusePacked(path);
  const other = Object.entries(endings).find(([, { pattern }]) => pattern.test(path))?.[0];
  const remedy = other === undefined ? '' : `; is it '${other}'?`;
  throw new DataError(
    'INPUT_FILE',
    `${path}: format '${format}' expects a name ending in ${ending.text}${remedy}`,
  );
}
