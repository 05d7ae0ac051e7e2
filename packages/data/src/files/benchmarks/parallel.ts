/**
 * The parallel question-answering benchmarks: XQuAD-R, LAReQA's pool over it, MLQA-R and MLQA. All yield a
 * `ParallelCollection`; the sentences of the first three are read by `../xquad-r.ts`.
 */
import { join } from 'node:path';
import { type CollectionCandidate, type CollectionQuery, ParallelCollection } from '../../collection.js';
import { DataError } from '../../errors.js';
import { selectLanguages } from '../../languages.js';
import { readJson, requiredText } from '../json.js';
import { listFolder } from '../lines.js';
import { literal } from '../shards.js';
import { answerStart, paragraphsOf } from '../squad.js';
import { readXquadR } from '../xquad-r.js';

/** Options of these readers. */
export interface ParallelOptions {
  /** Languages, in this order; default all that have files. */
  readonly langs?: readonly string[];
  /** MLQA's split. Default `test`. */
  readonly split?: string;
}

/** LAReQA's pool as XTREME-R scores it. */
export const lareqaCounts = { candidates: 13_014, questions: 13_090 } as const;

/**
 * LAReQA as in XTREME-R: XQuAD-R's 11 languages as one pool.
 *
 * @throws DataError `INPUT_FILE` where the pool has not 13,014 candidates and 13,090 questions
 */
export async function readLareqa(folder: string): Promise<ParallelCollection> {
  const collection = await readXquadR(folder);
  const { candidates, queries } = collection;
  if (candidates.length !== lareqaCounts.candidates || queries.length !== lareqaCounts.questions) {
    throw new DataError(
      'INPUT_FILE',
      `${folder}: ${candidates.length} candidates and ${queries.length} questions, expected LAReQA's ${lareqaCounts.candidates} and ${lareqaCounts.questions}; give all 11 files of XQuAD-R, unchanged`,
    );
  }
  return new ParallelCollection({ ...collection, name: 'lareqa' });
}

/**
 * MLQA-R: `{lang}.json` with `sentence_breaks`, as LAReQA's repository publishes MLQA's development set
 * (`mlqa-dev-r`); questions have answers in 2 to 4 of the 7 languages.
 *
 * From MLQA's own files (`{split}-context-{lang}-question-{lang}.json`), which have no sentence breaks, it is
 * rebuilt with the platform's sentence segmenter (Unicode TR 29): same paragraphs, questions and answers, other
 * candidates at abbreviations and the like, so its figures compare with each other but not with the
 * published ones. The name then is `mlqa-r-rebuilt`.
 *
 * @throws DataError with the file that is missing or wrong
 */
export async function readMlqaR(folder: string, options: ParallelOptions = {}): Promise<ParallelCollection> {
  const names = await listFolder(folder);
  if (names.some((name) => /^[a-z]{2}\.json$/.test(name))) {
    const collection = await readXquadR(folder, options.langs ? { langs: options.langs } : {});
    return new ParallelCollection({ ...collection, name: 'mlqa-r' });
  }
  // MLQA-R is made of the development set.
  return readMlqaFiles(folder, { split: 'dev', ...options }, 'sentence');
}

/**
 * MLQA (arXiv 1910.07475) as retrieval of paragraphs: each language's paragraphs are candidates, the one that
 * a question was asked of is relevant, in every language that has the question.
 *
 * @throws DataError with the file that is missing or wrong
 */
export function readMlqa(folder: string, options: ParallelOptions = {}): Promise<ParallelCollection> {
  return readMlqaFiles(folder, options, 'paragraph');
}

async function readMlqaFiles(
  folder: string,
  options: ParallelOptions,
  unit: 'paragraph' | 'sentence',
): Promise<ParallelCollection> {
  const split = options.split ?? 'test';
  const pattern = new RegExp(`^${literal(split)}-context-([a-z]{2})-question-\\1\\.json$`);
  const known = (await listFolder(folder)).flatMap((name) => pattern.exec(name)?.[1] ?? []);
  if (known.length === 0) {
    throw new DataError(
      'INPUT_FILE',
      `${folder}: no file called like ${split}-context-de-question-de.json in it`,
    );
  }
  const langs = selectLanguages(options.langs, known, folder);
  const queries: CollectionQuery[] = [];
  const questions: string[] = [];
  const candidates: CollectionCandidate[] = [];
  const answers = new Map<string, number[]>();
  for (const lang of langs) {
    const file = join(folder, `${split}-context-${lang}-question-${lang}.json`);
    let number = 0;
    for (const { fields, questions: asked } of paragraphsOf(await readJson(file), file)) {
      number++;
      const context = requiredText(fields, 'context');
      const first = candidates.length;
      const breaks = unit === 'sentence' ? sentenceBreaks(context, lang) : undefined;
      if (breaks === undefined) candidates.push({ id: `${lang}_${number}`, lang, text: context });
      else {
        breaks.forEach(({ text }, index) => {
          candidates.push({ id: `${lang}_${number}_${index}`, lang, text, context });
        });
      }
      for (const qa of asked) {
        const id = requiredText(qa, 'id');
        const offset = breaks === undefined ? 0 : sentenceOf(breaks, answerStart(qa));
        queries.push({ id: `${id}_${lang}`, lang, text: requiredText(qa, 'question') });
        questions.push(id);
        answers.set(id, [...(answers.get(id) ?? []), first + offset]);
      }
    }
  }
  const relevant = questions.map((id) => [...new Set(answers.get(id)!)]);
  const name = unit === 'sentence' ? 'mlqa-r-rebuilt' : `mlqa-${split}`;
  return new ParallelCollection({ name, langs, queries, candidates, relevant });
}

interface Sentence {
  readonly text: string;
  /** Code points of the paragraph before its end. */
  readonly end: number;
}

function sentenceBreaks(context: string, lang: string): Sentence[] {
  const sentences: Sentence[] = [];
  let end = 0;
  for (const { segment } of new Intl.Segmenter(lang, { granularity: 'sentence' }).segment(context)) {
    end += Array.from(segment).length;
    if (segment.trim() !== '') sentences.push({ text: segment.trim(), end });
  }
  return sentences;
}

function sentenceOf(sentences: readonly Sentence[], start: number): number {
  const found = sentences.findIndex(({ end }) => start < end);
  return found < 0 ? sentences.length - 1 : found;
}
