/**
 * Reads pairs and triplets as sentence-transformers takes them: the *order* of the columns counts (anchor,
 * positive, negative_1 … negative_n), not their names. JSONL, TSV, CSV or Parquet.
 */
import { DataError } from '../errors.js';
import type { Pair } from '../rows.js';
import { optionalText, requiredText } from './json.js';
import { languagesOf, nameOf, type SingleLanguageOptions, textId } from './options.js';
import { readRecords, type TsvOptions } from './records.js';
import { marginsOf, type ScoredOptions, scoreFields } from './scores.js';
import { type Paths, readShards } from './shards.js';

/** Options of {@link readSentenceTransformers}. */
export interface SentenceTransformersOptions extends SingleLanguageOptions, TsvOptions, ScoredOptions {
  /** The columns to take, in the order anchor, positive, negatives; default those of the file in its order. */
  readonly columns?: readonly string[];
}

/** Columns that say something about a row and are no text of it. */
const about = ['id', 'lang', 'dataset', 'domain', 'parallel_id'];
/** Columns that sentence-transformers takes for a label. */
const labels = ['label', 'labels', 'score', 'scores'];

/**
 * Reads (anchor, positive, negative…) rows. Columns called `id`, `lang`, `dataset`, `domain` or
 * `parallel_id` are not texts; `parallel_id` joins translations, as in {@link readPairs}. With `scores` a column
 * called `label`, `labels`, `score` or `scores` holds a teacher's margins or scores, as MarginMSELoss takes them.
 *
 * @throws DataError with file and line; `INPUT_COLUMN` also for rows whose columns differ from the first
 *   row's, and for files with a label or score where `scores` does not ask for it
 */
export function readSentenceTransformers(
  paths: Paths,
  options: SentenceTransformersOptions = {},
): AsyncGenerator<Pair> {
  const layout: Layout = { columns: options.columns };
  return readShards(paths, options, (file, own) => pairsOf(file, own, layout));
}

/** The text columns, once they are known: the first row of all files tells them. */
interface Layout {
  columns: readonly string[] | undefined;
}

async function* pairsOf(
  file: string,
  options: SentenceTransformersOptions,
  layout: Layout,
): AsyncGenerator<Pair> {
  const name = nameOf(file);
  for await (const fields of readRecords(file, options)) {
    layout.columns ??= columnsOf(Object.keys(fields.values), fields.where, options.scores === true);
    const { columns } = layout;
    const [anchor, positive, ...negatives] = columns;
    if (anchor === undefined || positive === undefined) {
      throw new DataError(
        'INPUT_COLUMN',
        `${fields.where}: expected at least two text columns (anchor, positive) but received ${columns.length}`,
      );
    }
    const lang = languagesOf(options, { lang: optionalText(fields, 'lang') }, fields.where);
    const dataset = optionalText(fields, 'dataset') ?? options.dataset ?? name;
    const domain = optionalText(fields, 'domain') ?? options.domain ?? dataset;
    const id = optionalText(fields, 'id') ?? `${name}:${fields.number}`;
    const parallelId = optionalText(fields, 'parallel_id');
    const row = (column: string, rowLang: string, joined: string | undefined) => {
      const text = requiredText(fields, column);
      return { id, text, lang: rowLang, parallelId: joined ?? textId(text), dataset, domain };
    };
    yield {
      query: row(anchor, lang.query, parallelId),
      passage: row(positive, lang.passage, parallelId),
      negatives: negatives.map((column) => row(column, lang.passage, undefined)),
      ...(options.scores === true && negatives.length > 0
        ? { margins: marginsOf(fields, negatives.length) }
        : {}),
    };
  }
}

function columnsOf(names: readonly string[], where: string, scored: boolean): string[] {
  const known: readonly string[] = scoreFields;
  if (scored) return names.filter((name) => !about.includes(name) && !known.includes(name));
  const label = names.find((name) => labels.includes(name));
  if (label !== undefined) {
    throw new DataError(
      'INPUT_COLUMN',
      `${where}: column '${label}' makes this scored data, which a contrastive loss cannot use; keep the rows whose pairs match, without the column, or name the text columns in \`columns\`; a teacher's scores are read where \`scores\` is true`,
    );
  }
  return names.filter((name) => !about.includes(name));
}
