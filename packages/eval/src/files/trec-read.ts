/**
 * Reads TREC judgments (qrels) and runs, line by line, gunzipped where the name ends in `.gz`. It reads what trec_eval
 * reads, but refuses what trec_eval would misread (a score that is not a number).
 */
import { type Line, readLines } from '@synglot/data/files';
import { EvaluationError } from '../errors.js';
import type { ProfileName } from '../profiles.js';
import { profileNamed } from '../profiles.js';
import type { Qrels, TrecRun } from '../trec/files.js';

/** Options of {@link readQrels} and {@link readRun}. */
export interface TrecReadOptions {
  /** Decides whether a document listed twice is a mistake or the last line counts. Default `trec_eval`. */
  readonly profile?: ProfileName;
}

/** Highest grade that is read; trec_eval's own documentation names 127. */
const highestGrade = 1_000_000;

/**
 * Reads judgments: `topic iteration document grade`, separated by white space; lines that begin with `#` are
 * comments. BEIR's table of three columns, known by its header `query-id corpus-id score`, is read too.
 *
 * @throws EvaluationError `INPUT_TREC` with file and line; DataError `INPUT_FILE`
 */
export async function readQrels(file: string, options: TrecReadOptions = {}): Promise<Qrels> {
  const topics = new Map<string, Map<string, number>>();
  const add = adder(topics, options, 'judged');
  let beir = false;
  for await (const line of readLines(file)) {
    const fields = fieldsOf(line.text);
    if (fields.length === 0) continue;
    if (topics.size === 0 && !beir && fields.join(' ') === 'query-id corpus-id score') {
      beir = true;
      continue;
    }
    const expected = beir ? 'query-id, corpus-id, score' : 'topic, iteration, document, grade';
    if (fields.length !== (beir ? 3 : 4)) {
      throw mistake(line, `expected ${beir ? 3 : 4} fields (${expected}), got ${fields.length}`);
    }
    const [topic, document, grade] = [fields[0]!, fields.at(-2)!, fields.at(-1)!];
    if (!/^[+-]?\d+$/.test(grade) || Number(grade) > highestGrade) {
      throw mistake(line, `expected a whole number as the grade, got "${grade}"`);
    }
    add(line, topic, document, Number(grade));
  }
  return nonEmpty(file, topics, 'judgments');
}

/**
 * Reads a run: `topic Q0 document rank score tag`; the rank is ignored, as every tool does that follows
 * trec_eval. Lines that begin with `#` are comments, and what follows the tag is ignored.
 *
 * @throws EvaluationError `INPUT_TREC` with file and line; DataError `INPUT_FILE`
 */
export async function readRun(file: string, options: TrecReadOptions = {}): Promise<TrecRun> {
  const topics = new Map<string, Map<string, number>>();
  const add = adder(topics, options, 'ranked');
  let tag = '';
  for await (const line of readLines(file)) {
    const fields = fieldsOf(line.text);
    if (fields.length === 0) continue;
    if (fields.length < 6) {
      throw mistake(line, `expected 6 fields (topic, Q0, document, rank, score, tag), got ${fields.length}`);
    }
    const [topic, , document, , text] = fields as [string, string, string, string, string];
    const score = /^[+-]?inf(inity)?$/i.test(text)
      ? Number.POSITIVE_INFINITY * (text.startsWith('-') ? -1 : 1)
      : Number(text);
    if (Number.isNaN(score)) {
      throw mistake(
        line,
        `the score of document "${document}" is "${text}", expected a number; a score that is not one has no rank`,
      );
    }
    add(line, topic, document, score);
    tag = fields[5]!;
  }
  return { topics: nonEmpty(file, topics, 'rankings'), tag };
}

/** The fields of a line; none of a blank line or a comment. C's white space, which ids cannot hold. */
function fieldsOf(text: string): string[] {
  if (text.startsWith('#')) return [];
  return text.split(/[ \t\v\f\r]+/).filter((field) => field !== '');
}

function adder(topics: Map<string, Map<string, number>>, options: TrecReadOptions, verb: string) {
  const profile = profileNamed(options.profile ?? 'trec_eval');
  return (line: Line, topic: string, document: string, value: number): void => {
    let documents = topics.get(topic);
    if (documents === undefined) {
      documents = new Map();
      topics.set(topic, documents);
    }
    if (documents.has(document) && profile.runs.duplicates === 'error') {
      throw mistake(
        line,
        `document "${document}" of topic "${topic}" is ${verb} a second time; profile ${profile.name} does not allow that, so remove one of the lines`,
      );
    }
    documents.set(document, value);
  };
}

function nonEmpty<T extends ReadonlyMap<string, unknown>>(file: string, topics: T, what: string): T {
  if (topics.size === 0) throw new EvaluationError('INPUT_TREC', `${file}: holds no ${what}.`);
  return topics;
}

function mistake(line: Line, text: string): EvaluationError {
  return new EvaluationError('INPUT_TREC', `${line.where}: ${text}.`);
}
