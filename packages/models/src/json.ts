/** JSON texts of a model's files, with clear errors. It knows no files. */
import { checkpointError, reasonOf } from './errors.js';

/** A parsed JSON object whose values are still to be checked. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Parses JSON text; on failure names the file and the line. */
export function parseJson(text: string, path: string, remedy: string): unknown {
  try {
    return JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  } catch (error) {
    const at = /position (\d+)/.exec(reasonOf(error))?.[1];
    // V8 quotes a piece of the file in its message; the position is enough.
    const line = text.slice(0, at === undefined ? text.length : Number(at)).split('\n').length;
    throw checkpointError(`${path}:${line}: not valid JSON; ${remedy}`, error);
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
