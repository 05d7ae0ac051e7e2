/**
 * Reads retrieval collections as training pairs: queries, judgments and a corpus in the layout of BEIR, or
 * of MIRACL with one folder per language. Judged relevant: a positive; judged not relevant: a hard negative.
 *
 * Not for evaluation, which needs the whole corpus: here only judged passages are kept.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../errors.js';
import { normaliseLanguage, selectLanguages } from '../languages.js';
import type { Pair, Row } from '../rows.js';
import { documentText, type Fields, readJsonLines, requiredText, requiredValue } from './json.js';
import { fileError, listFolder, readLines } from './lines.js';
import { type ReadOptions, select, take } from './options.js';
import { readTsv } from './records.js';

/** Options of {@link readMiracl} and {@link readBeir}. */
export interface RetrievalOptions extends ReadOptions {
  /** Which judgments to read. Default `train`. */
  readonly split?: string;
}

/** Options of {@link readBeir}. */
export interface BeirOptions extends RetrievalOptions {
  /** Language of the whole collection. Default `en`. */
  readonly lang?: string;
}

/**
 * Reads a folder with one folder per language, each with `corpus.jsonl.gz` (`_id`, `title`, `text`),
 * `queries.{split}.tsv` (id, text; no header) and `qrels.{split}.tsv` (BEIR's, with header). Languages
 * without this split are skipped, unless asked for.
 *
 * @throws DataError with file and line
 */
export async function* readMiracl(folder: string, options: RetrievalOptions = {}): AsyncGenerator<Pair> {
  const split = options.split ?? 'train';
  const folders: { lang: string; path: string }[] = [];
  for (const name of await listFolder(folder)) {
    if (!/^[a-z]{2,3}([-_][a-zA-Z]+)?$/.test(name)) continue;
    const path = join(folder, name);
    if (await exists(join(path, `qrels.${split}.tsv`))) folders.push({ lang: normaliseLanguage(name), path });
  }
  const known = folders.map((entry) => entry.lang);
  if (known.length === 0) {
    throw new DataError(
      'INPUT_FILE',
      `${folder}: no folder of a language with a qrels.${split}.tsv in it; check \`split\``,
    );
  }
  const wanted = selectLanguages(options.langs, known, `${folder} (split '${split}')`);
  const dataset = options.dataset ?? 'miracl';
  const pairs = async function* () {
    for (const { lang, path } of folders) {
      if (!wanted.includes(lang)) continue;
      const judged = judgedPairs(
        {
          corpus: await firstOf(path, ['corpus.jsonl.gz', 'corpus.jsonl']),
          qrels: join(path, `qrels.${split}.tsv`),
          queries: topicTexts(await firstOf(path, [`queries.${split}.tsv`, `queries.${split}.tsv.gz`])),
        },
        { lang, dataset, domain: options.domain ?? dataset },
      );
      yield* take(judged, options.limit);
    }
  };
  yield* select(pairs(), options, folder, known);
}

/**
 * Reads a BEIR folder: `corpus.jsonl`, `queries.jsonl` (or `queries.{split}.jsonl`; each may end in `.gz`)
 * and `qrels/{split}.tsv`, with a header.
 *
 * @throws DataError with file and line
 */
export async function* readBeir(folder: string, options: BeirOptions = {}): AsyncGenerator<Pair> {
  const split = options.split ?? 'train';
  const lang = normaliseLanguage(options.lang ?? 'en');
  const dataset =
    options.dataset ??
    folder
      .replace(/[/\\]+$/, '')
      .split(/[/\\]/)
      .at(-1)!;
  const queries = await firstOf(folder, [
    `queries.${split}.jsonl.gz`,
    `queries.${split}.jsonl`,
    'queries.jsonl.gz',
    'queries.jsonl',
  ]);
  const files = {
    corpus: await firstOf(folder, ['corpus.jsonl.gz', 'corpus.jsonl']),
    qrels: await firstOf(folder, [`qrels/${split}.tsv`, `qrels/${split}.tsv.gz`]),
    queries: recordTexts(queries),
  };
  const pairs = judgedPairs(files, { lang, dataset, domain: options.domain ?? dataset });
  yield* select(pairs, options, folder, [lang]);
}

interface CollectionFiles {
  readonly corpus: string;
  readonly qrels: string;
  /** Yields [id, text]. */
  readonly queries: AsyncIterable<readonly [string, string]>;
}

async function* judgedPairs(
  files: CollectionFiles,
  common: { readonly lang: string; readonly dataset: string; readonly domain: string },
): AsyncGenerator<Pair> {
  const judgments = await readJudgments(files.qrels);
  const needed = new Set(judgments.map((one) => one.document));
  const passages = new Map<string, Row>();
  const row = (id: string, text: string): Row => {
    // The same number names another document in another language's corpus.
    return { id, text, parallelId: `${common.lang}/${id}`, ...common };
  };
  for await (const fields of readJsonLines(files.corpus)) {
    const id = requiredValue(fields, '_id');
    if (needed.has(id)) passages.set(id, row(id, documentText(fields)));
  }
  const queries = new Map<string, Row>();
  for await (const [id, text] of files.queries) queries.set(id, row(id, text));

  const byQuery = new Map<string, { positives: Row[]; negatives: Row[] }>();
  for (const { query, document, score, where } of judgments) {
    const passage = passages.get(document);
    if (passage === undefined) throw missing(where, 'document', document, files.corpus);
    if (!queries.has(query)) throw missing(where, 'query', query, 'the queries of this split');
    const judged = byQuery.get(query) ?? { positives: [], negatives: [] };
    byQuery.set(query, judged);
    (score > 0 ? judged.positives : judged.negatives).push(passage);
  }
  for (const [id, { positives, negatives }] of byQuery) {
    for (const passage of positives) yield { query: queries.get(id)!, passage, negatives };
  }
}

interface Judgment {
  readonly query: string;
  readonly document: string;
  readonly score: number;
  readonly where: string;
}

async function readJudgments(file: string): Promise<Judgment[]> {
  const judgments: Judgment[] = [];
  for await (const fields of readTsv(file, { header: true })) {
    const score = Number(requiredText(fields, 'score'));
    if (!Number.isInteger(score)) {
      throw new DataError(
        'INPUT_COLUMN',
        `${fields.where}: expected a whole number in 'score' but received '${String(fields.values.score)}'`,
      );
    }
    judgments.push({
      query: requiredText(fields, 'query-id'),
      document: requiredText(fields, 'corpus-id'),
      score,
      where: fields.where,
    });
  }
  return judgments;
}

async function* recordTexts(file: string): AsyncGenerator<readonly [string, string]> {
  for await (const fields of readJsonLines(file))
    yield [requiredValue(fields, '_id'), requiredText(fields, 'text')];
}

/** Topics: an id, a tab and a text that may hold further tabs. */
async function* topicTexts(file: string): AsyncGenerator<readonly [string, string]> {
  for await (const { text, number, where } of readLines(file)) {
    if (text.trim() === '') continue;
    const tab = text.indexOf('\t');
    if (tab === -1) throw new DataError('INPUT_COLUMN', `${where}: expected an id, a tab and a text`);
    const fields: Fields = { values: { text: text.slice(tab + 1) }, where, number };
    yield [text.slice(0, tab), requiredText(fields, 'text')];
  }
}

function missing(where: string, what: string, id: string, file: string): DataError {
  return new DataError('INPUT_COLUMN', `${where}: ${what} '${id}' is not in ${file}`);
}

async function firstOf(folder: string, names: readonly string[]): Promise<string> {
  for (const name of names) if (await exists(join(folder, name))) return join(folder, name);
  throw new DataError('INPUT_FILE', `${folder}: expected ${names.join(' or ')} in it`);
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw fileError(path, error);
  }
}
