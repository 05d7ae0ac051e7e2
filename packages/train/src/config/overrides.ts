/**
 * `key=value` settings that replace what a configuration file says: `sampling.alpha=0.3`. Keys and values are
 * not checked here: the schema checks the whole.
 */
import { type Document, isSeq, parse } from 'yaml';
import { TrainError } from '../errors.js';

/** A setting that was applied. */
export interface Override {
  /** As the user wrote it. */
  readonly text: string;
  readonly path: readonly (string | number)[];
}

/**
 * Puts one setting into a document, with the sections that it needs.
 *
 * @throws TrainError `INPUT_CONFIG` if it is not a `key=value`, or the key lies below a plain value
 */
export function applyOverride(document: Document, text: string): Override {
  const at = text.indexOf('=');
  const key = text.slice(0, at).trim();
  if (at < 1 || key === '') {
    throw new TrainError('INPUT_CONFIG', `'${text}': expected key=value, such as sampling.alpha=0.3`);
  }
  const path = key.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  path.forEach((part, depth) => {
    const list = document.getIn(path.slice(0, depth), true);
    if (!isSeq(list) || (typeof part === 'number' && part <= list.items.length)) return;
    throw new TrainError(
      'INPUT_CONFIG',
      `${text}: '${path.slice(0, depth).join('.')}' is a list of ${list.items.length}, whose entries are counted from 0`,
    );
  });
  try {
    document.setIn(path, document.createNode(parse(text.slice(at + 1))));
  } catch (error) {
    // Below its first line YAML's message points at the place in a copy of the text.
    const [problem] = (error as Error).message.split(/:?\n/);
    throw new TrainError('INPUT_CONFIG', `${text}: cannot be set: ${problem}`);
  }
  return { text, path };
}

/** The text of the last override that a problem at `path` is within, or that is within the problem. */
export function overrideAt(overrides: readonly Override[], path: readonly PropertyKey[]): string | undefined {
  const agree = (other: readonly PropertyKey[]) =>
    other.slice(0, path.length).every((part, index) => String(part) === String(path[index]));
  return overrides.findLast((override) => agree(override.path))?.text;
}
