/**
 * The types of a reader's options, which a configuration gives unchecked: a list where a text belongs must be a
 * line that says so, not an option that is passed over. Ranges of numbers are the readers' own matter.
 */
import { DataError } from '../errors.js';
import { didYouMean } from '../nearest.js';
import { kindOf } from './json.js';
import type { PairOptions } from './pairs.js';

type Check = { readonly expected: string; readonly fits: (value: unknown) => boolean };

const isText = (value: unknown) => typeof value === 'string';
const isColumn = (value: unknown) => isText(value) || typeof value === 'number';
const isList = (of: (value: unknown) => boolean) => (value: unknown) =>
  Array.isArray(value) && value.length > 0 && value.every(of);
const text: Check = { expected: 'a text', fits: isText };
const texts: Check = { expected: 'a list of texts', fits: isList(isText) };
const paths: Check = {
  expected: 'a path or a list of paths',
  fits: (value) => isText(value) || isList(isText)(value),
};
const flag: Check = { expected: 'true or false', fits: (value) => typeof value === 'boolean' };
const number: Check = { expected: 'a number', fits: (value) => typeof value === 'number' };

/** What every option takes, but for `columns`. */
const checks: Readonly<Record<string, Check>> = {
  dataset: text,
  domain: text,
  lang: text,
  queryLang: text,
  passageLang: text,
  split: text,
  corpus: paths,
  task: text,
  langs: texts,
  sets: texts,
  splits: texts,
  header: flag,
  scores: flag,
  keepUntranslated: flag,
  limit: number,
  questionsPerParagraph: number,
  keep: number,
  words: number,
  seed: number,
};

/** Fields that `columns` of a file of pairs may name; the type makes a new field an error here until it is listed. */
const columns: { readonly [Field in keyof Required<NonNullable<PairOptions['columns']>>]: true } = {
  id: true,
  query: true,
  passage: true,
  lang: true,
  query_lang: true,
  passage_lang: true,
  parallel_id: true,
  query_parallel_id: true,
  passage_parallel_id: true,
  dataset: true,
  domain: true,
  negatives: true,
  scores: true,
};
const pairFields = Object.keys(columns);

/**
 * @param options of the reader, all of which it has
 * @throws DataError `INPUT_OPTION` for a value of another type
 */
export function checkOptions(format: string, path: string, options: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    if (name === 'columns') {
      checkColumns(format, path, value);
      continue;
    }
    const check = checks[name];
    if (check === undefined || check.fits(value)) continue;
    throw new DataError(
      'INPUT_OPTION',
      `${path}: \`${name}\`: expected ${check.expected} but received ${kindOf(value)}`,
    );
  }
}

function checkColumns(format: string, path: string, value: unknown): void {
  const where = `${path}: \`columns\``;
  if (format === 'sentence-transformers') {
    if (isList(isColumn)(value)) return;
    throw new DataError(
      'INPUT_OPTION',
      `${where}: expected a list of names, [anchor, positive, negative], but received ${kindOf(value)}`,
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new DataError(
      'INPUT_OPTION',
      `${where}: expected a column for each field, { query: question, passage: answer }, but received ${kindOf(value)}`,
    );
  }
  for (const [field, column] of Object.entries(value)) {
    if (!pairFields.includes(field)) {
      throw new DataError(
        'INPUT_OPTION',
        `${where}: unknown field '${field}'${didYouMean(field, pairFields)}; there are ${pairFields.join(', ')}`,
      );
    }
    const several = field === 'negatives' || field === 'scores';
    if (isColumn(column) || (several && isList(isColumn)(column))) continue;
    throw new DataError(
      'INPUT_OPTION',
      `${where}: '${field}': expected the name or number of a column but received ${kindOf(column)}`,
    );
  }
}
