/**
 * The parts that most benchmarks are made of: judgments, topics and corpora, each in the two or three
 * spellings that publishers use. A benchmark's own file says which of them lie where.
 */
import type { CorpusDocument, Judgments } from '../../ad-hoc.js';
import { titledText } from '../../ad-hoc.js';
import type { CollectionQuery } from '../../collection.js';
import { DataError } from '../../errors.js';
import { asText, optionalText, readJsonLines, requiredValue } from '../json.js';
import { readLines } from '../lines.js';
import { readParquetRows } from '../records.js';
import { expandPaths, type Paths } from '../shards.js';

/** White space of C around a line. Any other, such as U+00A0, belongs to an id, as for trec_eval. */
const outerSpace = /^[ \t\v\f\r]+|[ \t\v\f\r]+$/g;

/**
 * Reads judgments: TREC's `query iteration document grade` between spaces or tabs, or BEIR's
 * `query-id document-id grade` with a header. A document that is named twice for a query is an error, as
 * for trec_eval.
 *
 * @throws DataError with file and line
 */
export async function readJudgments(file: string): Promise<Judgments> {
  const judgments = new Map<string, Map<string, number>>();
  for await (const { text, number, where } of readLines(file)) {
    const line = text.replace(outerSpace, '');
    if (line === '' || text.startsWith('#')) continue;
    const cells = line.split(line.includes('\t') ? /\t+/ : /[ \v\f\r]+/);
    if (number === 1 && /^(query[-_]?id|qid|query)$/i.test(cells[0]!)) continue;
    if (cells.length !== 3 && cells.length !== 4) {
      throw new DataError(
        'INPUT_COLUMN',
        `${where}: expected a query, an iteration, a document and a grade (TREC) or a query, a document and a grade (BEIR) but received ${cells.length} fields`,
      );
    }
    const [query, document, gradeText] = [cells[0]!, cells.at(-2)!, cells.at(-1)!];
    const grade = Number(gradeText);
    if (!Number.isInteger(grade)) {
      throw new DataError(
        'INPUT_COLUMN',
        `${where}: expected a whole number as grade but received '${gradeText}'`,
      );
    }
    const grades = judgments.get(query) ?? new Map<string, number>();
    judgments.set(query, grades);
    if (grades.has(document)) {
      throw new DataError(
        'INPUT_COLUMN',
        `${where}: document '${document}' is judged twice for query '${query}'; keep one line`,
      );
    }
    grades.set(document, grade);
  }
  if (judgments.size === 0) throw new DataError('INPUT_EMPTY', `${file}: there is no judgment in it`);
  return judgments;
}

/**
 * Reads queries: `.jsonl` with `_id` (or `id`, `query_id`, `qid`) and `text` (or `query`), lines of an id, a
 * tab and a text, or TREC topics in SGML (`<num>`, `<title>`). The file's name does not matter.
 *
 * @throws DataError with file and line
 */
export async function readQueries(file: string, lang: string): Promise<CollectionQuery[]> {
  const queries: CollectionQuery[] = [];
  if (/\.(jsonl|json|ndjson)(\.gz)?$/.test(file)) {
    for await (const fields of readJsonLines(file)) {
      const id = requiredValue(fields, '_id', 'id', 'query_id', 'qid');
      queries.push({ id, lang, text: requiredValue(fields, 'text', 'query'), where: fields.where });
    }
    return nonEmpty(queries, file);
  }
  let topics: SgmlTopics | undefined;
  const asked = (where: string) => (id: string, text: string) => queries.push({ id, lang, text, where });
  for await (const { text, where } of readLines(file)) {
    if (text.trim() === '') continue;
    if (/^\s*<(top|xml|\?xml|topics)\b/i.test(text)) topics ??= new SgmlTopics();
    if (topics) {
      topics.add(text, asked(where));
      continue;
    }
    const tab = text.indexOf('\t');
    if (tab < 1) throw new DataError('INPUT_COLUMN', `${where}: expected an id, a tab and a text`);
    queries.push({ id: text.slice(0, tab), lang, text: asText(text.slice(tab + 1), where, 'text'), where });
  }
  topics?.add('</top>', asked(file));
  return nonEmpty(queries, file);
}

/** Topics in SGML, line by line. A title ends at the next tag, so it may go on over several lines. */
class SgmlTopics {
  #id: string | undefined;
  #title: string | undefined;

  add(line: string, found: (id: string, title: string) => void): void {
    for (const part of line.split(/(?=<\/?[a-z][^<>]*>)/i)) {
      const [, tag, text = ''] = /^<(\/?[a-z][^<>\s]*)[^<>]*>(.*)/i.exec(part) ?? [];
      if (tag === undefined) {
        if (this.#title !== undefined) this.#title += ` ${part}`;
        continue;
      }
      const title = this.#title
        ?.replace(/^\s*Topic:/i, '')
        .replace(/\s+/g, ' ')
        .trim();
      this.#title = /^title$/i.test(tag) ? text : undefined;
      if (title && this.#id !== undefined) found(this.#id, title);
      if (/^(num|top)$/i.test(tag)) this.#id = /^\s*(?:Number:)?\s*(\S+)/i.exec(text)?.[1];
    }
  }
}

/**
 * Streams documents from `.jsonl` files with `_id` (or `docid`, `id`) and `text` (or `contents`) and an
 * optional `title`, from `.parquet` files with these columns, or from `.tsv` files with an id and a text.
 *
 * @throws DataError with file and line
 */
export async function* readCorpus(files: Paths): AsyncGenerator<CorpusDocument> {
  for (const file of await expandPaths(files)) {
    if (/\.tsv(\.gz)?$/i.test(file)) {
      for await (const { text, where } of readLines(file)) {
        if (text === '') continue;
        const tab = text.indexOf('\t');
        if (tab < 1) throw new DataError('INPUT_COLUMN', `${where}: expected an id, a tab and a text`);
        yield { id: text.slice(0, tab), text: text.slice(tab + 1), where };
      }
      continue;
    }
    const rows = /\.parquet$/i.test(file) ? readParquetRows(file) : readJsonLines(file);
    for await (const fields of rows) {
      const id = requiredValue(fields, '_id', 'docid', 'id');
      // A passage may be empty (BEIR has some): it is encoded as it stands, and ranks.
      const text = optionalText(fields, 'text') ?? optionalText(fields, 'contents') ?? '';
      yield { id, text: titledText(optionalText(fields, 'title'), text), where: fields.where };
    }
  }
}

function nonEmpty(queries: CollectionQuery[], file: string): CollectionQuery[] {
  if (queries.length === 0) throw new DataError('INPUT_EMPTY', `${file}: there is no query in it`);
  return queries;
}
