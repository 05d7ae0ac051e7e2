/**
 * MIRACL and Mr. TyDi: one monolingual collection per language, in the layouts of the Hugging Face hub, of
 * Anserini, and of one folder per language.
 */
import { type AdHocCollection, adHocCollection } from '../../ad-hoc.js';
import { DataError } from '../../errors.js';
import { normaliseLanguage, selectLanguages } from '../../languages.js';
import { literal } from '../shards.js';
import { filesBelow, matching } from './find.js';
import { readCorpus, readJudgments, readQueries } from './parts.js';

/** Options of {@link readMiraclCollections} and {@link readMrTydiCollections}. */
export interface PerLanguageOptions {
  /** Which queries and judgments. Default `dev` for MIRACL, `test` for Mr. TyDi. */
  readonly split?: string;
  /** Languages, in this order; default all that have files of the split. */
  readonly langs?: readonly string[];
}

interface Layout {
  readonly name: string;
  readonly split: string;
  readonly topics: readonly RegExp[];
  readonly qrels: readonly RegExp[];
  readonly corpus: readonly RegExp[];
  readonly expected: string;
  readonly measures: readonly string[];
}

const lang = '(?<lang>[a-z]{2,3}(?:[-_][A-Za-z]+)?)';
const language = '(?<lang>[a-z]+)';

/**
 * The collections of MIRACL (arXiv 2210.09984) below a folder, one per language.
 *
 * Topics `topics.miracl-v1.0-{lang}-{split}.tsv`, judgments `qrels.miracl-v1.0-{lang}-{split}.tsv`, corpora
 * `miracl-corpus-v1.0-{lang}/docs-{n}.jsonl.gz`, at any depth; or `{lang}/queries.{split}.tsv`,
 * `{lang}/qrels.{split}.tsv` and `{lang}/corpus.jsonl.gz`. Every document of a corpus is searched, judged or
 * not. Measures: nDCG@10 and Recall@100, as `trec_eval -c -M 100` gives them.
 *
 * @throws DataError with the file that is missing or the line that is wrong
 */
export function readMiraclCollections(
  folder: string,
  options: PerLanguageOptions = {},
): Promise<AdHocCollection[]> {
  const split = options.split ?? 'dev';
  const ofSplit = literal(split);
  return readLayout(folder, options, {
    name: 'miracl',
    split,
    topics: [
      new RegExp(`(^|/)topics\\.miracl-v[\\d.]+-${lang}-${ofSplit}\\.tsv$`),
      new RegExp(`^${lang}/queries\\.${ofSplit}\\.tsv$`),
    ],
    qrels: [
      new RegExp(`(^|/)qrels\\.miracl-v[\\d.]+-${lang}-${ofSplit}\\.tsv$`),
      new RegExp(`^${lang}/qrels\\.${ofSplit}\\.tsv$`),
    ],
    corpus: [
      new RegExp(`(^|/)miracl-corpus-v[\\d.]+-${lang}/docs-\\d+\\.jsonl$`),
      new RegExp(`^${lang}/corpus\\.jsonl$`),
    ],
    expected: 'miracl-corpus-v1.0-{lang}/docs-0.jsonl.gz or {lang}/corpus.jsonl.gz',
    measures: ['nDCG@10', 'Recall@100'],
  });
}

/**
 * The collections of Mr. TyDi (arXiv 2108.08787) below a folder, one per language.
 *
 * `mrtydi-v1.1-{language}/topic.{split}.tsv`, `…/qrels.{split}.txt` and `…/collection/docs.jsonl.gz` (or
 * `…/corpus.jsonl.gz`); or Anserini's `topics.mrtydi-v1.1-{lang}.{split}.txt` and `qrels.…` for the first
 * two. Measures: RR@100 and Recall@100.
 *
 * @throws DataError with the file that is missing or the line that is wrong
 */
export function readMrTydiCollections(
  folder: string,
  options: PerLanguageOptions = {},
): Promise<AdHocCollection[]> {
  const split = options.split ?? 'test';
  const ofSplit = literal(split);
  return readLayout(folder, options, {
    name: 'mr-tydi',
    split,
    topics: [
      new RegExp(`(^|/)mrtydi-v[\\d.]+-${language}/topics?\\.${ofSplit}\\.tsv$`),
      new RegExp(`(^|/)topics\\.mrtydi-v[\\d.]+-${lang}\\.${ofSplit}\\.(txt|tsv)$`),
    ],
    qrels: [
      new RegExp(`(^|/)mrtydi-v[\\d.]+-${language}/qrels\\.${ofSplit}\\.(txt|tsv)$`),
      new RegExp(`(^|/)qrels\\.mrtydi-v[\\d.]+-${lang}\\.${ofSplit}\\.(txt|tsv)$`),
    ],
    corpus: [new RegExp(`(^|/)mrtydi-v[\\d.]+-${language}(-corpus)?/(collection/docs|corpus)[^/]*\\.jsonl$`)],
    expected: 'mrtydi-v1.1-{language}/collection/docs.jsonl.gz or mrtydi-v1.1-{language}/corpus.jsonl.gz',
    measures: ['RR@100', 'Recall@100'],
  });
}

async function readLayout(
  folder: string,
  options: PerLanguageOptions,
  layout: Layout,
): Promise<AdHocCollection[]> {
  const files = await filesBelow(folder);
  const byLang = (patterns: readonly RegExp[]) => {
    const found = new Map<string, string[]>();
    for (const { path, groups } of matching(folder, files, patterns)) {
      const code = normaliseLanguage(groups.lang!);
      found.set(code, [...(found.get(code) ?? []), path]);
    }
    return found;
  };
  const topics = byLang(layout.topics);
  const qrels = byLang(layout.qrels);
  const corpora = byLang(layout.corpus);
  if (topics.size === 0) {
    throw new DataError(
      'INPUT_FILE',
      `${folder}: no topics of ${layout.name}'s split '${layout.split}' in it; give the folder of the files as published, and check the split`,
    );
  }
  const wanted = selectLanguages(options.langs, topics.keys(), `${folder} (split '${layout.split}')`);
  const collections: AdHocCollection[] = [];
  for (const code of wanted) {
    const corpus = corpora.get(code);
    if (corpus === undefined) {
      throw new DataError(
        'INPUT_FILE',
        `${folder}: no corpus for language '${code}'; expected ${layout.expected}`,
      );
    }
    const name = `${layout.name}-${code}-${layout.split}`;
    collections.push(
      adHocCollection({
        name,
        lang: code,
        queries: await readQueries(single(topics.get(code), folder, `topics for '${code}'`), code),
        judgments: await readJudgments(single(qrels.get(code), folder, `qrels for '${code}'`)),
        corpus: () => readCorpus(corpus),
        measures: layout.measures,
        profile: 'trec_eval',
        depth: 100,
      }),
    );
  }
  return collections;
}

function single(paths: readonly string[] | undefined, folder: string, what: string): string {
  if (paths?.length === 1) return paths[0]!;
  throw new DataError(
    'INPUT_FILE',
    paths === undefined
      ? `${folder}: no ${what}`
      : `${folder}: expected one file of ${what} but found ${paths.join(', ')}; leave one`,
  );
}
