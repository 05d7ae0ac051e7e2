/**
 * Reads SQuAD 2.0 in Finnish and (back-translated) English: `squad2_fi_en.train.jsonl.gz`, one paragraph
 * per line, `{doc, para, split, context: {fi, en}, questions: [{i, fi, en}]}`.
 */
import { join } from 'node:path';
import { DataError } from '../errors.js';
import { selectLanguages } from '../languages.js';
import type { Pair, Row } from '../rows.js';
import { asList, asObject, type Fields, optionalText, readJsonLines, requiredText } from './json.js';
import { listFolder } from './lines.js';
import { type ReadOptions, select } from './options.js';

/** Options of {@link readSquad2FiEn}. */
export interface Squad2FiEnOptions extends ReadOptions {
  /**
   * How many questions of a paragraph to take, the first ones. A third of all questions have no answer in their
   * paragraph and mostly come late: 5 makes a cleaner set. Default all.
   */
  readonly questionsPerParagraph?: number;
}

const languages = ['en', 'fi'] as const;

/**
 * One monolingual pair per question and language: question and paragraph, whose questions share its parallel
 * id `doc/paragraph`.
 *
 * @throws DataError with file and line; `INPUT_OPTION` for lines of the dev split, which overlaps XQuAD
 */
export async function* readSquad2FiEn(folder: string, options: Squad2FiEnOptions = {}): AsyncGenerator<Pair> {
  const most = options.questionsPerParagraph;
  if (most !== undefined && !(Number.isSafeInteger(most) && most >= 1)) {
    throw new DataError(
      'INPUT_OPTION',
      `\`questionsPerParagraph\`: expected a whole number from 1 but received ${most}`,
    );
  }
  const names = await listFolder(folder);
  const name = names.find((other) => other === 'squad2_fi_en.train.jsonl') ?? 'squad2_fi_en.train.jsonl.gz';
  const file = join(folder, name);
  const wanted = selectLanguages(options.langs, languages, folder);
  yield* select(questions(file, wanted, options), options, file, languages);
}

async function* questions(
  file: string,
  wanted: readonly string[],
  options: Squad2FiEnOptions,
): AsyncGenerator<Pair> {
  const dataset = options.dataset ?? 'squad2-fi-en';
  const domain = options.domain ?? dataset;
  const most = options.questionsPerParagraph ?? Number.POSITIVE_INFINITY;
  for await (const fields of readJsonLines(file)) {
    const { where } = fields;
    if (optionalText(fields, 'split') !== 'train') {
      throw new DataError(
        'INPUT_OPTION',
        `${where}: split '${optionalText(fields, 'split')}': only 'train' may be trained on, the rest overlaps XQuAD`,
      );
    }
    const context: Fields = { ...fields, values: asObject(fields.values.context, `${where}, 'context'`) };
    const paragraph = `${requiredNumber(fields, 'doc')}/${requiredNumber(fields, 'para')}`;
    const passages = wanted.map((lang): Row => {
      const text = requiredText(context, lang);
      return { id: `${paragraph}/${lang}`, text, lang, parallelId: paragraph, dataset, domain };
    });
    for (const [i, entry] of asList(fields.values.questions, where, 'questions').entries()) {
      const place = `${where}, questions[${i}]`;
      const question: Fields = { values: asObject(entry, place), where: place, number: i };
      const ordinal = requiredNumber(question, 'i');
      if (ordinal >= most) continue;
      const parallelId = `${paragraph}/${ordinal}`;
      for (const passage of passages) {
        const { lang } = passage;
        const text = requiredText(question, lang);
        yield {
          query: { id: `${parallelId}/${lang}`, text, lang, parallelId, dataset, domain },
          passage,
          negatives: [],
        };
      }
    }
  }
}

function requiredNumber(fields: Fields, field: string): number {
  const value = fields.values[field];
  if (Number.isSafeInteger(value)) return value as number;
  throw new DataError(
    'INPUT_COLUMN',
    `${fields.where}: expected a whole number in '${field}' but received ${JSON.stringify(value)}`,
  );
}
