/**
 * Rows of a table, whatever file they lie in: JSONL objects, TSV lines and Parquet rows as named fields in
 * the file's column order. Knows nothing of what the columns mean.
 */
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { DataError } from '../errors.js';
import { type Fields, readJsonLines } from './json.js';
import { fileError, readLines } from './lines.js';

/** How a TSV file is laid out. */
export interface TsvOptions {
  /** Whether the first line names the columns. Default false: they are called `0`, `1`, … */
  readonly header?: boolean;
}

/** Rows of a `.jsonl`, `.tsv` (each may end in `.gz`) or `.parquet` file. @throws DataError `INPUT_FILE` for another ending */
export function readRecords(file: string, options: TsvOptions = {}): AsyncGenerator<Fields> {
  const ending = /\.(jsonl|json|ndjson|tsv|parquet)(\.gz)?$/.exec(file)?.[1];
  if (ending === 'parquet') return readParquetRows(file);
  if (ending === 'tsv') return readTsv(file, options);
  if (ending !== undefined) return readJsonLines(file);
  throw new DataError(
    'INPUT_FILE',
    `${file}: expected a name ending in .jsonl, .tsv (with or without .gz) or .parquet`,
  );
}

/**
 * Lines of a TSV file: fields separated by tabs, no quoting, no escapes; blank lines are skipped.
 *
 * @throws DataError `INPUT_COLUMN` for a line with another number of fields than the first, or a header
 *   that names a column twice
 */
export async function* readTsv(file: string, options: TsvOptions = {}): AsyncGenerator<Fields> {
  let names: readonly string[] | undefined;
  for await (const { text, number, where } of readLines(file)) {
    if (text.trim() === '') continue;
    const values = text.split('\t');
    if (names === undefined) {
      names = options.header === true ? values.map((name) => name.trim()) : values.map((_, i) => String(i));
      const twice = names.find((name, i) => names!.indexOf(name) !== i);
      if (twice !== undefined) {
        throw new DataError('INPUT_COLUMN', `${where}: the header names '${twice}' twice`);
      }
      if (options.header === true) continue;
    }
    if (values.length !== names.length) {
      throw new DataError(
        'INPUT_COLUMN',
        `${where}: expected ${names.length} fields separated by tabs, as in the first line, but received ${values.length}`,
      );
    }
    yield { values: Object.fromEntries(names.map((name, i) => [name, values[i]])), where, number };
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
    const ours = error instanceof DataError || (error as NodeJS.ErrnoException).code !== undefined;
    if (ours) throw fileError(file, error);
    const message = (error as Error).message;
    throw new DataError('INPUT_FILE', `${file}: not a sound Parquet file (${message})`, { cause: error });
  }
}
