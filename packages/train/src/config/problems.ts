/** What is wrong with a configuration, in words: each problem as one message, and where it is. */
import { didYouMean } from '@synglot/data';
import { readerOptions, readers } from '@synglot/data/files';
import type { z } from 'zod';
import { rightPlace } from './other-names.js';
import { schema, type TrainConfig } from './schema.js';

/** What is wrong with a configuration, and where: at a path, or at a key of the map there. */
export interface Problem {
  readonly path: readonly PropertyKey[];
  readonly key?: string;
  readonly message: string;
}

/** A data source whose format, or an option of it, does not exist. */
export function sourceProblem(sources: TrainConfig['data']): Problem | undefined {
  for (const [index, { format, path: _path, ...options }] of sources.entries()) {
    const path = ['data', index];
    if (!Object.hasOwn(readers, format)) {
      const names = Object.keys(readers);
      const message = `unknown data format '${format}'${didYouMean(format, names)}; there are ${names.join(', ')}`;
      return { path, key: 'format', message };
    }
    const known = readerOptions(format as keyof typeof readers).map(snakeCase);
    const key = Object.keys(options).find((name) => !known.includes(name));
    if (key === undefined) continue;
    const message = `unknown key '${key}' of format '${format}'${didYouMean(key, known)}; known here: ${known.join(', ')}`;
    return { path, key, message };
  }
  return undefined;
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The first of the schema's issues, but a misspelt key before the key that is missing because of it. */
export function schemaProblem(issues: readonly z.core.$ZodIssue[], document: unknown): Problem {
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0]!;
  const { path } = issue;
  const message = describe(issue, document);
  return issue.code === 'unrecognized_keys'
    ? { path, key: issue.keys[0] as string, message }
    : { path, message };
}

function describe(issue: z.core.$ZodIssue, document: unknown): string {
  if (issue.code === 'unrecognized_keys') return describeUnknownKey(issue.keys[0] as string, issue.path);
  const where = issue.path.length === 0 ? 'the file' : `'${issue.path.map(String).join('.')}'`;
  const value = valueAt(document, issue.path);
  const own = issue.message.replace(/^Invalid (input|option): /, '');
  const received = `but received ${shown(value)}`;
  if (issue.code === 'invalid_type') {
    const expected = expectations[issue.expected] ?? issue.expected;
    return value === undefined
      ? `${where} is missing: expected ${expected}`
      : `${where}: expected ${expected} ${received}`;
  }
  if (value === undefined) return `${where}: ${own}`;
  if (issue.code === 'invalid_value') {
    const near = typeof value === 'string' ? didYouMean(value, issue.values.map(String)) : '';
    return `${where}: expected ${issue.values.map(String).join(', ')} ${received}${near}`;
  }
  if (issue.code === 'too_small' && issue.origin === 'array')
    return `${where}: expected a list of at least ${issue.minimum} ${received}`;
  if (issue.code === 'too_small')
    return `${where}: expected ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum} ${received}`;
  if (issue.code === 'too_big' && issue.origin !== 'array')
    return `${where}: expected ${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum} ${received}`;
  if (issue.code === 'invalid_union' && issue.message !== 'Invalid input')
    return `${where}: ${issue.message} ${received}`;
  if (issue.code === 'invalid_union')
    return `${where}: ${shown(value)} is none of what may stand here; see docs/training.md`;
  return `${where}: ${own}`;
}

function describeUnknownKey(key: string, path: readonly PropertyKey[]): string {
  const section = path.map(String).join('.');
  const known = knownKeys(path);
  const place = rightPlace(key, section, sectionKeys());
  // A near name of the section is no help if the very key is known elsewhere.
  const near = place === '' ? didYouMean(key, known) : '';
  return `unknown key '${section ? `${section}.${key}` : key}'${near}${place}; known here: ${known.join(', ')}`;
}

/** What the schema's names of types are called here. */
const expectations: Readonly<Record<string, string>> = {
  number: 'a number',
  int: 'a whole number',
  string: 'a text',
  boolean: 'true or false',
  array: 'a list',
  object: 'keys and values',
  record: 'keys and values',
  tuple: 'a list',
};

/** A value of the file as a message shows it. */
function shown(value: unknown): string {
  // JSON has no NaN and no infinity.
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function valueAt(document: unknown, path: readonly PropertyKey[]): unknown {
  let value = document;
  for (const key of path) value = (value as Record<PropertyKey, unknown> | null | undefined)?.[key];
  return value;
}

/** The keys of every section, and those of the top level under an empty name. */
function sectionKeys(): Map<string, string[]> {
  const top = knownKeys([]);
  return new Map([['', top], ...top.map((section): [string, string[]] => [section, knownKeys([section])])]);
}

/** Keys that the schema allows at a path. */
function knownKeys(path: readonly PropertyKey[]): string[] {
  let current: unknown = schema;
  for (const key of path) current = shapeOf(current)?.[String(key)];
  return Object.keys(shapeOf(current) ?? {});
}

/** The shape of an object schema inside optional, default and prefault wrappers. */
function shapeOf(type: unknown): Record<string, unknown> | undefined {
  let current = type as { shape?: Record<string, unknown>; def?: { innerType?: unknown } } | undefined;
  while (current && !current.shape) current = current.def?.innerType as typeof current;
  return current?.shape;
}
