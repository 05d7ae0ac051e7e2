/**
 * Rows of a table, whatever file they are in: JSONL objects, TSV and CSV rows and Parquet rows as named fields
 * in the file's column order. Knows nothing of what the columns mean.
 */
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { DataError } from '../errors.js';
import { refusePacked } from './foreign-bytes.js';
import { type Fields, missingField, optionalText, readJsonLines } from './json.js';
import { fileError, readLines } from './lines.js';

/** How a TSV or CSV file is laid out. */
export interface TsvOptions {
  /** Whether the first line names the columns, which else are called `0`, `1`, …. Default: TSV false, CSV true. */
  readonly header?: boolean;
}

/** Whether the columns of a file have no names but numbers. */
export function isHeadless(file: string, { header }: TsvOptions): boolean {
  return (
    (/\.tsv(\.gz)?$/i.test(file) && header !== true) || (/\.csv(\.gz)?$/i.test(file) && header === false)
  );
}

const recordEnding = /\.(jsonl|json|ndjson|tsv|csv|parquet)(\.gz)?$/i;

/** Whether a file's name says that it has rows with columns, and not lines of text. */
export function isRecordFile(file: string): boolean {
  return recordEnding.test(file);
}

/**
 * The texts of one column, one per row; what is empty or null is an empty text.
 *
 * @param column its name; a TSV file may be counted too, `0`, `1`, …, and then has no header
 * @throws DataError `INPUT_COLUMN` with file and line for a row that has no such column, or no text in it
 */
export async function* readColumn(file: string, column: string): AsyncGenerator<string> {
  const counted = /^\d+$/.test(column);
  for await (const fields of readRecords(file, counted ? {} : { header: true })) {
    if (!Object.hasOwn(fields.values, column)) throw missingField(fields, column);
    yield optionalText(fields, column) ?? '';
  }
}

/** Rows of a `.jsonl`, `.tsv`, `.csv` (each may end in `.gz`) or `.parquet` file. @throws DataError `INPUT_FILE` for another ending */
export function readRecords(file: string, options: TsvOptions = {}): AsyncGenerator<Fields> {
  const ending = recordEnding.exec(file)?.[1]?.toLowerCase();
  if (ending === 'parquet') return readParquetRows(file);
  if (ending === 'tsv') return readTsv(file, options);
  if (ending === 'csv') return readCsv(file, options);
  if (ending !== undefined) return readJsonLines(file);
  refusePacked(file);
  throw new DataError(
    'INPUT_FILE',
    `${file}: expected a name ending in .jsonl, .tsv, .csv (with or without .gz) or .parquet`,
  );
}

/**
 * Lines of a TSV file: fields separated by tabs, no quoting, no escapes; blank lines are skipped.
 *
 * @throws DataError `INPUT_COLUMN` for a line with another number of fields than the first, a header that names a
 *   column twice, or a first line that looks like a header where nothing is said of one
 */
export async function* readTsv(file: string, options: TsvOptions = {}): AsyncGenerator<Fields> {
  const table = new Table(
    options.header ?? false,
    'tabs',
    '; quotes mean nothing in TSV, so write tabs and line ends of texts as spaces',
  );
  for await (const { text, number, where } of readLines(file)) {
    if (text.trim() === '') continue;
    const values = text.split('\t');
    if (options.header === undefined && number === 1) refuseHeader(values, where);
    const fields = table.row(values, number, where);
    if (fields !== undefined) yield fields;
  }
}

/** Names of columns that no text is likely to be; a first line with two of them is a header. */
const headerNames = [
  'query',
  'passage',
  'anchor',
  'positive',
  'negative',
  'lang',
  'query_lang',
  'parallel_id',
];

function refuseHeader(values: readonly string[], where: string): void {
  const names = values.map((value) => value.trim());
  if (names.filter((name) => headerNames.includes(name)).length < 2) return;
  throw new DataError(
    'INPUT_COLUMN',
    `${where}: the first line looks like names of columns (${names.join(', ')}); set \`header\` to true for the file, or to false if it is a row`,
  );
}

/**
 * Rows of a CSV file (RFC 4180): fields separated by commas, quoted with `"` where they hold commas, quotes
 * (doubled) or line ends; blank lines between rows are skipped. The place of a row is its first line.
 *
 * @throws DataError `INPUT_COLUMN` as {@link readTsv}, and for a quote that is not closed or text after it
 */
async function* readCsv(file: string, options: TsvOptions = {}): AsyncGenerator<Fields> {
  const table = new Table(
    options.header ?? true,
    'commas',
    '; put a text with commas or line ends in quotes',
  );
  let open: { parts: string[]; number: number; where: string } | undefined;
  for await (const { text, number, where } of readLines(file)) {
    if (open === undefined && text.trim() === '') continue;
    const row: { parts: string[]; number: number; where: string } = open ?? { parts: [], number, where };
    row.parts.push(text);
    // A field continues while its quotes are unpaired; a doubled quote within it is a pair.
    const paired = text.split('"').length % 2 === 1;
    open = paired === (open === undefined) ? undefined : row;
    if (open !== undefined) continue;
    const values = splitCsv(row.parts.join('\n'), row.where);
    if (row.number === 1) refuseOtherSeparators(values, row.where);
    const fields = table.row(values, row.number, row.where);
    if (fields !== undefined) yield fields;
  }
  if (open === undefined) return;
  throw new DataError(
    'INPUT_COLUMN',
    `${open.where}: a quote is opened here and closed nowhere; double it where it belongs to the text`,
  );
}

/** Where a comma is the decimal sign, spreadsheets write semicolons into a .csv. */
function refuseOtherSeparators(values: readonly string[], where: string): void {
  const found = values.length === 1 ? /[;\t]/.exec(values[0]!)?.[0] : undefined;
  if (found === undefined) return;
  const name = found === ';' ? 'semicolons' : 'tabs';
  throw new DataError(
    'INPUT_COLUMN',
    `${where}: the first line has no comma but ${name}; separate the fields with commas, or with tabs in a .tsv`,
  );
}

function splitCsv(text: string, where: string): string[] {
  const values: string[] = [];
  let at = 0;
  while (true) {
    if (text[at] !== '"') {
      const comma = text.indexOf(',', at);
      const value = text.slice(at, comma === -1 ? undefined : comma);
      values.push(value);
      if (comma === -1) return values;
      at = comma + 1;
      continue;
    }
    let value = '';
    let end = text.indexOf('"', at + 1);
    while (text[end + 1] === '"') {
      value += text.slice(at + 1, end + 1);
      at = end + 1;
      end = text.indexOf('"', at + 1);
    }
    values.push(value + text.slice(at + 1, end));
    if (end === text.length - 1) return values;
    if (text[end + 1] !== ',') {
      throw new DataError(
        'INPUT_COLUMN',
        `${where}: expected a comma after the closing quote of field ${values.length} but received ${JSON.stringify(text.slice(end + 1, end + 11))}; double quotes that belong to the text`,
      );
    }
    at = end + 2;
  }
}

/** Gives the values of rows their columns' names. */
class Table {
  #names: readonly string[] | undefined;

  constructor(
    readonly header: boolean,
    readonly separators: string,
    readonly remedy: string,
  ) {}

  /** A row's fields; undefined for the header. */
  row(values: readonly string[], number: number, where: string): Fields | undefined {
    if (this.#names === undefined) {
      const names = this.header ? values.map((name) => name.trim()) : values.map((_, i) => String(i));
      const twice = names.find((name, i) => names.indexOf(name) !== i);
      if (twice !== undefined) {
        throw new DataError('INPUT_COLUMN', `${where}: the header names '${twice}' twice`);
      }
      this.#names = names;
      if (this.header) return undefined;
    }
    if (values.length !== this.#names.length) {
      throw new DataError(
        'INPUT_COLUMN',
        `${where}: expected ${this.#names.length} fields separated by ${this.separators}, as in the first line, but received ${values.length}${this.remedy}`,
      );
    }
    return { values: Object.fromEntries(this.#names.map((name, i) => [name, values[i]])), where, number };
  }
}

/**
 * Rows of a Parquet file, one row group in memory at a time.
 *
 * @throws DataError `INPUT_FILE` where it is none or is damaged
 */
export async function* readParquetRows(file: string): AsyncGenerator<Fields> {
  try {
    const buffer = await asyncBufferFromFile(file);
    const metadata = await parquetMetadataAsync(buffer);
    let rowStart = 0;
    for (const group of metadata.row_groups) {
      const rowEnd = rowStart + Number(group.num_rows);
      const rows = await parquetReadObjects({ file: buffer, metadata, compressors, rowStart, rowEnd });
      for (const [i, values] of rows.entries()) {
        const number = rowStart + i + 1;
        yield { values, where: `${file}, row ${number}`, number };
      }
      rowStart = rowEnd;
    }
  } catch (error) {
    // The code of a system error is a string; a decompressor's is a number.
    const { code } = error as { code?: unknown };
    if (error instanceof DataError || typeof code === 'string') throw fileError(file, error);
    const message = (error as Error).message;
    throw new DataError('INPUT_FILE', `${file}: not a sound Parquet file (${message}); fetch it again`, {
      cause: error,
    });
  }
}
