/**
 * Reads XQuAD-R (LAReQA, arXiv 2004.05484): a folder of `{lang}.json` files, SQuAD-shaped, whose
 * paragraphs carry `sentence_breaks`. Every sentence of a paragraph is a candidate and the paragraph its
 * context; the sentence that holds `answer_start` is the answer, and question ids are shared by all
 * languages, so a question has one relevant candidate per language.
 *
 * Not an evaluation: it yields a {@link ParallelCollection}.
 *
 * As in LAReQA's own loader a candidate's text is the slice of the paragraph that `sentence_breaks` names
 * (the files' `sentences` field differs from it in two Turkish sentences), and candidate ids are
 * `{lang}_{paragraph from 1}_{sentence from 0}`, question ids `{shared id}_{lang}`.
 */
import { join } from 'node:path';
import { type CollectionCandidate, type CollectionQuery, ParallelCollection } from '../collection.js';
import { DataError } from '../errors.js';
import { asList, type Fields, readJson, requiredText } from './json.js';
import { listFolder } from './lines.js';
import { answerStart, paragraphsOf } from './squad.js';

/** Options of {@link readXquadR}. */
export interface XquadROptions {
  /** Languages to read, in this order; by default every `{lang}.json` of the folder, by name. */
  readonly langs?: readonly string[];
}

/**
 * Reads the XQuAD-R files of `folder` into one collection.
 *
 * @throws DataError `INPUT_LANGUAGE` for a language without a file, `INPUT_FILE` for an unreadable
 *   folder or file, `INPUT_JSON`, `INPUT_COLUMN` and `INPUT_EMPTY` with file and place for content that is not XQuAD-R.
 * @example
 * const collection = await readXquadR('data/xquad-r', { langs: ['en', 'de'] });
 */
export async function readXquadR(folder: string, options: XquadROptions = {}): Promise<ParallelCollection> {
  const available = await listLangs(folder);
  const langs = options.langs ?? available;
  for (const lang of langs) {
    if (!available.includes(lang)) {
      throw new DataError(
        'INPUT_LANGUAGE',
        `${folder}: no file ${lang}.json for language "${lang}"; the folder has ${available.join(', ')}.`,
      );
    }
  }
  const queries: CollectionQuery[] = [];
  const candidates: CollectionCandidate[] = [];
  const questions: string[] = [];
  const answers = new Map<string, number[]>();
  for (const lang of new Set(langs)) {
    const file = join(folder, `${lang}.json`);
    const part = readLanguage(await readJson(file), file, lang);
    for (const question of part.questions) {
      queries.push({ id: `${question.id}_${lang}`, lang, text: question.text });
      questions.push(question.id);
      const indices = answers.get(question.id) ?? [];
      indices.push(candidates.length + question.answer);
      answers.set(question.id, indices);
    }
    for (const candidate of part.candidates) candidates.push(candidate);
  }
  const relevant = questions.map((id) => answers.get(id)!);
  return new ParallelCollection({ name: 'xquad-r', langs, queries, candidates, relevant });
}

interface LanguagePart {
  readonly candidates: CollectionCandidate[];
  /** `answer`: index into this part's candidates. */
  readonly questions: { readonly id: string; readonly text: string; readonly answer: number }[];
}

async function listLangs(folder: string): Promise<string[]> {
  const langs = (await listFolder(folder)).flatMap(
    (name) => /^([a-z]{2,3}(?:[-_][A-Za-z]+)?)\.json$/.exec(name)?.[1] ?? [],
  );
  if (langs.length === 0) {
    throw new DataError(
      'INPUT_FILE',
      `${folder}: no file named like en.json; give the folder that holds XQuAD-R's language files.`,
    );
  }
  return langs;
}

function readLanguage(root: unknown, file: string, lang: string): LanguagePart {
  const candidates: CollectionCandidate[] = [];
  const questions: LanguagePart['questions'] = [];
  const seen = new Set<string>();
  let paragraphNumber = 0;
  for (const { fields, questions: asked } of paragraphsOf(root, file)) {
    paragraphNumber++;
    const context = requiredText(fields, 'context');
    const cut = byCodePoints(context);
    const first = candidates.length;
    const breaks = readBreaks(fields, cut.length);
    breaks.forEach(([start, end], sentence) => {
      const id = `${lang}_${paragraphNumber}_${sentence}`;
      candidates.push({ id, lang, text: cut.slice(start, end), context });
    });
    for (const question of asked) {
      const id = requiredText(question, 'id');
      const start = answerStart(question);
      const answers = asList(question.values.answers, question.where, 'answers').length;
      if (answers !== 1) throw mistake(question.where, `expected one answer but received ${answers}`);
      if (seen.has(id)) throw mistake(question.where, `question id "${id}" occurs twice in the file`);
      seen.add(id);
      const sentence = breaks.findIndex(([from, end]) => from <= start && start < end);
      if (sentence < 0) {
        throw mistake(question.where, `answer_start ${start} lies in no sentence of sentence_breaks`);
      }
      questions.push({ id, text: requiredText(question, 'question'), answer: first + sentence });
    }
  }
  return { candidates, questions };
}

function readBreaks({ values, where }: Fields, length: number): [number, number][] {
  let previousEnd = 0;
  return asList(values.sentence_breaks, where, 'sentence_breaks').map((pair, i) => {
    const [start, end] = Array.isArray(pair) && pair.length === 2 ? (pair as unknown[]) : [];
    if (
      !(Number.isInteger(start) && Number.isInteger(end)) ||
      !((start as number) >= previousEnd && (start as number) < (end as number) && (end as number) <= length)
    ) {
      throw mistake(
        `${where}.sentence_breaks[${i}]`,
        `expected [start, end] with ${previousEnd} <= start < end <= ${length} (code points) but received ${JSON.stringify(pair)}`,
      );
    }
    previousEnd = end as number;
    return [start as number, end as number];
  });
}

function mistake(where: string, what: string): DataError {
  return new DataError('INPUT_COLUMN', `${where}: ${what}`);
}

/** `text` measured and cut by Unicode code points, as the offsets of Python-made files count. */
function byCodePoints(text: string): { length: number; slice: (start: number, end: number) => string } {
  // Without surrogates UTF-16 units are code points, and a paragraph need not be taken apart.
  if (!/[\ud800-\udfff]/.test(text)) {
    return { length: text.length, slice: (start, end) => text.slice(start, end) };
  }
  const points = Array.from(text);
  return { length: points.length, slice: (start, end) => points.slice(start, end).join('') };
}
