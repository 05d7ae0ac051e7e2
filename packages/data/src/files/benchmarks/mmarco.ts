/**
 * mMARCO (arXiv 2108.13897): `collections/{language}_collection.tsv`, `queries/dev/{language}_queries.dev.small.tsv`
 * and one `qrels.dev.small.tsv` for all languages, whose passage and query ids are shared. So questions in
 * one language can be asked of another language's passages.
 */
import { type AdHocCollection, adHocCollection } from '../../ad-hoc.js';
import { DataError } from '../../errors.js';
import { normaliseLanguage, selectLanguages } from '../../languages.js';
import { literal } from '../shards.js';
import { filesBelow, matching, theOne } from './find.js';
import { readCorpus, readJudgments, readQueries } from './parts.js';

/** Options of {@link readMmarcoCollections}. */
export interface MmarcoOptions {
  /** Which queries and judgments: `dev.small` (default), `dev`, `train`. */
  readonly split?: string;
  /** Languages of questions; default all that have both questions and passages. */
  readonly langs?: readonly string[];
  /** Language of the passages; default each question's own. */
  readonly corpusLang?: string;
}

/**
 * One collection per question language. Measures: RR@10 with MS MARCO's rules, Recall@1000.
 *
 * @throws DataError with the file that is missing or the line that is wrong
 */
export async function readMmarcoCollections(
  folder: string,
  options: MmarcoOptions = {},
): Promise<AdHocCollection[]> {
  const split = options.split ?? 'dev.small';
  const ending = literal(split);
  const files = await filesBelow(folder);
  const byLang = (pattern: RegExp) =>
    new Map(
      matching(folder, files, [pattern]).map(({ path, groups }) => [normaliseLanguage(groups.lang!), path]),
    );
  const corpora = byLang(/(^|\/)(?<lang>[a-z]+)_collection\.tsv$/);
  const topics = byLang(new RegExp(`(^|/)(?<lang>[a-z]+)_queries\\.${ending}\\.tsv$`));
  const qrels = theOne(folder, files, [new RegExp(`(^|/)qrels\\.${ending}\\.tsv$`)], `qrels.${split}.tsv`);
  if (corpora.size === 0 || topics.size === 0) {
    throw new DataError(
      'INPUT_FILE',
      `${folder}: expected collections/{language}_collection.tsv and queries/{language}_queries.${split}.tsv in it`,
    );
  }
  const corpusLang = options.corpusLang && normaliseLanguage(options.corpusLang);
  const usable = corpusLang ? [...topics.keys()] : [...topics.keys()].filter((code) => corpora.has(code));
  const judgments = await readJudgments(qrels);
  const collections: AdHocCollection[] = [];
  for (const code of selectLanguages(options.langs, usable, folder)) {
    const documents = corpusLang ?? code;
    const corpus = corpora.get(documents);
    if (corpus === undefined) {
      throw new DataError('INPUT_FILE', `${folder}: no collection in language '${documents}'`);
    }
    collections.push(
      adHocCollection({
        name: `mmarco-${documents === code ? code : `${code}-${documents}`}-${split}`,
        lang: documents,
        queries: await readQueries(topics.get(code)!, code),
        judgments,
        corpus: () => readCorpus([corpus]),
        measures: ['RR@10', 'Recall@1000'],
        profile: 'msmarco',
        depth: 1000,
      }),
    );
  }
  return collections;
}
