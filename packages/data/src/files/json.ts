/**
 * JSON from files, with messages that name file and line, and typed access to the fields of an object.
 */
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { titledText } from '../ad-hoc.js';
import { DataError } from '../errors.js';
import { didYouMean } from '../nearest.js';
import { hiddenFault, notText, refusePacked, visible } from './foreign-bytes.js';
import { fileError, readLines } from './lines.js';

/** An object of a file and the place it came from. */
export interface Fields {
  readonly values: Readonly<Record<string, unknown>>;
  /** `file:line`, or a path within a file. */
  readonly where: string;
  /** The line, from 1; for Parquet the row, from 1. */
  readonly number: number;
}

/** The objects of a JSONL file, one per line; blank lines are skipped. @throws DataError `INPUT_FILE`, `INPUT_JSON` */
export async function* readJsonLines(file: string): AsyncGenerator<Fields> {
  for await (const { text, number, where } of readLines(file)) {
    if (text.trim() === '') continue;
    let values: unknown;
    try {
      values = JSON.parse(text);
    } catch (cause) {
      if (number === 1 && text.trim() === '[') {
        throw new DataError(
          'INPUT_JSON',
          `${where}: this is one JSON list, but one JSON object on each line is expected (jq -c '.[]' writes it)`,
        );
      }
      const reason = visible((cause as Error).message);
      throw new DataError('INPUT_JSON', `${where}: not JSON (${reason})${hiddenFault(text)}`, { cause });
    }
    if (Array.isArray(values) && number === 1) {
      throw new DataError(
        'INPUT_JSON',
        `${where}: expected a JSON object on each line but received a list; write one object per line (jq -c '.[]' does it)`,
      );
    }
    yield { values: asObject(values, where), where, number };
  }
}

/** A whole JSON file (`.gz` too). @throws DataError `INPUT_FILE`, `INPUT_JSON` with line and column */
export async function readJson(file: string): Promise<unknown> {
  refusePacked(file);
  let bytes: Uint8Array;
  try {
    const stored = await readFile(file);
    bytes = file.endsWith('.gz') ? await promisify(gunzip)(stored) : stored;
  } catch (error) {
    throw fileError(file, error);
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DataError('INPUT_FILE', `${file}: ${notText(bytes)}`, { cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    const position = /at position (\d+)/.exec((cause as Error).message)?.[1];
    const lines = text.slice(0, Number(position ?? parsableLength(text))).split('\n');
    const where = `${file}:${lines.length}:${lines.at(-1)!.length + 1}`;
    throw new DataError('INPUT_JSON', `${where}: not JSON (${visible((cause as Error).message)})`, { cause });
  }
}

/**
 * How many characters of `text`, which is not JSON, could begin a JSON text: where the mistake is. Found by
 * bisection, because engines name the place of only some mistakes.
 */
function parsableLength(text: string): number {
  let good = 0;
  let bad = text.length + 1;
  while (bad - good > 1) {
    const middle = (good + bad) >>> 1;
    if (canBeginJson(text.slice(0, middle))) good = middle;
    else bad = middle;
  }
  return good;
}

function canBeginJson(prefix: string): boolean {
  try {
    JSON.parse(prefix);
    return true;
  } catch (cause) {
    const message = String(cause);
    return /end of JSON/.test(message) || Number(/position (\d+)/.exec(message)?.[1]) === prefix.length;
  }
}

/** `value` as an object. @throws DataError `INPUT_JSON` */
export function asObject(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>;
  }
  throw new DataError('INPUT_JSON', `${where}: expected a JSON object but received ${kindOf(value)}`);
}

/** `value` as a list. @throws DataError `INPUT_COLUMN` */
export function asList(value: unknown, where: string, field: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new DataError(
    'INPUT_COLUMN',
    `${where}: expected a list in '${field}' but received ${kindOf(value)}`,
  );
}

/**
 * A text that must be there and not be empty.
 *
 * @throws DataError `INPUT_COLUMN` where the field is missing or no text, `INPUT_EMPTY` where it is blank
 */
export function requiredText(fields: Fields, field: string): string {
  const value = fields.values[field];
  if (value === undefined || value === null) throw missingField(fields, field);
  return asText(value, fields.where, field);
}

/** A text, or a number as text, in the first of `names` that has one. @throws DataError `INPUT_COLUMN`, `INPUT_EMPTY` */
export function requiredValue(fields: Fields, ...names: string[]): string {
  for (const name of names) {
    const value = optionalText(fields, name);
    if (value !== undefined) return value;
  }
  throw missingField(fields, names[0]!);
}

/**
 * A text or number as text; undefined where the field is missing, null or blank.
 *
 * @throws DataError `INPUT_COLUMN`, also for a number that lost digits when it was read
 */
export function optionalText(fields: Fields, field: string): string | undefined {
  const value = fields.values[field];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER) {
    throw new DataError(
      'INPUT_COLUMN',
      `${fields.where}: '${field}' is a number of more digits than JSON keeps (about ${value}); put it in quotes`,
    );
  }
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (typeof value === 'string') return value;
  throw new DataError(
    'INPUT_COLUMN',
    `${fields.where}: expected a text in '${field}' but received ${kindOf(value)}`,
  );
}

/** A document's title and text as one. Either may be missing or empty. @throws DataError where both are */
export function documentText(fields: Fields): string {
  const text = titledText(optionalText(fields, 'title'), optionalText(fields, 'text') ?? '');
  if (text === '') throw missingField(fields, 'text');
  return text;
}

/** `value` as a text that is not blank. @throws DataError `INPUT_COLUMN`, `INPUT_EMPTY` */
export function asText(value: unknown, where: string, field: string): string {
  if (typeof value !== 'string') {
    throw new DataError(
      'INPUT_COLUMN',
      `${where}: expected a text in '${field}' but received ${kindOf(value)}`,
    );
  }
  if (value.trim() === '') {
    throw new DataError('INPUT_EMPTY', `${where}: '${field}' is empty; remove the pair or fill it in`);
  }
  return value;
}

/** The error for a field that is not there, or has nothing in it; it lists those that are. */
export function missingField(fields: Fields, field: string): DataError {
  if (Object.hasOwn(fields.values, field)) {
    const value = fields.values[field] === null ? 'null' : 'empty';
    return new DataError(
      'INPUT_EMPTY',
      `${fields.where}: '${field}' is ${value}; remove the row or fill it in`,
    );
  }
  const there = Object.keys(fields.values);
  const list =
    there.length === 0 ? 'there is none' : `there are ${there.map((name) => `'${name}'`).join(', ')}`;
  return new DataError('INPUT_COLUMN', `${fields.where}: no '${field}'${didYouMean(field, there)}; ${list}`);
}

/** What a value is, for messages. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'string'
    ? `the text ${JSON.stringify(value.slice(0, 40))}`
    : `${typeof value} ${value}`;
}
