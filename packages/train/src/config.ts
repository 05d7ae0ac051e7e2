/** The configuration of a training run: a YAML file, checked by a schema. Keys are snake_case. */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { didYouMean } from '@synglot/data';
import { readerOptions, readers } from '@synglot/data/files';
import { type Document, isMap, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { rightPlace } from './config/other-names.js';
import { applyOverride, overrideAt } from './config/overrides.js';
import { rememberPlaces } from './config/places.js';
import { schema, type TrainConfig } from './config/schema.js';
import { TrainError } from './errors.js';

export type { TrainConfig, TrainConfigInput } from './config/schema.js';

/**
 * Reads and checks a configuration file.
 *
 * @param overrides `key=value` each, put in place of what the file says: `sampling.alpha=0.3`,
 * `data.0.limit=100`; values are YAML
 * @throws TrainError `INPUT_CONFIG`, one line with file, line, what is wrong and the nearest right key
 */
export async function readConfig(path: string, overrides: readonly string[] = []): Promise<TrainConfig> {
  return parseConfig(await readConfigText(path), path, overrides);
}

/** The text of a configuration file. @throws TrainError `INPUT_CONFIG` where it cannot be read */
export async function readConfigText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'no such file' : code === 'EISDIR' ? 'a folder, not a file' : message;
    throw new TrainError('INPUT_CONFIG', `${path}: ${reason}; give a YAML file, see docs/training.md`);
  }
}

/** As `readConfig`, from text; `source` names it in messages. */
export function parseConfig(text: string, source: string, overrides: readonly string[] = []): TrainConfig {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const syntax = document.errors[0];
  if (syntax) {
    throw new TrainError(
      'INPUT_CONFIG',
      `${source}:${lines.linePos(syntax.pos[0]).line}: not YAML: ${syntax.message}`,
    );
  }
  const set = overrides.map((override) => applyOverride(document, override));
  const content = withHome(document.toJS() ?? {});
  const result = schema.safeParse(content);
  const problem = result.success
    ? sourceProblem(result.data.data)
    : schemaProblem(tellingIssue(result.error.issues), content);
  const placeOf = (path: readonly PropertyKey[], key?: string) => {
    const override = overrideAt(set, key === undefined ? path : [...path, key]);
    // What stands for a file where the command line gives all of it has no lines.
    const line = source.startsWith('--') ? undefined : lineOf(document, lines, path, key);
    return override ?? `${source}${line ? `:${line}` : ''}`;
  };
  if (result.success && !problem) {
    rememberPlaces(result.data, placeOf);
    return result.data;
  }
  const { path, key, message } = problem as Problem;
  throw new TrainError('INPUT_CONFIG', `${placeOf(path, key)}: ${message}`);
}

/** Every path that begins with `~/` under the user's folder, as shells have it; hardly another value begins so. */
function withHome(value: unknown): unknown {
  if (typeof value === 'string') return value.startsWith('~/') ? join(homedir(), value.slice(2)) : value;
  if (Array.isArray(value)) return value.map(withHome);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, withHome(entry)]));
}

/** What is wrong with a configuration, and where: at a path, or at a key of the map there. */
interface Problem {
  readonly path: readonly PropertyKey[];
  readonly key?: string;
  readonly message: string;
}

function lineOf(
  document: Document,
  lines: LineCounter,
  path: readonly PropertyKey[],
  key: string | undefined,
): number | undefined {
  const line = (node: unknown) => {
    const range = (node as { range?: [number, number, number] } | undefined)?.range;
    return range ? lines.linePos(range[0]).line : undefined;
  };
  for (let depth = path.length; depth >= 0; depth--) {
    const node = document.getIn(path.slice(0, depth), true);
    const pair =
      key !== undefined && depth === path.length && isMap(node)
        ? node.items.find((item) => String(item.key) === key)
        : undefined;
    const found = line(pair?.key) ?? line(node);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A data source whose format, or an option of it, does not exist. */
function sourceProblem(sources: TrainConfig['data']): Problem | undefined {
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

/** The issue to tell: a misspelt key before the key that is missing because of it. */
function tellingIssue(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue {
  return issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0]!;
}

function schemaProblem(issue: z.core.$ZodIssue, document: unknown): Problem {
  const { path } = issue;
  const message = describe(issue, document);
  return issue.code === 'unrecognized_keys'
    ? { path, key: issue.keys[0] as string, message }
    : { path, message };
}

function describe(issue: z.core.$ZodIssue, document: unknown): string {
  const where = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] as string;
    const known = knownKeys(issue.path);
    const full = where ? `${where}.${key}` : key;
    const place = rightPlace(key, where, sectionKeys());
    // A near name of the section is no help where the very key is known elsewhere.
    const near = place === '' ? didYouMean(key, known) : '';
    return `unknown key '${full}'${near}${place}; known here: ${known.join(', ')}`;
  }
  const value = valueAt(document, issue.path);
  if (issue.code === 'invalid_type') {
    const expected = expectations[issue.expected] ?? issue.expected;
    return value === undefined
      ? `'${where}' is missing: expected ${expected}`
      : `'${where}': expected ${expected} but received ${shown(value)}`;
  }
  if (value === undefined) return `'${where}': ${issue.message.replace(/^Invalid (input|option): /, '')}`;
  const received = `but received ${shown(value)}`;
  if (issue.code === 'invalid_value') {
    const near = typeof value === 'string' ? didYouMean(value, issue.values.map(String)) : '';
    return `'${where}': expected ${issue.values.map(String).join(', ')} ${received}${near}`;
  }
  if (issue.code === 'too_small' && issue.origin === 'array')
    return `'${where}': expected a list of at least ${issue.minimum} ${received}`;
  if (issue.code === 'too_small')
    return `'${where}': expected ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum} ${received}`;
  if (issue.code === 'too_big' && issue.origin !== 'array')
    return `'${where}': expected ${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum} ${received}`;
  if (issue.code === 'invalid_union' && issue.message !== 'Invalid input')
    return `'${where}': ${issue.message} ${received}`;
  if (issue.code === 'invalid_union')
    return `'${where}': ${shown(value)} is none of what may stand here; see docs/training.md`;
  return `'${where}': ${issue.message.replace(/^Invalid (input|option): /, '')}`;
}

/** What the schema's names of types are called here. */
const expectations: Readonly<Record<string, string>> = {
  number: 'a number',
  int: 'a whole number',
  string: 'a text',
  boolean: 'true or false',
  array: 'a list',
  object: 'keys and values',
};

/** A value of the file as a message shows it. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
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
