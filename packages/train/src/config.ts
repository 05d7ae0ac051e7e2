/** Reads the configuration of a training run: a YAML file, checked by a schema. Keys are snake_case. */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Document, isMap, LineCounter, parseDocument, visit } from 'yaml';
import { conflict } from './config/conflicts.js';
import { applyOverride, overrideAt } from './config/overrides.js';
import { rememberPlaces } from './config/places.js';
import { type Problem, schemaProblem, sourceProblem } from './config/problems.js';
import { schema, type TrainConfig } from './config/schema.js';
import { TrainError } from './errors.js';

export type { TrainConfig, TrainConfigInput } from './config/schema.js';

/**
 * Reads and checks a configuration file.
 *
 * @param overrides `key=value` each, which replace what the file says: `sampling.alpha=0.3`, `data.0.limit=100`;
 * values are YAML
 * @throws TrainError `INPUT_CONFIG`, one line with file, line, what is wrong and the nearest right key
 */
export async function readConfig(path: string, overrides: readonly string[] = []): Promise<TrainConfig> {
  return parseConfig(await readConfigText(path), path, overrides);
}

/** The text of a configuration file. @throws TrainError `INPUT_CONFIG` if it cannot be read */
export async function readConfigText(path: string): Promise<string> {
  try {
    const bytes = await readFile(path);
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) {
      throw new TrainError('INPUT_CONFIG', `${path}: not UTF-8; save it as UTF-8`, { cause: error });
    }
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'no such file' : code === 'EISDIR' ? 'a folder, not a file' : message;
    throw new TrainError('INPUT_CONFIG', `${path}: ${reason}; give a YAML file, see docs/training.md`);
  }
}

/** As `readConfig`, from text; `source` names it in messages. */
export function parseConfig(text: string, source: string, overrides: readonly string[] = []): TrainConfig {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const fault = (position: number, message: string) =>
    new TrainError('INPUT_CONFIG', `${source}:${lines.linePos(position).line}: not YAML: ${message}`);
  const syntax = document.errors[0];
  if (syntax) throw fault(syntax.pos[0], syntax.message);
  visit(document, {
    Alias: (_, alias) => {
      if (alias.resolve(document) !== undefined) return;
      throw fault(
        alias.range?.[0] ?? 0,
        `*${alias.source} names no anchor; put a value that begins with * in quotes`,
      );
    },
  });
  const set = overrides.map((override) => applyOverride(document, override));
  const content = withHome(document.toJS() ?? {});
  const result = schema.safeParse(content);
  const problem = result.success
    ? (sourceProblem(result.data.data) ?? conflict(result.data))
    : schemaProblem(result.error.issues, content);
  const placeOf = (path: readonly PropertyKey[], key?: string) => {
    const override = overrideAt(set, key === undefined ? path : [...path, key]);
    // A configuration that the command line gives as a whole has no lines.
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

/** Expands a leading `~/` of every text to the user's folder, as shells do; only paths begin so. */
function withHome(value: unknown): unknown {
  if (typeof value === 'string') return value.startsWith('~/') ? join(homedir(), value.slice(2)) : value;
  if (Array.isArray(value)) return value.map(withHome);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, withHome(entry)]));
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
