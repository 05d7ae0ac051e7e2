/**
 * Reads SQuAD-shaped JSON as training pairs: question and paragraph. Files of several languages that share
 * question ids (XQuAD, MLQA, translated SQuADs) become parallel. Answer spans are not read; the sentences of
 * XQuAD-R are, by `xquad-r.ts`.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../errors.js';
import { normaliseLanguage, selectLanguages } from '../languages.js';
import type { Pair, Row } from '../rows.js';
import { asList, asObject, type Fields, kindOf, readJson, requiredText } from './json.js';
import { fileError, listFolder } from './lines.js';
import { nameOf, type ReadOptions, select } from './options.js';

/** Options of {@link readSquad}. */
export interface SquadOptions extends ReadOptions {
  /** Language of a single file whose name does not tell it. */
  readonly lang?: string;
}

interface LanguageFile {
  readonly file: string;
  readonly queryLang: string;
  readonly passageLang: string;
}

/**
 * Reads a SQuAD JSON file, or every one in a folder (`.json`, `.json.gz`).
 *
 * The language is in the name: `en.json`, `xquad.en.json`, `train-v1.1.en.json`, or MLQA's
 * `test-context-de-question-en.json`. Paragraphs of different files are one passage if they share a question
 * id. Questions marked `is_impossible` are skipped.
 *
 * @throws DataError `INPUT_LANGUAGE` where a name tells no language, `INPUT_JSON`, `INPUT_COLUMN` and
 *   `INPUT_EMPTY` with file and place
 */
export function readSquad(path: string, options: SquadOptions = {}): AsyncGenerator<Pair> {
  return select(pairsOf(path, options), options, path);
}

async function* pairsOf(path: string, options: SquadOptions): AsyncGenerator<Pair> {
  const files = await filesOf(path, options);
  const wanted = selectLanguages(
    options.langs,
    files.flatMap((file) => [file.queryLang, file.passageLang]),
    path,
  );
  /** Parallel id of the paragraph by question id. */
  const paragraphs = new Map<string, string>();
  const dataset = options.dataset ?? nameOf(path);
  for (const { file, queryLang, passageLang } of files) {
    if (!wanted.includes(queryLang) || !wanted.includes(passageLang)) continue;
    for (const { fields, questions } of paragraphsOf(await readJson(file), file)) {
      const ids = questions.map((question) => requiredText(question, 'id'));
      if (ids.length === 0) continue;
      const known = ids.find((id) => paragraphs.has(id));
      const parallelId = known === undefined ? ids[0]! : paragraphs.get(known)!;
      for (const id of ids) if (!paragraphs.has(id)) paragraphs.set(id, parallelId);
      const domain = options.domain ?? dataset;
      const passage: Row = {
        id: `${parallelId}/${passageLang}`,
        text: requiredText(fields, 'context'),
        lang: passageLang,
        parallelId,
        dataset,
        domain,
      };
      for (const [i, question] of questions.entries()) {
        if (question.values.is_impossible === true) continue;
        const id = ids[i]!;
        const query: Row = {
          id: `${id}/${queryLang}`,
          text: requiredText(question, 'question'),
          lang: queryLang,
          parallelId: id,
          dataset,
          domain,
        };
        yield { query, passage, negatives: [] };
      }
    }
  }
}

/** The paragraphs of a SQuAD-shaped file with their questions. @throws DataError with the place */
export function* paragraphsOf(
  json: unknown,
  file: string,
): Generator<{ fields: Fields; questions: Fields[] }> {
  const root = asObject(json, file);
  if (root.data === undefined) {
    throw new DataError(
      'INPUT_COLUMN',
      `${file}: no 'data' at the top; expected SQuAD's {"data": [{"paragraphs": […]}]}`,
    );
  }
  for (const [a, article] of asList(root.data, file, 'data').entries()) {
    const at = `${file}, data[${a}]`;
    const values = asObject(article, at);
    for (const [p, paragraph] of asList(values.paragraphs, at, 'paragraphs').entries()) {
      const where = `${at}.paragraphs[${p}]`;
      const fields = { values: asObject(paragraph, where), where, number: p };
      const questions = asList(fields.values.qas, where, 'qas').map((question, q) => {
        const place = `${where}.qas[${q}]`;
        return { values: asObject(question, place), where: place, number: q };
      });
      yield { fields, questions };
    }
  }
}

/** Where the first answer of a question begins, in code points. @throws DataError with the place */
export function answerStart({ values, where }: Fields): number {
  const [answer] = asList(values.answers, where, 'answers');
  const { answer_start: start } = asObject(answer, `${where}.answers[0]`);
  if (typeof start === 'number' && Number.isInteger(start) && start >= 0) return start;
  throw new DataError(
    'INPUT_COLUMN',
    `${where}.answers[0]: expected a whole number in 'answer_start' but received ${kindOf(start)}`,
  );
}

async function filesOf(path: string, options: SquadOptions): Promise<LanguageFile[]> {
  const folder = await stat(path).then(
    (found) => found.isDirectory(),
    (error: unknown) => {
      throw fileError(path, error);
    },
  );
  if (!folder) {
    if (options.lang === undefined) return [languageOf(path)];
    const lang = normaliseLanguage(options.lang);
    return [{ file: path, queryLang: lang, passageLang: lang }];
  }
  const names = (await listFolder(path)).filter((name) => /\.json(\.gz)?$/.test(name));
  if (names.length === 0) throw new DataError('INPUT_FILE', `${path}: no .json file in this folder`);
  return names.map((name) => languageOf(join(path, name)));
}

/** The languages that a file's name tells. */
function languageOf(file: string): LanguageFile {
  const name = file
    .split(/[/\\]/)
    .at(-1)!
    .replace(/\.gz$/, '')
    .replace(/\.json$/, '');
  const mlqa = /context-([a-z]{2,3}(?:[-_][a-z]+)?)-question-([a-z]{2,3}(?:[-_][a-z]+)?)$/i.exec(name);
  if (mlqa !== null) {
    return { file, queryLang: normaliseLanguage(mlqa[2]!), passageLang: normaliseLanguage(mlqa[1]!) };
  }
  const last = name.split('.').at(-1)!;
  if (!/^[a-z]{2,3}([-_][a-z]+)?$/i.test(last)) {
    throw new DataError(
      'INPUT_LANGUAGE',
      `${file}: the name tells no language; call it like 'xquad.en.json', or give the one file and its \`lang\``,
    );
  }
  const lang = normaliseLanguage(last);
  return { file, queryLang: lang, passageLang: lang };
}
