/**
 * Reads pairs in our own field names from JSONL, TSV, CSV and Parquet: one pair per row, with its languages,
 * parallel ids, data set and domain. For other tools' layouts see the files beside this one.
 */
import { DataError } from '../errors.js';
import type { Pair, Row } from '../rows.js';
import { asText, type Fields, missingField, optionalText, requiredText } from './json.js';
import { languagesOf, located, nameOf, type SingleLanguageOptions, textId } from './options.js';
import { isHeadless, readRecords, type TsvOptions } from './records.js';
import { marginsOf, type ScoredOptions } from './scores.js';
import { type Paths, readShards } from './shards.js';

/** The fields of a pair. `query` and `passage` must be there; see {@link readPairs}. */
export type PairField =
  | 'id'
  | 'query'
  | 'passage'
  | 'lang'
  | 'query_lang'
  | 'passage_lang'
  | 'parallel_id'
  | 'query_parallel_id'
  | 'passage_parallel_id'
  | 'dataset'
  | 'domain';

/** Options of {@link readPairs}. */
export interface PairOptions extends SingleLanguageOptions, TsvOptions, ScoredOptions {
  /**
   * Columns that have other names than the fields; a TSV or CSV file without a header has columns 0, 1, ….
   * `negatives` and `scores` may be several columns.
   */
  readonly columns?: Readonly<Partial<Record<PairField, string | number>>> & {
    readonly negatives?: string | number | readonly (string | number)[];
    readonly scores?: string | number | readonly (string | number)[];
  };
}

/**
 * Reads pairs from `.jsonl`, `.tsv`, `.csv` (each may end in `.gz`) or `.parquet` files.
 *
 * Fields: `query`, `passage`; and optional `negatives` or `negative` (texts, or objects with `text` and optional `id`,
 * `lang`, `parallel_id`, `dataset`), `lang` or `query_lang` and `passage_lang`, `parallel_id` or `query_parallel_id`
 * and `passage_parallel_id`, `id`, `dataset`, `domain`. A TSV or CSV file without a header has the query in its
 * first column and the passage in its second. With `scores` also a teacher's scores of the passages, as
 * {@link marginsOf} finds them.
 *
 * A question or passage without a parallel id gets one from its text: it is parallel to nothing, but a
 * question that stands on two rows is one question with two answers.
 *
 * @throws DataError with file and line (row, for Parquet) for what cannot be read
 */
export function readPairs(paths: Paths, options: PairOptions = {}): AsyncGenerator<Pair> {
  return readShards(paths, options, pairsOf);
}

async function* pairsOf(file: string, options: PairOptions): AsyncGenerator<Pair> {
  const columns: NonNullable<PairOptions['columns']> = {
    ...(isHeadless(file, options) ? { query: 0, passage: 1 } : {}),
    ...options.columns,
  };
  const column = (field: PairField) => String(columns[field] ?? field);
  const name = nameOf(file);
  const negativeColumns = [columns.negatives ?? ['negatives', 'negative']].flat().map(String);
  const scoreColumns = columns.scores === undefined ? undefined : [columns.scores].flat().map(String);
  for await (const fields of readRecords(file, options)) {
    const text = (field: PairField) => optionalText(fields, column(field));
    const query = pairText(fields, 'query', columns);
    const passage = pairText(fields, 'passage', columns);
    const langs = languagesOf(
      options,
      { lang: text('lang'), query: text('query_lang'), passage: text('passage_lang') },
      fields.where,
      languageColumn(fields),
    );
    const dataset = text('dataset') ?? options.dataset ?? name;
    const domain = text('domain') ?? options.domain ?? dataset;
    const id = text('id') ?? `${name}:${fields.number}`;
    const parallelId = text('parallel_id');
    const negatives = negativeColumns.flatMap((name) =>
      negativeRows(fields, name, { id, lang: langs.passage, dataset, domain }),
    );
    const scored = options.scores === true && negatives.length > 0;
    yield {
      query: {
        id,
        text: query,
        lang: langs.query,
        parallelId: text('query_parallel_id') ?? parallelId ?? textId(query),
        dataset,
        domain,
      },
      passage: {
        id,
        text: passage,
        lang: langs.passage,
        parallelId: text('passage_parallel_id') ?? parallelId ?? textId(passage),
        dataset,
        domain,
      },
      negatives,
      ...(scored ? { margins: marginsOf(fields, negatives.length, scoreColumns) } : {}),
    };
  }
}

/** Columns by which the rows of another format are known. */
const formatsByColumn = {
  anchor: 'sentence-transformers',
  pos: 'flag-embedding',
  positive_passages: 'tevatron',
};

/** The question or the passage of a row. @throws DataError `INPUT_COLUMN` with what its column may be called */
function pairText(
  fields: Fields,
  field: 'query' | 'passage',
  columns: NonNullable<PairOptions['columns']>,
): string {
  const column = String(columns[field] ?? field);
  if (columns[field] !== undefined || Object.hasOwn(fields.values, column))
    return requiredText(fields, column);
  const format = Object.entries(formatsByColumn).find(([name]) => Object.hasOwn(fields.values, name))?.[1];
  const other = format === undefined ? '' : `, or is the format '${format}'?`;
  throw new DataError(
    'INPUT_COLUMN',
    `${missingField(fields, column).message}; say which it is with \`columns\`: { ${field}: … }${other}`,
  );
}

/** What to do about a column of languages that is called something else. */
function languageColumn({ values }: Fields): string {
  const name = Object.keys(values).find((key) => /^(language|lang_?code|language_?code|locale)$/i.test(key));
  return name === undefined ? '' : `; or is it in '${name}'? say so with \`columns\`: { lang: ${name} }`;
}

/** Negatives in one column: nothing, a text, an object with `text`, or a list of either. */
function negativeRows(
  fields: Fields,
  column: string,
  common: { id: string; lang: string; dataset: string; domain: string },
): Row[] {
  const value = fields.values[column];
  if (value === undefined || value === null || value === '') return [];
  return (Array.isArray(value) ? value : [value]).map((entry: unknown, i) => {
    const field = `${column}[${i}]`;
    const id = `${common.id}/negative${i}`;
    if (typeof entry !== 'object' || entry === null) {
      const text = asText(entry, fields.where, field);
      return { ...common, id, text, parallelId: textId(text) };
    }
    const own: Fields = { ...fields, values: entry as Record<string, unknown> };
    if (!('text' in entry)) {
      throw new DataError('INPUT_COLUMN', `${fields.where}: '${field}' has no 'text'`);
    }
    const text = asText(entry.text, fields.where, `${field}.text`);
    const lang = optionalText(own, 'lang');
    return {
      ...common,
      id: optionalText(own, 'id') ?? id,
      text,
      lang: lang === undefined ? common.lang : located(lang, fields.where),
      parallelId: optionalText(own, 'parallel_id') ?? textId(text),
      dataset: optionalText(own, 'dataset') ?? common.dataset,
    };
  });
}
