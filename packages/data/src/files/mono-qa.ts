/**
 * Reads the single-language reading-comprehension sets of one normalised shape:
 * `{lang}-{set}.{split}.jsonl.gz`, one paragraph per line, `{title, context, qas: [{id, q, a, imp}]}`.
 */
import { DataError } from '../errors.js';
import { selectLanguages } from '../languages.js';
import { didYouMean } from '../nearest.js';
import type { Pair, Row } from '../rows.js';
import { asList, asObject, type Fields, optionalText, readJsonLines, requiredText } from './json.js';
import { type LanguageFile, languageFiles } from './language-files.js';
import { type ReadOptions, select, textId } from './options.js';

/** Options of {@link readMonoQa}. */
export interface MonoQaOptions extends ReadOptions {
  /** Only these sets: `jaquad`, `norquad` … Default all. */
  readonly sets?: readonly string[];
  /** Only these splits, by the sources' own names: `train`, `dev`, `annot` … Default all. */
  readonly splits?: readonly string[];
}

/**
 * One pair per question: question and paragraph. Questions marked unanswerable (`imp`) are left out; the
 * domain is the set's name; the same paragraph in several lines or splits is one passage.
 *
 * @throws DataError with file and line; `INPUT_OPTION` for a set or split that is not there
 */
export async function* readMonoQa(folder: string, options: MonoQaOptions = {}): AsyncGenerator<Pair> {
  const pattern = /^([a-z]{2,3}(?:-hans|-hant)?)-([a-z0-9-]+)\.([a-z]+)\.jsonl(?:\.gz)?$/;
  const all = await languageFiles(folder, pattern, 'ja-jaquad.train.jsonl.gz');
  const files = all.filter(
    ({ parts }) =>
      (options.sets?.includes(parts[1]!) ?? true) && (options.splits?.includes(parts[2]!) ?? true),
  );
  checkNames(folder, 'sets', options.sets, new Set(all.map(({ parts }) => parts[1]!)));
  checkNames(folder, 'splits', options.splits, new Set(all.map(({ parts }) => parts[2]!)));
  const wanted = selectLanguages(
    options.langs,
    files.map((file) => file.lang),
    folder,
  );
  const pairs = async function* () {
    for (const file of files) if (wanted.includes(file.lang)) yield* questions(file, options);
  };
  yield* select(
    pairs(),
    options,
    folder,
    files.map((file) => file.lang),
  );
}

async function* questions({ lang, file, parts }: LanguageFile, options: MonoQaOptions): AsyncGenerator<Pair> {
  const [, set, split] = parts;
  const dataset = options.dataset ?? 'mono-qa';
  const domain = options.domain ?? set!;
  for await (const fields of readJsonLines(file)) {
    const context = requiredText(fields, 'context');
    const parallelId = `${set}/${textId(context)}`;
    const passage: Row = { id: parallelId, text: context, lang, parallelId, dataset, domain };
    for (const [i, entry] of asList(fields.values.qas, fields.where, 'qas').entries()) {
      const where = `${fields.where}, qas[${i}]`;
      const question: Fields = { values: asObject(entry, where), where, number: i };
      if (question.values.imp === true) continue;
      // Some sets have no ids, or the same one twice: the place is what tells questions apart.
      const place = `${set}.${split}:${fields.number}.${i}`;
      const query: Row = {
        id: optionalText(question, 'id') ?? place,
        text: requiredText(question, 'q'),
        lang,
        parallelId: place,
        dataset,
        domain,
      };
      yield { query, passage, negatives: [] };
    }
  }
}

function checkNames(
  folder: string,
  option: string,
  wanted: readonly string[] | undefined,
  known: ReadonlySet<string>,
): void {
  for (const name of wanted ?? []) {
    if (known.has(name)) continue;
    const list = [...known].sort().join(', ');
    throw new DataError(
      'INPUT_OPTION',
      `${folder}: \`${option}\`: there is no '${name}'${didYouMean(name, known)}; there are ${list}`,
    );
  }
}
