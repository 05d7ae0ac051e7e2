/**
 * BEIR (arXiv 2104.08663): `corpus.jsonl`, `queries.jsonl` (or `queries.{split}.jsonl`) and
 * `qrels/{split}.tsv` with a header; each may end in `.gz`. Any collection in this layout. And folders of
 * plain TREC files: topics, qrels and a corpus.
 */
import { type AdHocCollection, adHocCollection } from '../../ad-hoc.js';
import { DataError } from '../../errors.js';
import { normaliseLanguage } from '../../languages.js';
import { nameOf } from '../options.js';
import { literal } from '../shards.js';
import { filesBelow, matching, theOne } from './find.js';
import { readCorpus, readJudgments, readQueries } from './parts.js';

/** Options of {@link readBeirCollection} and {@link readTrecCollection}. */
export interface BeirCollectionOptions {
  /** Which judgments. Default `test`. */
  readonly split?: string;
  /** Language of queries and documents. Default `en`. */
  readonly lang?: string;
}

/**
 * A folder in BEIR's layout; its measures are nDCG@10 and Recall@100.
 *
 * @throws DataError with the file that is missing or the line that is wrong
 * @example
 * const collection = await readBeirCollection('beir/scifact');
 */
export async function readBeirCollection(
  folder: string,
  options: BeirCollectionOptions = {},
): Promise<AdHocCollection> {
  const split = options.split ?? 'test';
  const lang = normaliseLanguage(options.lang ?? 'en');
  const files = await filesBelow(folder);
  const corpus = theOne(folder, files, [/^corpus\.jsonl$/], 'corpus.jsonl or corpus.jsonl.gz');
  const qrels = theOne(folder, files, [new RegExp(`^qrels/${literal(split)}\\.tsv$`)], `qrels/${split}.tsv`);
  const ofSplit = matching(folder, files, [new RegExp(`^queries\\.${literal(split)}\\.jsonl$`)]);
  const queries =
    ofSplit[0]?.path ?? theOne(folder, files, [/^queries\.jsonl$/], 'queries.jsonl or queries.jsonl.gz');
  return adHocCollection({
    name: `${nameOf(folder)}-${split}`,
    lang,
    queries: await readQueries(queries, lang),
    judgments: await readJudgments(qrels),
    corpus: () => readCorpus([corpus]),
    measures: ['nDCG@10', 'Recall@100'],
    profile: 'beir',
    depth: 100,
  });
}

/**
 * A folder of plain TREC files: `topics*` (an id, a tab and a text; or SGML with `<num>` and `<title>`; or
 * JSONL), `qrels*` and a corpus in `corpus*`, `collection*` or `docs*` (`.jsonl` or `.tsv`); each may end in
 * `.gz`.
 *
 * @throws DataError with the file that is missing or the line that is wrong
 */
export async function readTrecCollection(
  folder: string,
  options: BeirCollectionOptions = {},
): Promise<AdHocCollection> {
  const lang = normaliseLanguage(options.lang ?? 'en');
  const files = await filesBelow(folder);
  const of = options.split === undefined ? '' : `.*${literal(options.split)}`;
  const topics = theOne(
    folder,
    files,
    [new RegExp(`(^|/)(topics|queries)${of}[^/]*$`)],
    `topics${of ? ` of '${options.split}'` : ''}`,
  );
  const qrels = theOne(
    folder,
    files,
    [new RegExp(`(^|/)qrels${of}[^/]*$`)],
    `qrels${of ? ` of '${options.split}'` : ''}`,
  );
  const corpus = matching(folder, files, [/(^|\/)(corpus|collection|docs)[^/]*\.(jsonl|tsv)$/]).map(
    ({ path }) => path,
  );
  if (corpus.length === 0) {
    throw new DataError('INPUT_FILE', `${folder}: expected a corpus in it, such as corpus.jsonl.gz`);
  }
  return adHocCollection({
    name: nameOf(folder),
    lang,
    queries: await readQueries(topics, lang),
    judgments: await readJudgments(qrels),
    corpus: () => readCorpus(corpus),
    measures: ['AP', 'nDCG@10', 'Recall@1000'],
    profile: 'trec_eval',
    depth: 1000,
  });
}
