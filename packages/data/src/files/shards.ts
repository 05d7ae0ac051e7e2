/**
 * A source of several files: a list of paths, a glob, or both, for data sets that come in shards
 * (`train-00000-of-00004.parquet`). Finds and orders the files and joins what is read from them; knows no format.
 */
import { readdirSync, statSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { DataError } from '../errors.js';
import type { Pair } from '../rows.js';
import { fileError } from './lines.js';
import { nameOf, type ReadOptions, select } from './options.js';

/** A file, a glob (`data/train-*.parquet`), or a list of either, read in its order. */
export type Paths = string | readonly string[];

const wildcard = /[*?]/;

/** Whether a path has wildcards: `*` or `?`. */
export function isGlob(path: string): boolean {
  return wildcard.test(path);
}

/** Paths as a message names them. */
export function shownPaths(paths: Paths): string {
  if (typeof paths === 'string') return paths;
  return paths.length > 3 ? `${paths[0]} and ${paths.length - 1} other paths` : paths.join(', ');
}

/**
 * The files that paths stand for. `*` and `?` match within one name and no leading dot; what a glob matches is
 * sorted by code units, so that the order is the same on every machine. A file whose very name has a wildcard
 * is that file.
 *
 * @throws DataError `INPUT_FILE` for a file that is missing, that two of the paths stand for or that is a folder,
 *   and for a glob that matches nothing or has `**`
 */
export async function expandPaths(paths: Paths): Promise<string[]> {
  const files = new Set<string>();
  for (const path of [paths].flat()) {
    for (const file of await expandPath(path)) {
      if (files.has(file)) {
        throw new DataError('INPUT_FILE', `${file}: given twice in ${shownPaths(paths)}; leave one out`);
      }
      files.add(file);
    }
  }
  if (files.size > 0) return [...files];
  throw new DataError('INPUT_FILE', 'an empty list of paths; name a file in it');
}

/**
 * Pairs of all files of a source, one file after another, with `langs` and `limit` applied to all of them as one.
 * They are one data set: where nothing names it, it is called by what the files' names begin with.
 *
 * @throws DataError as {@link expandPaths} does
 */
export function readShards<O extends ReadOptions>(
  paths: Paths,
  options: O,
  pairsOf: (file: string, options: O) => AsyncIterable<Pair>,
): AsyncGenerator<Pair> {
  return select(pairsOfAll(paths, options, pairsOf), options, shownPaths(paths));
}

async function* pairsOfAll<O extends ReadOptions>(
  paths: Paths,
  options: O,
  pairsOf: (file: string, options: O) => AsyncIterable<Pair>,
): AsyncGenerator<Pair> {
  const files = await expandPaths(paths);
  const dataset = options.dataset ?? commonName(files);
  for (const file of files) yield* pairsOf(file, { ...options, dataset });
}

/** What a data set of these files is called: `train` for `train-00000-of-00002` and `train-00001-of-00002`. */
function commonName(files: readonly string[]): string {
  const [first = '', ...others] = files.map(nameOf);
  if (others.length === 0) return first;
  let length = 0;
  while (length < first.length && others.every((name) => name[length] === first[length])) length++;
  const common = first.slice(0, length).replace(/[-_.\d]+$/, '');
  if (common !== '') return common;
  const folder = files[0]!.split(/[/\\]/).slice(0, -1).join('/');
  return folder === '' ? first : nameOf(folder);
}

/** @throws DataError `INPUT_FILE` where a path is a folder: with a glob of what is in it */
export function refuseFolder(path: string): void {
  if (!isFolder(path)) return;
  throw new DataError(
    'INPUT_FILE',
    `${path}: a folder, but this format reads files; give a glob such as ${globIn(path.replace(/[/\\]+$/, ''))}`,
  );
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** A glob of the training files in a folder, or in a folder in it. */
function globIn(folder: string): string {
  for (const place of [folder, ...namesIn(folder).map((name) => `${folder}/${name}`)]) {
    const files = namesIn(place).filter((name) => ending.test(name));
    const file = files.find((name) => name.startsWith('train')) ?? files[0];
    if (file === undefined) continue;
    return `${place}/${file.startsWith('train') ? 'train*' : '*'}${ending.exec(file)![0]}`;
  }
  return `${folder}/*.jsonl`;
}

/** Names that are not hidden, by code units; none where there is no folder that can be read. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => !name.startsWith('.'))
      .sort();
  } catch {
    return [];
  }
}

const ending = /\.(parquet|jsonl|ndjson|csv|tsv|txt)(\.gz)?$/;

async function expandPath(path: string): Promise<string[]> {
  const isThere = await stat(path).catch((error: unknown) => fileError(path, error));
  if (!(isThere instanceof Error)) {
    refuseFolder(path);
    return [path];
  }
  if (!isGlob(path)) throw isThere;
  if (path.includes('**')) {
    throw new DataError('INPUT_FILE', `${path}: '**' is not understood; write '*/' for each folder between`);
  }
  const files = await walk('', path.split(/[/\\]/));
  if (files.length === 0) throw new DataError('INPUT_FILE', `${path}: no file matches; ${near(path)}`);
  for (const file of files) refuseFolder(file);
  return files.sort();
}

/** Paths below `folder`, which is empty or ends in a slash, that match the components. */
async function walk(folder: string, parts: readonly string[]): Promise<string[]> {
  const [part = '', ...rest] = parts;
  let names = [part];
  if (isGlob(part)) {
    const pattern = patternOf(part);
    const hidden = part.startsWith('.');
    const all = await readdir(folder || '.').catch(() => []);
    names = all.filter((name) => pattern.test(name) && (hidden || !name.startsWith('.')));
  }
  const found: string[] = [];
  for (const name of names) {
    const path = folder + name;
    if (rest.length > 0) found.push(...(await walk(`${path}/`, rest)));
    else if (await stat(path).catch(() => false)) found.push(path);
  }
  return found;
}

function patternOf(part: string): RegExp {
  const source = part.split(/([*?])/).map((piece) => ({ '*': '.*', '?': '.' })[piece] ?? literal(piece));
  return new RegExp(`^${source.join('')}$`, 'su');
}

/** The source of a pattern that matches `text` itself. */
export function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** What there is instead, if nothing matches. */
function near(path: string): string {
  const parts = path.split(/[/\\]/);
  const folder = parts.slice(0, parts.findIndex(isGlob)).join('/') || (path.startsWith('/') ? '/' : '.');
  try {
    const names = readdirSync(folder).sort();
    const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
    return `in ${folder} there ${names.length === 0 ? 'is nothing' : `are ${names.slice(0, 3).join(', ')}${more}`}; correct the glob`;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES'
      ? `there is no permission to look into ${folder}; change its rights (chmod)`
      : `there is no folder ${folder} to look in; check the path`;
  }
}
