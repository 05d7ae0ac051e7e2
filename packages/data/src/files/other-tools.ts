/**
 * Reads the training files of FlagEmbedding and of Tevatron (both of its styles): a question with lists of
 * positive and negative passages, one question per line.
 */
import { DataError } from '../errors.js';
import type { Pair, Row } from '../rows.js';
import {
  asList,
  asObject,
  asText,
  documentText,
  type Fields,
  missingField,
  optionalText,
  readJsonLines,
  requiredText,
  requiredValue,
} from './json.js';
import { languagesOf, nameOf, type SingleLanguageOptions, textId } from './options.js';
import { readRecords } from './records.js';
import { numbersIn, type ScoredOptions } from './scores.js';
import { expandPaths, type Paths, readShards, shownPaths } from './shards.js';

/**
 * Reads FlagEmbedding's JSONL: `{query, pos: [texts], neg: [texts]}`. Each positive makes a pair. A line may
 * name its `lang`; with `scores` it has `pos_scores` and `neg_scores`, one per text.
 *
 * @throws DataError with file and line
 */
export function readFlagEmbedding(paths: Paths, options: FlagEmbeddingOptions = {}): AsyncGenerator<Pair> {
  return readShards(paths, options, flagEmbedding);
}

/** Options of {@link readFlagEmbedding}. */
export interface FlagEmbeddingOptions extends SingleLanguageOptions, ScoredOptions {}

async function* flagEmbedding(file: string, options: FlagEmbeddingOptions): AsyncGenerator<Pair> {
  for await (const fields of readJsonLines(file)) {
    const maker = new RowMaker(fields, file, options);
    const text = requiredText(fields, 'query');
    const texts = (field: string, needed: boolean) => {
      const value = fields.values[field];
      if (value === undefined && !needed) return [];
      if (value === undefined) throw missingField(fields, field);
      return asList(value, fields.where, field).map((entry, i) =>
        asText(entry, fields.where, `${field}[${i}]`),
      );
    };
    const passages = texts('pos', true).map((passage) => maker.passage(passage));
    const negatives = texts('neg', false).map((passage) => maker.passage(passage));
    const scored = options.scores === true && negatives.length > 0;
    const scores = (field: string, count: number) => (scored ? scoresOf(fields, field, count) : []);
    const [ofPassages, ofNegatives] = [
      scores('pos_scores', passages.length),
      scores('neg_scores', negatives.length),
    ];
    const pairs = maker.pairs(maker.query(text), passages, negatives, 'pos');
    let index = 0;
    for (const pair of pairs) {
      const score = ofPassages[index++]!;
      yield scored ? { ...pair, margins: ofNegatives.map((other) => score - other) } : pair;
    }
  }
}

function scoresOf(fields: Fields, field: string, count: number): number[] {
  if (fields.values[field] === undefined) throw missingField(fields, field);
  const scores = numbersIn(fields, field);
  if (scores.length === count) return scores;
  throw new DataError(
    'INPUT_COLUMN',
    `${fields.where}: expected ${count} scores in '${field}', one a text, but received ${scores.length}`,
  );
}

/** Options of {@link readTevatron}. */
export interface TevatronOptions extends SingleLanguageOptions {
  /**
   * For lines with document ids: the file or files (JSONL or Parquet, fields `docid`, `text`, optional `title`)
   * that have their texts. They are held in memory.
   */
  readonly corpus?: Paths;
}

/**
 * Reads Tevatron's files (JSONL or Parquet): `{query_id, query_text, positive_document_ids,
 * negative_document_ids}` with a corpus, or the older `{query_id, query, positive_passages,
 * negative_passages}` whose passages are `{docid, title, text}`. Titles stand before texts, with a space.
 *
 * @throws DataError with file and line; `INPUT_OPTION` where ids come without a corpus
 */
export function readTevatron(paths: Paths, options: TevatronOptions = {}): AsyncGenerator<Pair> {
  let corpus: Promise<Map<string, string>> | undefined;
  return readShards(paths, options, async function* (file, own) {
    if (options.corpus !== undefined) corpus ??= readTexts(options.corpus);
    yield* tevatron(file, own, await corpus);
  });
}

async function* tevatron(
  file: string,
  options: TevatronOptions,
  corpus: ReadonlyMap<string, string> | undefined,
): AsyncGenerator<Pair> {
  for await (const fields of readRecords(file)) {
    const maker = new RowMaker(fields, file, options);
    const byId = (field: string, needed: boolean): Row[] =>
      passageList(fields, field, needed).map((entry, i) => {
        const id = String(entry);
        if (corpus === undefined) {
          throw new DataError(
            'INPUT_OPTION',
            `${fields.where}: '${field}' has document ids; set \`corpus\` to the file with their texts`,
          );
        }
        const text = corpus.get(id);
        if (text === undefined) {
          throw new DataError(
            'INPUT_COLUMN',
            `${fields.where}: '${field}[${i}]' is '${id}', which ${shownPaths(options.corpus ?? [])} has not`,
          );
        }
        return maker.passage(text, id);
      });
    const inPlace = (field: string, needed: boolean): Row[] =>
      passageList(fields, field, needed).map((entry, i) => {
        const where = `${fields.where}, '${field}[${i}]'`;
        const own: Fields = { ...fields, values: asObject(entry, where), where };
        return maker.passage(documentText(own), optionalText(own, 'docid'));
      });
    const id = optionalText(fields, 'query_id');
    if ('positive_document_ids' in fields.values || 'query_text' in fields.values) {
      const query = maker.query(requiredText(fields, 'query_text'), id);
      const positives = byId('positive_document_ids', true);
      yield* maker.pairs(query, positives, byId('negative_document_ids', false), 'positive_document_ids');
    } else {
      const query = maker.query(requiredText(fields, 'query'), id);
      const positives = inPlace('positive_passages', true);
      yield* maker.pairs(query, positives, inPlace('negative_passages', false), 'positive_passages');
    }
  }
}

function passageList(fields: Fields, field: string, needed: boolean): readonly unknown[] {
  const value = fields.values[field];
  if (value !== undefined && value !== null) return asList(value, fields.where, field);
  if (needed) throw missingField(fields, field);
  return [];
}

async function readTexts(paths: Paths): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const file of await expandPaths(paths)) {
    for await (const fields of readRecords(file))
      texts.set(requiredValue(fields, 'docid'), documentText(fields));
  }
  return texts;
}

/** Makes the rows of one line: its languages, data set and ids. */
class RowMaker {
  readonly #fields: Fields;
  readonly #name: string;
  readonly #common: { readonly dataset: string; readonly domain: string };
  readonly #langs: { readonly query: string; readonly passage: string };

  constructor(fields: Fields, file: string, options: SingleLanguageOptions) {
    this.#fields = fields;
    this.#name = nameOf(file);
    const dataset = options.dataset ?? this.#name;
    this.#common = { dataset, domain: options.domain ?? dataset };
    this.#langs = languagesOf(options, { lang: optionalText(fields, 'lang') }, fields.where);
  }

  query(text: string, id?: string): Row {
    const fallback = `${this.#name}:${this.#fields.number}`;
    return {
      id: id ?? fallback,
      text,
      lang: this.#langs.query,
      parallelId: id ?? textId(text),
      ...this.#common,
    };
  }

  passage(text: string, id?: string): Row {
    const parallelId = id ?? textId(text);
    return { id: parallelId, text, lang: this.#langs.passage, parallelId, ...this.#common };
  }

  /** One pair per positive. @throws DataError `INPUT_EMPTY` where there is none */
  *pairs(query: Row, passages: readonly Row[], negatives: readonly Row[], field: string): Generator<Pair> {
    if (passages.length === 0) {
      throw new DataError(
        'INPUT_EMPTY',
        `${this.#fields.where}: '${field}' is an empty list; remove the line or fill it in`,
      );
    }
    for (const passage of passages) yield { query, passage, negatives };
  }
}
