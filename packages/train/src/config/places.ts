/**
 * Where in its file each section of a configuration stands, for mistakes that show only when something is opened, such
 * as a glob that matches nothing. The schema finds the others.
 */
import { DataError } from '@synglot/data';
import { TrainError } from '../errors.js';

type PlaceOf = (path: readonly PropertyKey[], key?: string) => string;

/** By the section itself, so that a configuration made from parts of another keeps its places. */
const places = new WeakMap<object, (key: string | number) => string>();

/** Remembers the places of all sections and lists of a configuration that was read. */
export function rememberPlaces(value: unknown, placeOf: PlaceOf, path: readonly PropertyKey[] = []): void {
  if (typeof value !== 'object' || value === null) return;
  places.set(value, (key) => (typeof key === 'number' ? placeOf([...path, key]) : placeOf(path, key)));
  const entries = Array.isArray(value) ? value.entries() : Object.entries(value);
  for (const [key, entry] of entries) rememberPlaces(entry, placeOf, [...path, key]);
}

/** `run.yaml:7: ` for a key of a section or an entry of a list; empty if it was not read from a file. */
export function placeIn(section: object, key: string | number): string {
  const place = places.get(section)?.(key);
  return place === undefined ? '' : `${place}: `;
}

/** A mistake at a key of a section or an entry of a list, whose place the message begins with. */
export function mistakeAt(section: object, key: string | number, message: string): TrainError {
  return new TrainError('INPUT_CONFIG', `${placeIn(section, key)}${message}`);
}

/** A path or glob of a configuration, and its place as {@link placeIn} gives it. */
export interface PlacedPath {
  readonly path: string;
  readonly place: string;
}

/** Each path of a section's `path`. */
export function placedPaths(section: { readonly path: string | readonly string[] }): PlacedPath[] {
  const { path } = section;
  if (typeof path === 'string') return [{ path, place: placeIn(section, 'path') }];
  return path.map((one, index) => ({ path: one, place: placeIn(path, index) }));
}

/** Runs `work`; if it fails, the options that the error names are spelled as in a configuration (`snake_case`). */
export async function inTermsOfConfig<T>(
  where: string | ((error: DataError) => string),
  work: () => T | Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    const place = typeof where === 'string' ? where : where(error);
    throw new DataError(error.code, `${place}${snakeCased(error.message)}`, { cause: error });
  }
}

/** A message with the options that it names in backticks spelled as in a configuration. */
export function snakeCased(message: string): string {
  return message.replace(/`[^`]*`/g, (option) =>
    option.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
  );
}
