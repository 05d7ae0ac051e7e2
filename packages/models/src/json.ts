/** JSON texts of a model's files, with clear errors. It knows no files. */
import { checkpointError, reasonOf } from './errors.js';

/** A parsed JSON object whose values are still to be checked. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Parses JSON text; on failure names the file and the place. */
export function parseJson(text: string, path: string, remedy: string): unknown {
  try {
    return JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  } catch (error) {
    const reason = reasonOf(error);
    const at = /position (\d+)/.exec(reason)?.[1];
    // Where V8 names no position, it quotes the place.
    const place = at === undefined ? '' : `:${text.slice(0, Number(at)).split('\n').length}`;
    throw checkpointError(`${path}${place}: not valid JSON (${reason}); ${remedy}`, error);
  }
}

/** A short text of a value for messages. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/**
 * Refuses settings that change what a model computes, unless they have one of the values that are computed here.
 *
 * @param allowed by name, the value for the message first
 * @throws ModelError `INPUT_CHECKPOINT`
 */
export function refuseOthers(
  json: JsonObject,
  allowed: Readonly<Record<string, readonly unknown[]>>,
  path: string,
  remedy = 'choose another checkpoint',
): void {
  for (const [key, values] of Object.entries(allowed)) {
    if (values.includes(json[key])) continue;
    throw checkpointError(
      `${path}: ${key} is ${describe(json[key])}, which is not supported, expected ${describe(values[0])}; ${remedy}`,
    );
  }
}
